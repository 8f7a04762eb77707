/* SPDX-License-Identifier: Apache-2.0 */
/* Which requests of the kernel go on with the budget of the one before. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <time.h>

#include "kernel/spent.h"

enum { THREAD = 100, TIMEOUT = 2 };

static int setup(void **state)
{
	struct err err = ERR_INIT;

	*state = spent_new(TIMEOUT, &err);
	return *state ? 0 : -1;
}

static int teardown(void **state)
{
	spent_free(*state);
	return 0;
}

static struct budget begin(struct spent *spent, pid_t thread, bool reads)
{
	struct budget budget;

	spent_begin(spent, thread, reads, &budget);
	return budget;
}

static struct budget lossy(uint64_t lost)
{
	struct budget budget = {.lost = lost};

	budget_bind(&budget);
	budget_note("it", &(struct err){ETIMEDOUT, 0, "silent"});
	budget_unbind(&budget);
	return budget;
}

static bool is_new(const struct budget *budget)
{
	return budget->lost == 0 && budget->noted == 0;
}

/* The lookups of a path. */
static void test_goes_on(void **state)
{
	struct budget spent = lossy(3000), next;

	spent_end(*state, THREAD, false, false, &spent);
	for (int i = 0; i < 3; i++) {
		next = begin(*state, THREAD, false);
		assert_int_equal(next.lost, 3000);
		assert_int_equal(next.noted, 1);
		spent_end(*state, THREAD, false, false, &next);
	}
	next = begin(*state, THREAD + 1, false);
	assert_true(is_new(&next));
}

/* What the next one needs may be there. */
static void test_something_is_left(void **state)
{
	struct budget spent = lossy(5000), next;

	spent_end(*state, THREAD, false, false, &spent);
	for (int i = 0; i < 3; i++) {
		next = begin(*state, THREAD, false);
		assert_int_equal(next.lost, 4000);
		spent_end(*state, THREAD, false, false, &next);
	}
	next = begin(*state, THREAD, false);
	next.lost = 5000;
	spent_end(*state, THREAD, false, false, &next);
	/* It failed, too. */
	next = begin(*state, THREAD, false);
	assert_int_equal(next.lost, 4000);
	next.lost = 5000;
	spent_end(*state, THREAD, false, false, &next);
	next = begin(*state, THREAD, false);
	assert_int_equal(next.lost, 5000);
}

static void test_ends_by_failure(void **state)
{
	struct budget spent = lossy(3000), next;

	spent_end(*state, THREAD, false, false, &spent);
	spent_end(*state, THREAD, false, true, &spent);
	next = begin(*state, THREAD, false);
	assert_true(is_new(&next));
}

/* The kernel's second read, and then the program's next call. */
static void test_read_again(void **state)
{
	struct budget spent = lossy(3000), next;

	spent_end(*state, THREAD, true, true, &spent);
	next = begin(*state, THREAD, true);
	assert_int_equal(next.noted, 1);
	spent_end(*state, THREAD, true, true, &next);
	next = begin(*state, THREAD, true);
	assert_true(is_new(&next));
}

static void test_opened_again(void **state)
{
	struct budget spent = lossy(3000), next;

	spent_end(*state, THREAD, true, true, &spent);
	next = begin(*state, THREAD, false);
	assert_true(is_new(&next));
	next = begin(*state, THREAD, true);
	assert_true(is_new(&next));
}

/* A lookup that passed over it, two reads that failed by it. */
static void test_looked_up_and_read(void **state)
{
	struct budget spent = lossy(3000), next;

	spent_end(*state, THREAD, false, false, &spent);
	for (int i = 0; i < 2; i++) {
		next = begin(*state, THREAD, true);
		assert_int_equal(next.noted, 1);
		spent_end(*state, THREAD, true, true, &next);
	}
	next = begin(*state, THREAD, true);
	assert_true(is_new(&next));
}

/* A program that tries for ever gets through when the server is back. */
static void test_is_forgotten(void **state)
{
	const struct timespec step = {.tv_nsec = 100 * 1000 * 1000};
	struct budget spent = lossy(3000), next;
	int steps = 0;

	spent_end(*state, THREAD, false, false, &spent);
	do {
		nanosleep(&step, NULL);
		next = begin(*state, THREAD, false);
		if (!is_new(&next))
			spent_end(*state, THREAD, false, false, &next);
	} while (!is_new(&next) && ++steps < 100);
	assert_in_range(steps, 8, 60);
}

/* There is a place for each, whatever came before. */
static void test_many(void **state)
{
	struct budget spent = lossy(3000), next;

	for (pid_t thread = 1; thread < 1000; thread++)
		spent_end(*state, thread, false, false, &spent);
	next = begin(*state, 999, false);
	assert_int_equal(next.lost, 3000);
	next = begin(*state, 1, false);
	assert_true(is_new(&next));
	spent_end(*state, 0, false, false, &spent);
	next = begin(*state, 0, false);
	assert_true(is_new(&next));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(test_goes_on),
	    TEST(test_something_is_left),
	    TEST(test_ends_by_failure),
	    TEST(test_read_again),
	    TEST(test_opened_again),
	    TEST(test_looked_up_and_read),
	    TEST(test_is_forgotten),
	    TEST(test_many),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
