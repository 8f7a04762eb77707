/* SPDX-License-Identifier: Apache-2.0 */
/* When a transfer has stalled, and what of its time was lost. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "engine/pace.h"

enum { BEGIN = 1000000, RATE = 1000 };

static struct pace begin(uint64_t patience, uint64_t allowance)
{
	struct pace pace = {.patience = patience,
	    .rate = RATE,
	    .allowance = allowance};

	pace_start(&pace, BEGIN);
	return pace;
}

/* The ms after which it has stalled, where so many bytes come each 100 ms. */
static uint64_t stalls_after(struct pace *pace, uint64_t bytes)
{
	uint64_t ms = 0, moved = pace->bytes;

	do {
		ms += 100;
		moved += bytes;
	} while (pace_go_on(pace, moved, BEGIN + ms) && ms < 1000000);
	return ms;
}

static void test_silence(void **state)
{
	struct pace pace = begin(5000, 15000);

	(void)state;
	assert_int_equal(pace_left(&pace), 5000);
	assert_int_equal(stalls_after(&pace, 0), 5000);
	assert_int_equal(pace_lost(&pace), 5000);
}

/* A byte pays for its millisecond, and no more. */
static void test_drip(void **state)
{
	struct pace pace = begin(5000, 15000);

	(void)state;
	assert_in_range(stalls_after(&pace, 1), 5000, 5200);
	pace = begin(5000, 60000);
	assert_in_range(stalls_after(&pace, 50), 9000, 11000);
}

static void test_minimum_rate(void **state)
{
	struct pace pace = begin(5000, 15000);

	(void)state;
	assert_int_equal(stalls_after(&pace, 100), 1000000);
	assert_int_equal(pace_lost(&pace), 0);
}

/* However much came before, it does not pay for a longer silence. */
static void test_burst(void **state)
{
	struct pace pace = begin(5000, 15000);

	(void)state;
	assert_true(pace_go_on(&pace, 100000000, BEGIN + 10));
	assert_int_equal(stalls_after(&pace, 0), 5000 + 100);
	assert_in_range(pace_lost(&pace), 4900, 5100);
}

/* What the operation may lose ends it before its own patience does. */
static void test_allowance(void **state)
{
	struct pace pace = begin(5000, 2000);

	(void)state;
	assert_int_equal(pace_left(&pace), 2000);
	assert_int_equal(stalls_after(&pace, 0), 2000);
}

/* Nobody waits for the server while the reader takes nothing. */
static void test_standing(void **state)
{
	struct pace pace = begin(5000, 15000);

	(void)state;
	pace_stop(&pace, 0, BEGIN + 3000);
	assert_int_equal(pace_left(&pace), UINT64_MAX);
	assert_true(pace_go_on(&pace, 0, BEGIN + 900000));
	pace_start(&pace, BEGIN + 900000);
	assert_true(pace_go_on(&pace, 0, BEGIN + 904900));
	assert_false(pace_go_on(&pace, 0, BEGIN + 905000));
	assert_int_equal(pace_lost(&pace), 8000);
}

static void test_pays_back(void **state)
{
	struct pace pace = begin(5000, 15000);

	(void)state;
	assert_true(pace_go_on(&pace, 0, BEGIN + 4000));
	assert_int_equal(pace_lost(&pace), 4000);
	assert_true(pace_go_on(&pace, 3000, BEGIN + 7000));
	assert_int_equal(pace_lost(&pace), 1000);
}

/* What moved before pays for nothing after, nor does what moves then. */
static void test_bounded(void **state)
{
	struct pace pace = begin(5000, 15000);

	(void)state;
	assert_true(pace_go_on(&pace, 100000, BEGIN + 100000));
	pace_bound(&pace, 101000, BEGIN + 101000);
	assert_int_equal(pace_lost(&pace), 0);
	assert_true(pace_go_on(&pace, 1000000, BEGIN + 101000 + 4000));
	assert_int_equal(pace_lost(&pace), 4000);
	assert_int_equal(pace_beyond(&pace), 0);
	assert_true(pace_go_on(&pace, 2000000, BEGIN + 101000 + 8000));
	assert_int_equal(pace_beyond(&pace), 3000);
	assert_int_equal(pace.good, 101000);
	assert_true(pace_go_on(&pace, 3000000, BEGIN + 101000 + 12000));
	assert_int_equal(pace_left(&pace), 3000);
	assert_false(pace_go_on(&pace, 4000000, BEGIN + 101000 + 15000));
}

/* A document that stops has stalled as any other body. */
static void test_bounded_silence(void **state)
{
	struct pace pace = begin(5000, 15000);

	(void)state;
	pace_bound(&pace, 0, BEGIN);
	assert_int_equal(stalls_after(&pace, 0), 5000);
}

static void test_huge_numbers(void **state)
{
	struct pace pace = begin(3600000, UINT64_MAX);

	(void)state;
	assert_true(pace_go_on(&pace, UINT64_MAX, BEGIN + 10));
	assert_int_equal(pace_left(&pace), 3600000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_silence),
	    cmocka_unit_test(test_drip),
	    cmocka_unit_test(test_minimum_rate),
	    cmocka_unit_test(test_burst),
	    cmocka_unit_test(test_allowance),
	    cmocka_unit_test(test_standing),
	    cmocka_unit_test(test_pays_back),
	    cmocka_unit_test(test_bounded),
	    cmocka_unit_test(test_bounded_silence),
	    cmocka_unit_test(test_huge_numbers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
