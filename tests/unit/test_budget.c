/* SPDX-License-Identifier: Apache-2.0 */
/* The budget of an operation: what it has lost, and what is noted. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <semaphore.h>

#include "base/budget.h"
#include "base/pool.h"

static int setup(void **state)
{
	static struct budget budget;

	budget = (struct budget){0};
	budget_bind(&budget);
	*state = &budget;
	return 0;
}

static int teardown(void **state)
{
	budget_unbind(*state);
	return 0;
}

static struct err failure(int code, int http)
{
	struct err err = ERR_INIT;

	err_set(&err, code, "failed");
	err.http = http;
	return err;
}

static void test_lost(void **state)
{
	(void)state;
	budget_lose(3000);
	budget_lose(500);
	assert_int_equal(budget_lost(), 3500);
	budget_gain(1000);
	assert_int_equal(budget_lost(), 2500);
	budget_gain(UINT64_MAX);
	assert_int_equal(budget_lost(), 0);
}

static void test_failures_in_a_row(void **state)
{
	struct err err = failure(ECONNRESET, 0);

	(void)state;
	assert_int_equal(budget_failures("a"), 0);
	assert_int_equal(budget_failed("a", &err), 1);
	assert_int_equal(budget_failed("a", &err), 2);
	assert_int_equal(budget_failures("a"), 2);
	assert_int_equal(budget_failures("b"), 0);
	budget_got_on("b");
	assert_int_equal(budget_failures("a"), 2);
	budget_got_on("a");
	assert_int_equal(budget_failures("a"), 0);
	assert_int_equal(budget_failed("b", &err), 1);
	assert_int_equal(budget_failed("a", &err), 1);
}

static void test_notes(void **state)
{
	struct err reset = failure(ECONNRESET, 0), busy = failure(EIO, 503);
	struct err got = ERR_INIT;

	(void)state;
	assert_int_equal(budget_recall("a", &got), 0);
	budget_note("a", &reset);
	budget_note("b", &busy);
	assert_int_equal(budget_recall("a", &got), -ECONNRESET);
	assert_int_equal(budget_recall("b", &got), -EIO);
	assert_int_equal(got.http, 503);
	assert_int_equal(budget_recall("c", &got), 0);
	for (int i = 0; i < BUDGET_NOTES; i++)
		budget_note("c", &busy);
	assert_int_equal(budget_recall("a", &got), 0);
}

/* What another try could change by itself is not noted. */
static void test_not_noted(void **state)
{
	static const int codes[] = {EINTR, ENOMEM, ENOSPC, EBADMSG, ECANCELED};
	struct err got = ERR_INIT;

	(void)state;
	for (size_t i = 0; i < sizeof(codes) / sizeof(*codes); i++) {
		struct err err = failure(codes[i], 0);

		budget_note("a", &err);
		assert_int_equal(budget_recall("a", &got), 0);
	}
}

/* Others may have lost it with a budget of their own. */
static void test_waited(void **state)
{
	struct budget *budget = *state;
	struct err silent = failure(ETIMEDOUT, 0), wrong = failure(EBADMSG, 0);
	struct err got = ERR_INIT;

	budget_waited("a", budget_clock() - 3000, &wrong);
	assert_int_equal(budget_lost(), 0);
	budget_waited("a", budget_clock() - 3000, &silent);
	assert_in_range(budget_lost(), 3000, 4000);
	assert_int_equal(budget->last.code, ETIMEDOUT);
	assert_int_equal(budget_recall("a", &got), -ETIMEDOUT);
}

static void test_none(void **state)
{
	struct budget *budget = *state;
	struct err err = failure(EIO, 500), got = ERR_INIT;

	budget_unbind(budget);
	assert_null(budget_now());
	budget_lose(5);
	budget_gain(5);
	budget_be_patient();
	budget_note("a", &err);
	assert_int_equal(budget_failed("a", &err), 0);
	assert_int_equal(budget_failures("a"), 0);
	assert_int_equal(budget_recall("a", &got), 0);
	assert_int_equal(budget_lost(), 0);
	assert_false(budget_is_patient());
	budget_bind(budget);
}

struct seen {
	sem_t done;
	uint64_t lost;
	bool patient;
	int recalled;
};

static void look(void *arg)
{
	struct seen *seen = arg;
	struct err got = ERR_INIT;

	seen->lost = budget_lost();
	seen->patient = budget_is_patient();
	seen->recalled = budget_recall("a", &got);
	budget_lose(1000);
	sem_post(&seen->done);
}

/* A job goes on with what is left of the budget of who submitted it, and what
 * it loses is its own. */
static void test_jobs(void **state)
{
	struct err busy = failure(EIO, 503), err = ERR_INIT;
	CLEANUP(pool_free_p) struct pool *pool = pool_new("jobs", 1, &err);
	struct seen seen = {.lost = 0};

	(void)state;
	sem_init(&seen.done, 0, 0);
	budget_lose(700);
	budget_be_patient();
	budget_note("a", &busy);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(pool_submit(pool, look, &seen, &err), 0);
		sem_wait(&seen.done);
		assert_int_equal(seen.lost, 700);
		assert_true(seen.patient);
		assert_int_equal(seen.recalled, -EIO);
	}
	assert_int_equal(budget_lost(), 700);
	sem_destroy(&seen.done);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(test_lost),
	    TEST(test_failures_in_a_row),
	    TEST(test_notes),
	    TEST(test_not_noted),
	    TEST(test_waited),
	    TEST(test_none),
	    TEST(test_jobs),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
