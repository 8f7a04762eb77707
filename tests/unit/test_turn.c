/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Turns. Nothing here sleeps: threads say in the monitor that they have come,
 * and wait in it from then on.
 */
#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/turn.h"

enum { THREADS = 8, ROUNDS = 500 };

/* Something that is made once. */
struct thing {
	struct monitor monitor;
	/* In the monitor. */
	struct turn turn;
	int value;          /* 0: not made */
	unsigned come;      /* threads that want it */
	unsigned made;      /* times that a thread made it */
	unsigned await;     /* threads to come before the first one ends */
	struct err outcome; /* of that one; code 0: it is made */
};

/* One who wants it. */
struct reader {
	struct thing *thing;
	struct task task;
	pthread_t thread;
	int result, value;
	struct err err;
};

static void thing_init(struct thing *thing, unsigned await, int outcome)
{
	memset(thing, 0, sizeof(*thing));
	monitor_init(&thing->monitor);
	thing->await = await;
	if (outcome)
		err_set(&thing->outcome, outcome, "it failed");
}

/* In the monitor. The first one lets the others come, and has their outcome;
 * all others make it. */
static int make(struct thing *thing, struct err *err)
{
	if (thing->made++ > 0) {
		thing->value = (int)thing->made;
		return 0;
	}
	while (thing->come < thing->await)
		assert_int_equal(monitor_wait(&thing->monitor), 0);
	if (thing->outcome.code) {
		*err = thing->outcome;
		return -err->code;
	}
	thing->value = 1;
	return 0;
}

static void *want(void *arg)
{
	struct reader *reader = arg;
	struct thing *thing = reader->thing;
	struct err *err = &reader->err;
	int r;

	task_begin(&reader->task);
	monitor_enter(&thing->monitor);
	thing->come++;
	monitor_notify(&thing->monitor);
	r = turn_wait(&thing->turn, &thing->monitor, err);
	if (r == 0 && !thing->value) {
		turn_take(&thing->turn, 0);
		r = make(thing, err);
		turn_end(&thing->turn, &thing->monitor, r < 0 ? err : NULL);
	}
	reader->result = r;
	reader->value = thing->value;
	monitor_leave(&thing->monitor);
	task_end(&reader->task);
	return NULL;
}

static void start(struct reader *reader, struct thing *thing)
{
	*reader = (struct reader){.thing = thing};
	assert_int_equal(pthread_create(&reader->thread, NULL, want, reader),
	    0);
}

static void await_come(struct thing *thing, unsigned count)
{
	monitor_enter(&thing->monitor);
	while (thing->come < count)
		assert_int_equal(monitor_wait(&thing->monitor), 0);
	monitor_leave(&thing->monitor);
}

/* The first of the readers has the turn before the others come. */
static void run_all(struct thing *thing, struct reader readers[THREADS])
{
	for (unsigned i = 0; i < THREADS; i++) {
		start(&readers[i], thing);
		await_come(thing, i + 1);
	}
	for (unsigned i = 0; i < THREADS; i++)
		pthread_join(readers[i].thread, NULL);
	monitor_release(&thing->monitor);
}

static void one_does_it_and_the_others_have_it(void **state)
{
	struct reader readers[THREADS];
	struct thing thing;

	(void)state;
	thing_init(&thing, THREADS, 0);
	run_all(&thing, readers);
	assert_int_equal(thing.made, 1);
	for (int i = 0; i < THREADS; i++) {
		assert_int_equal(readers[i].result, 0);
		assert_int_equal(readers[i].value, 1);
	}
}

static void a_failure_is_the_answer_to_all_who_wait(void **state)
{
	struct reader readers[THREADS];
	struct thing thing;

	(void)state;
	thing_init(&thing, THREADS, EIO);
	run_all(&thing, readers);
	assert_int_equal(thing.made, 1);
	for (int i = 0; i < THREADS; i++) {
		assert_int_equal(readers[i].result, -EIO);
		assert_string_equal(readers[i].err.msg, "it failed");
	}
}

static void one_who_comes_after_a_failure_tries_again(void **state)
{
	struct reader first, second;
	struct thing thing;

	(void)state;
	thing_init(&thing, 1, EIO);
	start(&first, &thing);
	pthread_join(first.thread, NULL);
	assert_int_equal(first.result, -EIO);
	start(&second, &thing);
	pthread_join(second.thread, NULL);
	assert_int_equal(second.result, 0);
	assert_int_equal(second.value, 2);
	monitor_release(&thing.monitor);
}

static void an_interrupt_of_the_one_is_no_answer_to_the_others(void **state)
{
	struct reader readers[THREADS];
	struct thing thing;

	(void)state;
	thing_init(&thing, THREADS, EINTR);
	run_all(&thing, readers);
	assert_int_equal(thing.made, 2);
	assert_int_equal(readers[0].result, -EINTR);
	for (int i = 1; i < THREADS; i++) {
		assert_int_equal(readers[i].result, 0);
		assert_int_equal(readers[i].value, 2);
	}
}

static void one_who_waits_is_interrupted_alone(void **state)
{
	struct reader first, second;
	struct thing thing;

	(void)state;
	thing_init(&thing, 3, 0);
	start(&first, &thing);
	await_come(&thing, 1);
	start(&second, &thing);
	await_come(&thing, 2);
	task_interrupt(&second.task);
	pthread_join(second.thread, NULL);
	assert_int_equal(second.result, -EINTR);
	assert_string_equal(second.err.msg, "interrupted");
	monitor_enter(&thing.monitor);
	assert_true(thing.turn.taken);
	thing.come++;
	monitor_notify(&thing.monitor);
	monitor_leave(&thing.monitor);
	pthread_join(first.thread, NULL);
	assert_int_equal(first.result, 0);
	monitor_release(&thing.monitor);
}

static void a_turn_keeps_the_version_that_it_was_taken_with(void **state)
{
	struct monitor monitor;
	struct turn turn = {0};

	(void)state;
	monitor_init(&monitor);
	monitor_enter(&monitor);
	turn_take(&turn, 7);
	turn_end(&turn, &monitor, NULL);
	assert_int_equal(turn.version, 7);
	turn_take(&turn, 8);
	assert_int_equal(turn.version, 8);
	turn_end(&turn, &monitor, NULL);
	monitor_leave(&monitor);
	monitor_release(&monitor);
}

static void one_who_watches_sees_later_failures_only(void **state)
{
	struct monitor monitor;
	struct turn turn = {0};
	struct err failure = ERR_INIT, err = ERR_INIT;
	unsigned since;

	(void)state;
	err_set(&failure, EIO, "it failed");
	monitor_init(&monitor);
	monitor_enter(&monitor);
	turn_take(&turn, 0);
	turn_end(&turn, &monitor, &failure);
	since = turn_watch(&turn);
	assert_int_equal(turn_failed(&turn, since, &err), 0);
	turn_take(&turn, 0);
	assert_int_equal(turn_failed(&turn, since, &err), 0);
	turn_end(&turn, &monitor, &failure);
	assert_int_equal(turn_failed(&turn, since, &err), -EIO);
	assert_string_equal(err.msg, "it failed");
	/* That there is a next one already is the same to those who waited. */
	turn_take(&turn, 0);
	assert_int_equal(turn_failed(&turn, since, &err), -EIO);
	turn_end(&turn, &monitor, NULL);
	assert_int_equal(turn_failed(&turn, since, &err), 0);
	monitor_leave(&monitor);
	monitor_release(&monitor);
}

/* Names, and what threads do under each of them. */
struct names {
	struct turns *turns;
	const char *key;
	int *inside; /* by the turn of the key alone */
	struct task task;
	int result;
};

static void *take_and_end(void *arg)
{
	struct names *names = arg;

	for (int i = 0; i < ROUNDS; i++) {
		struct err err = ERR_INIT;

		names->result |= turns_take(names->turns, names->key, &err);
		if (++*names->inside != 1)
			names->result = -EBUSY;
		--*names->inside;
		turns_end(names->turns, names->key);
	}
	return NULL;
}

static void a_name_has_one_turn_at_a_time(void **state)
{
	struct err err = ERR_INIT;
	struct turns *turns = turns_new(&err);
	struct names names[THREADS];
	pthread_t threads[THREADS];
	int inside[2] = {0, 0};

	(void)state;
	assert_non_null(turns);
	for (int i = 0; i < THREADS; i++) {
		names[i] = (struct names){.turns = turns,
		    .key = i % 2 ? "odd" : "even",
		    .inside = &inside[i % 2]};
		assert_int_equal(pthread_create(&threads[i], NULL, take_and_end,
				     &names[i]),
		    0);
	}
	for (int i = 0; i < THREADS; i++) {
		pthread_join(threads[i], NULL);
		assert_int_equal(names[i].result, 0);
	}
	turns_free(turns);
}

static void names_are_not_in_the_way_of_one_another(void **state)
{
	struct err err = ERR_INIT;
	struct turns *turns = turns_new(&err);

	(void)state;
	assert_int_equal(turns_take(turns, "a", &err), 0);
	assert_int_equal(turns_take(turns, "b", &err), 0);
	turns_end(turns, "a");
	assert_int_equal(turns_take(turns, "a", &err), 0);
	turns_end(turns, "a");
	turns_end(turns, "b");
	turns_free(turns);
}

static void *take_interrupted(void *arg)
{
	struct names *names = arg;
	struct err err = ERR_INIT;

	task_begin(&names->task);
	task_interrupt(&names->task);
	names->result = turns_take(names->turns, names->key, &err);
	task_end(&names->task);
	return NULL;
}

static void an_interrupt_ends_the_wait_for_a_name(void **state)
{
	struct err err = ERR_INIT;
	struct turns *turns = turns_new(&err);
	struct names names = {.turns = turns, .key = "a"};
	pthread_t thread;

	(void)state;
	assert_int_equal(turns_take(turns, "a", &err), 0);
	assert_int_equal(pthread_create(&thread, NULL, take_interrupted,
			     &names),
	    0);
	pthread_join(thread, NULL);
	assert_int_equal(names.result, -EINTR);
	turns_end(turns, "a");
	turns_free(turns);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(one_does_it_and_the_others_have_it),
	    cmocka_unit_test(a_failure_is_the_answer_to_all_who_wait),
	    cmocka_unit_test(one_who_comes_after_a_failure_tries_again),
	    cmocka_unit_test(
		an_interrupt_of_the_one_is_no_answer_to_the_others),
	    cmocka_unit_test(one_who_waits_is_interrupted_alone),
	    cmocka_unit_test(a_turn_keeps_the_version_that_it_was_taken_with),
	    cmocka_unit_test(one_who_watches_sees_later_failures_only),
	    cmocka_unit_test(a_name_has_one_turn_at_a_time),
	    cmocka_unit_test(names_are_not_in_the_way_of_one_another),
	    cmocka_unit_test(an_interrupt_ends_the_wait_for_a_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
