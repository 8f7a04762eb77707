/* SPDX-License-Identifier: Apache-2.0 */
/* Authorization values that threads share. */
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "creds/secret.h"
#include "session/grants.h"

static const struct err no_error = ERR_INIT;

static int setup(void **state)
{
	*state = malloc(sizeof(struct grants));
	grants_init(*state);
	return 0;
}

static int teardown(void **state)
{
	grants_release(*state);
	free(*state);
	return 0;
}

static void put(struct grants *grants, const char *scope, const char *text,
    uint64_t lifetime)
{
	struct err err = ERR_INIT;
	char *value = NULL;
	int r = grants_begin(grants, scope, NULL, 0, &value, &err);

	assert_int_equal(r, 0);
	grants_end(grants, scope, text, lifetime, &no_error);
}

/* Asserts what is there; NULL: nothing. */
static void assert_has(struct grants *grants, const char *scope,
    const char *want)
{
	AUTO_SECRET char *value = NULL;
	struct err err = ERR_INIT;

	assert_int_equal(grants_peek(grants, scope, 0, &value, &err), 0);
	if (!want) {
		assert_null(value);
		return;
	}
	assert_non_null(value);
	assert_string_equal(value, want);
}

static void kept_by_scope(void **state)
{
	AUTO_SECRET char *value = NULL;
	struct err err = ERR_INIT;

	put(*state, "a", "A", 300);
	put(*state, "b", "B", GRANT_FOREVER);
	assert_has(*state, "a", "A");
	assert_has(*state, "b", "B");
	assert_has(*state, "c", NULL);
	assert_int_equal(grants_begin(*state, "a", NULL, 0, &value, &err), 1);
	assert_string_equal(value, "A");
}

static void lifetimes_end(void **state)
{
	put(*state, "a", "A", 0);
	assert_has(*state, "a", NULL);
	/* What ends in a moment has ended. */
	put(*state, "b", "B", 11);
	assert_has(*state, "b", "B");
	put(*state, "c", "C", 5);
	assert_has(*state, "c", "C");
}

static void refused_is_obtained_anew(void **state)
{
	AUTO_SECRET char *value = NULL;
	struct err err = ERR_INIT;

	put(*state, "a", "old", 300);
	/* Somebody else's refused value is not this one. */
	assert_int_equal(grants_begin(*state, "a", "older", 0, &value, &err),
	    1);
	assert_int_equal(grants_begin(*state, "a", "old", 0, &value, &err), 0);
	grants_end(*state, "a", "new", 300, &no_error);
	assert_has(*state, "a", "new");
}

/* Each scope by itself, and what nobody has obtained since is not valid. */
static void credentials_that_change(void **state)
{
	AUTO_SECRET char *value = NULL, *other = NULL, *peeked = NULL;
	struct err err = ERR_INIT;

	put(*state, "a", "A", GRANT_FOREVER);
	put(*state, "b", "B", GRANT_FOREVER);
	assert_int_equal(grants_begin(*state, "a", NULL, 1, &value, &err), 0);
	grants_end(*state, "a", "A1", GRANT_FOREVER, &no_error);
	assert_int_equal(grants_peek(*state, "b", 1, &peeked, &err), 0);
	assert_null(peeked);
	/* Who has looked before that need not obtain the old one again. */
	assert_int_equal(grants_begin(*state, "a", NULL, 0, &value, &err), 1);
	assert_string_equal(value, "A1");
	assert_int_equal(grants_begin(*state, "a", NULL, 1, &other, &err), 1);
	assert_string_equal(other, "A1");
	assert_int_equal(grants_begin(*state, "b", NULL, 1, &other, &err), 0);
	grants_end(*state, "b", NULL, 0, &no_error);
}

static void failure_leaves_nothing(void **state)
{
	struct err err = ERR_INIT, failure = ERR_INIT;
	char *value = NULL;

	err_set(&failure, EACCES, "no");
	put(*state, "a", "old", 300);
	assert_int_equal(grants_begin(*state, "a", "old", 0, &value, &err), 0);
	grants_end(*state, "a", NULL, 0, &failure);
	assert_has(*state, "a", NULL);
	/* The next one tries itself. */
	assert_int_equal(grants_begin(*state, "a", NULL, 0, &value, &err), 0);
	grants_end(*state, "a", "new", 300, &no_error);
	assert_has(*state, "a", "new");
}

static void oldest_makes_room(void **state)
{
	char scope[16];

	for (int i = 0; i < GRANTS_MAX; i++) {
		snprintf(scope, sizeof(scope), "%d", i);
		put(*state, scope, scope, 300);
	}
	assert_has(*state, "0", "0");
	put(*state, "more", "more", 300);
	assert_has(*state, "0", "0");
	assert_has(*state, "1", NULL);
	assert_has(*state, "more", "more");
}

enum { THREADS = 8 };

struct crowd {
	struct grants *grants;
	struct err outcome; /* what the one that obtains it gets */
	atomic_uint obtained, got, failed;
	pthread_barrier_t start;
};

static unsigned waiting(struct grants *grants)
{
	unsigned count = 0;

	monitor_enter(&grants->monitor);
	for (size_t i = 0; i < GRANTS_MAX; i++)
		count += grants->slots[i].waiting;
	monitor_leave(&grants->monitor);
	return count;
}

static void *ask(void *arg)
{
	struct crowd *crowd = arg;
	AUTO_SECRET char *value = NULL;
	struct err err = ERR_INIT;
	bool fails = crowd->outcome.code != 0;
	int r;

	pthread_barrier_wait(&crowd->start);
	r = grants_begin(crowd->grants, "a", NULL, 0, &value, &err);
	if (r == 0) {
		/* Until all others wait for us. */
		while (waiting(crowd->grants) < THREADS - 1)
			sched_yield();
		atomic_fetch_add(&crowd->obtained, 1);
		grants_end(crowd->grants, "a", fails ? NULL : "A", 300,
		    &crowd->outcome);
	} else if (r == 1 && strcmp(value, "A") == 0) {
		atomic_fetch_add(&crowd->got, 1);
	} else if (r == -EACCES && strcmp(err.msg, "no") == 0) {
		atomic_fetch_add(&crowd->failed, 1);
	}
	return NULL;
}

static void run_crowd(struct crowd *crowd)
{
	pthread_t threads[THREADS];

	pthread_barrier_init(&crowd->start, NULL, THREADS);
	for (int i = 0; i < THREADS; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, ask, crowd),
		    0);
	for (int i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	pthread_barrier_destroy(&crowd->start);
}

static void one_asks_for_all(void **state)
{
	struct crowd crowd = {.grants = *state};

	run_crowd(&crowd);
	assert_int_equal(crowd.obtained, 1);
	assert_int_equal(crowd.got, THREADS - 1);
}

static void one_fails_for_all(void **state)
{
	struct crowd crowd = {.grants = *state};

	err_set(&crowd.outcome, EACCES, "no");
	run_crowd(&crowd);
	assert_int_equal(crowd.obtained, 1);
	assert_int_equal(crowd.failed, THREADS - 1);
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(kept_by_scope),
	    TEST(lifetimes_end),
	    TEST(refused_is_obtained_anew),
	    TEST(credentials_that_change),
	    TEST(failure_leaves_nothing),
	    TEST(oldest_makes_room),
	    TEST(one_asks_for_all),
	    TEST(one_fails_for_all),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
