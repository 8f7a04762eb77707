/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The turns of large windows. Nothing here sleeps: a thread waits once it is in
 * the queue.
 */
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/err.h"
#include "stream/windows.h"

#define MIB (UINT64_C(1) << 20)

static struct windows *const windows = &windows_of_layers;

struct asker {
	uint64_t bytes;
	struct task task;
	pthread_t thread;
	int result;
};

static void *ask(void *arg)
{
	struct asker *asker = arg;
	struct err err = ERR_INIT;

	asker->result = windows_take(windows, asker->bytes, &err);
	return NULL;
}

static void *ask_in_task(void *arg)
{
	struct asker *asker = arg;

	task_begin(&asker->task);
	ask(asker);
	task_end(&asker->task);
	return NULL;
}

static struct windows_turn *last_in_queue(void)
{
	struct windows_turn *last;

	monitor_enter(&windows->monitor);
	last = windows->last;
	monitor_leave(&windows->monitor);
	return last;
}

static uint64_t in_use(void)
{
	uint64_t bytes;

	monitor_enter(&windows->monitor);
	bytes = windows->in_use;
	monitor_leave(&windows->monitor);
	return bytes;
}

/* Returns when it waits. */
static void start(struct asker *asker, uint64_t bytes, void *(*run)(void *))
{
	struct windows_turn *before = last_in_queue();

	*asker = (struct asker){.bytes = bytes, .result = 1};
	assert_int_equal(pthread_create(&asker->thread, NULL, run, asker), 0);
	while (last_in_queue() == before)
		sched_yield();
}

static int result(struct asker *asker)
{
	assert_int_equal(pthread_join(asker->thread, NULL), 0);
	return asker->result;
}

static void take(uint64_t bytes)
{
	struct err err = ERR_INIT;

	assert_int_equal(windows_take(windows, bytes, &err), 0);
}

static void what_fits_together_goes_on_at_once(void **state)
{
	(void)state;
	for (int i = 0; i < 4; i++)
		take(16 * MIB);
	assert_int_equal(in_use(), WINDOWS_TOTAL);
	for (int i = 0; i < 4; i++)
		windows_give(windows, 16 * MIB);
	assert_int_equal(in_use(), 0);
}

static void one_alone_goes_on_whatever_it_asks_for(void **state)
{
	(void)state;
	take(128 * MIB);
	windows_give(windows, 128 * MIB);
	assert_int_equal(in_use(), 0);
}

static void others_wait_until_it_is_given_back(void **state)
{
	struct asker asker;

	(void)state;
	take(128 * MIB);
	start(&asker, 9 * MIB, ask);
	assert_int_equal(in_use(), 128 * MIB);
	windows_give(windows, 128 * MIB);
	assert_int_equal(result(&asker), 0);
	assert_int_equal(in_use(), 9 * MIB);
	windows_give(windows, 9 * MIB);
}

/* Else one that is large would never have its turn. */
static void who_came_first_is_first(void **state)
{
	struct asker large, small;

	(void)state;
	take(16 * MIB);
	start(&large, 128 * MIB, ask);
	start(&small, 16 * MIB, ask);
	windows_give(windows, 16 * MIB);
	assert_int_equal(result(&large), 0);
	assert_int_equal(in_use(), 128 * MIB);
	windows_give(windows, 128 * MIB);
	assert_int_equal(result(&small), 0);
	windows_give(windows, 16 * MIB);
	assert_int_equal(in_use(), 0);
}

static void an_interrupted_one_is_in_nobody_s_way(void **state)
{
	struct asker large, small;

	(void)state;
	take(16 * MIB);
	start(&large, 128 * MIB, ask_in_task);
	start(&small, 16 * MIB, ask);
	task_interrupt(&large.task);
	assert_int_equal(result(&large), -EINTR);
	assert_int_equal(result(&small), 0);
	assert_int_equal(in_use(), 32 * MIB);
	windows_give(windows, 32 * MIB);
}

static void one_of_many_that_is_interrupted_leaves_the_rest_in_order(
    void **state)
{
	struct asker askers[3];

	(void)state;
	take(128 * MIB);
	for (size_t i = 0; i < 3; i++)
		start(&askers[i], 128 * MIB, ask_in_task);
	task_interrupt(&askers[1].task);
	assert_int_equal(result(&askers[1]), -EINTR);
	windows_give(windows, 128 * MIB);
	assert_int_equal(result(&askers[0]), 0);
	windows_give(windows, 128 * MIB);
	assert_int_equal(result(&askers[2]), 0);
	windows_give(windows, 128 * MIB);
	assert_int_equal(in_use(), 0);
}

static void the_accounts_do_not_wait_for_one_another(void **state)
{
	struct err err = ERR_INIT;

	(void)state;
	take(128 * MIB);
	assert_int_equal(windows_take(&windows_of_fetches, 128 * MIB, &err), 0);
	windows_give(&windows_of_fetches, 128 * MIB);
	windows_give(windows, 128 * MIB);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(what_fits_together_goes_on_at_once),
	    cmocka_unit_test(one_alone_goes_on_whatever_it_asks_for),
	    cmocka_unit_test(others_wait_until_it_is_given_back),
	    cmocka_unit_test(who_came_first_is_first),
	    cmocka_unit_test(an_interrupted_one_is_in_nobody_s_way),
	    cmocka_unit_test(
		one_of_many_that_is_interrupted_leaves_the_rest_in_order),
	    cmocka_unit_test(the_accounts_do_not_wait_for_one_another),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
