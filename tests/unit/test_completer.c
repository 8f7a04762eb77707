/* SPDX-License-Identifier: Apache-2.0 */
/* Work that is brought to its end. */
#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/completer.h"
#include "base/task.h"

/* What the work does, and what is seen of it. Inside the monitor. */
struct scene {
	struct monitor monitor;
	bool begun, may_end;
	bool ended, released;
	bool was_task; /* the work could have been interrupted */
	int result;
};

static struct completer *completer_of(void)
{
	struct err err = ERR_INIT;
	struct completer *completer = completer_new(&err);

	assert_non_null(completer);
	return completer;
}

static int run(void *arg, struct err *err)
{
	struct scene *scene = arg;
	int result;

	monitor_enter(&scene->monitor);
	scene->begun = true;
	monitor_notify(&scene->monitor);
	while (!scene->may_end)
		scene->was_task |= monitor_wait(&scene->monitor) < 0;
	scene->ended = true;
	result = scene->result;
	monitor_leave(&scene->monitor);
	return result < 0 ? err_set(err, -result, "it failed") : 0;
}

static void release(void *arg)
{
	struct scene *scene = arg;

	monitor_enter(&scene->monitor);
	scene->released = scene->ended;
	monitor_leave(&scene->monitor);
}

static void let_end(struct scene *scene)
{
	monitor_enter(&scene->monitor);
	scene->may_end = true;
	monitor_notify(&scene->monitor);
	monitor_leave(&scene->monitor);
}

static void an_unused_one_can_be_freed(void **state)
{
	(void)state;
	completer_free(completer_of());
	completer_free(NULL);
}

static void what_it_returns_is_returned(void **state)
{
	struct completer *completer = completer_of();
	struct scene scene = {.may_end = true};
	const struct work work = {run, release, &scene};
	struct err err = ERR_INIT;

	(void)state;
	monitor_init(&scene.monitor);
	assert_int_equal(completer_do(completer, &work, &err), 0);
	assert_true(scene.released);
	assert_int_equal(err.code, 0);
	scene.result = -EACCES;
	assert_int_equal(completer_do(completer, &work, &err), -EACCES);
	assert_string_equal(err.msg, "it failed");
	completer_free(completer);
	monitor_release(&scene.monitor);
}

struct waiter {
	struct completer *completer;
	struct scene *scene;
	struct task task;
	int result;
};

static void *wait_for_it(void *arg)
{
	struct waiter *waiter = arg;
	const struct work work = {run, release, waiter->scene};
	struct err err = ERR_INIT;

	task_begin(&waiter->task);
	waiter->result = completer_do(waiter->completer, &work, &err);
	task_end(&waiter->task);
	return NULL;
}

static void begin(struct waiter *waiter, pthread_t *thread)
{
	struct scene *scene = waiter->scene;

	assert_int_equal(pthread_create(thread, NULL, wait_for_it, waiter), 0);
	monitor_enter(&scene->monitor);
	while (!scene->begun)
		monitor_wait(&scene->monitor);
	monitor_leave(&scene->monitor);
}

static void an_interrupt_lets_go_of_who_waits(void **state)
{
	static const int results[] = {0, -EIO};

	(void)state;
	for (size_t i = 0; i < sizeof(results) / sizeof(*results); i++) {
		struct scene scene = {.result = results[i]};
		struct waiter waiter = {.completer = completer_of(),
		    .scene = &scene};
		pthread_t thread;

		monitor_init(&scene.monitor);
		begin(&waiter, &thread);
		task_interrupt(&waiter.task);
		/* It returns while the work is held up. */
		pthread_join(thread, NULL);
		assert_int_equal(waiter.result, -EINTR);
		assert_false(scene.ended);
		let_end(&scene);
		completer_wait(waiter.completer);
		assert_true(scene.released);
		assert_false(scene.was_task);
		completer_free(waiter.completer);
		monitor_release(&scene.monitor);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(an_unused_one_can_be_freed),
	    cmocka_unit_test(what_it_returns_is_returned),
	    cmocka_unit_test(an_interrupt_lets_go_of_who_waits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
