/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tasks and monitors. Nothing here sleeps: that a thread waits is known when
 * the monitor can be entered after the thread has said in it that it will.
 */
#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/task.h"

enum { ROUNDS = 2000 };

static void count_up(void *arg)
{
	++*(int *)arg;
}

static void an_interrupt_is_seen_by_its_own_thread(void **state)
{
	struct task task;

	(void)state;
	assert_false(task_interrupted());
	task_begin(&task);
	assert_false(task_interrupted());
	task_interrupt(&task);
	assert_true(task_interrupted());
	task_end(&task);
	assert_false(task_interrupted());
	task_begin(&task);
	assert_false(task_interrupted());
	task_end(&task);
}

static void wake_is_called_while_blocking_only(void **state)
{
	struct task task;
	int woken = 0;

	(void)state;
	task_begin(&task);
	task_block(count_up, &woken);
	task_unblock();
	task_block(count_up, &woken);
	assert_int_equal(woken, 0);
	task_interrupt(&task);
	assert_int_equal(woken, 1);
	task_unblock();
	task_interrupt(&task);
	assert_int_equal(woken, 1);
	task_end(&task);
}

static void an_early_interrupt_wakes_at_once(void **state)
{
	struct task task;
	int woken = 0;

	(void)state;
	task_begin(&task);
	task_interrupt(&task);
	task_block(count_up, &woken);
	assert_int_equal(woken, 1);
	task_unblock();
	task_end(&task);
}

static void without_a_task_nothing_happens(void **state)
{
	int woken = 0;

	(void)state;
	task_block(count_up, &woken);
	task_block(count_up, &woken);
	task_unblock();
	assert_int_equal(woken, 0);
}

struct shared {
	struct monitor monitor;
	struct task *task; /* the fields below: in the monitor */
	bool waiting;
	bool ready;
	int result;
};

static void shared_init(struct shared *shared)
{
	*shared = (struct shared){.result = 1};
	monitor_init(&shared->monitor);
}

static void *wait_until_ready(void *arg)
{
	struct shared *shared = arg;
	struct task task;
	int r = 0;

	task_begin(&task);
	monitor_enter(&shared->monitor);
	shared->task = &task;
	shared->waiting = true;
	monitor_notify(&shared->monitor);
	while (!shared->ready && r == 0)
		r = monitor_wait(&shared->monitor);
	monitor_leave(&shared->monitor);
	task_end(&task);
	shared->result = r;
	return NULL;
}

/* pthread_create() that fails the test. */
static void start(pthread_t *thread, void *(*run)(void *arg), void *arg)
{
	assert_int_equal(pthread_create(thread, NULL, run, arg), 0);
}

/* Starts the thread and returns once it is inside monitor_wait(). */
static pthread_t start_waiting(struct shared *shared)
{
	pthread_t thread;

	shared_init(shared);
	start(&thread, wait_until_ready, shared);
	monitor_enter(&shared->monitor);
	while (!shared->waiting)
		assert_int_equal(monitor_wait(&shared->monitor), 0);
	monitor_leave(&shared->monitor);
	return thread;
}

static void notify_ends_a_wait(void **state)
{
	struct shared shared;
	pthread_t thread = start_waiting(&shared);

	(void)state;
	monitor_enter(&shared.monitor);
	shared.ready = true;
	monitor_notify(&shared.monitor);
	monitor_leave(&shared.monitor);
	pthread_join(thread, NULL);
	assert_int_equal(shared.result, 0);
	monitor_release(&shared.monitor);
}

static void an_interrupt_ends_a_wait(void **state)
{
	struct shared shared;
	pthread_t thread = start_waiting(&shared);

	(void)state;
	task_interrupt(shared.task);
	pthread_join(thread, NULL);
	assert_int_equal(shared.result, -EINTR);
	monitor_release(&shared.monitor);
}

static void an_early_interrupt_ends_the_wait_at_once(void **state)
{
	struct monitor monitor;
	struct task task;

	(void)state;
	monitor_init(&monitor);
	task_begin(&task);
	task_interrupt(&task);
	monitor_enter(&monitor);
	assert_int_equal(monitor_wait(&monitor), -EINTR);
	monitor_leave(&monitor);
	task_end(&task);
	monitor_release(&monitor);
}

static void a_wait_has_its_end(void **state)
{
	const struct timespec past = {0, 0};
	struct monitor monitor;
	struct task task;

	(void)state;
	monitor_init(&monitor);
	task_begin(&task);
	monitor_enter(&monitor);
	assert_int_equal(monitor_wait_until(&monitor, &past), -ETIMEDOUT);
	monitor_leave(&monitor);
	task_interrupt(&task);
	monitor_enter(&monitor);
	assert_int_equal(monitor_wait_until(&monitor, &past), -EINTR);
	monitor_leave(&monitor);
	task_end(&task);
	monitor_release(&monitor);
}

static void *interrupt_it(void *arg)
{
	task_interrupt(arg);
	return NULL;
}

/* Whenever the interrupt comes, before or in the wait, it is not lost. */
static void no_interrupt_is_lost(void **state)
{
	struct monitor monitor;
	struct task task;
	pthread_t thread;

	(void)state;
	monitor_init(&monitor);
	for (int i = 0; i < ROUNDS; i++) {
		int r = 0;

		task_begin(&task);
		start(&thread, interrupt_it, &task);
		monitor_enter(&monitor);
		while (r == 0)
			r = monitor_wait(&monitor);
		monitor_leave(&monitor);
		assert_int_equal(r, -EINTR);
		pthread_join(thread, NULL);
		task_end(&task);
	}
	monitor_release(&monitor);
}

static unsigned told;

static void count_told(void)
{
	told++;
}

static void who_will_wait_says_so(void **state)
{
	struct task task;

	(void)state;
	task_will_wait(); /* without a task: nothing */
	task_begin(&task);
	task_will_wait();
	assert_int_equal(told, 0);
	task.will_wait = count_told;
	task_will_wait();
	assert_int_equal(told, 1);
	task_end(&task);
	task_will_wait();
	assert_int_equal(told, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(an_interrupt_is_seen_by_its_own_thread),
	    cmocka_unit_test(wake_is_called_while_blocking_only),
	    cmocka_unit_test(an_early_interrupt_wakes_at_once),
	    cmocka_unit_test(without_a_task_nothing_happens),
	    cmocka_unit_test(notify_ends_a_wait),
	    cmocka_unit_test(an_interrupt_ends_a_wait),
	    cmocka_unit_test(an_early_interrupt_ends_the_wait_at_once),
	    cmocka_unit_test(a_wait_has_its_end),
	    cmocka_unit_test(no_interrupt_is_lost),
	    cmocka_unit_test(who_will_wait_says_so),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
