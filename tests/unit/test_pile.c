/* SPDX-License-Identifier: Apache-2.0 */
/* Piles, small and large. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <string.h>

#include "index/pile.h"

enum {
	COUNT = 3 << 20, /* of numbers: more than is kept in memory */
	FEW = 1000,
	LIMIT = 64 << 20,
};

static void fill(struct pile *pile, uint32_t count)
{
	struct err err = ERR_INIT;
	size_t at;

	for (uint32_t i = 0; i < count; i++) {
		uint32_t number = i * 7;

		assert_int_equal(pile_add(pile, &number, sizeof(number), &at,
				     &err),
		    0);
		assert_int_equal(at, i * sizeof(number));
	}
}

static uint32_t *number_at(struct pile *pile, uint32_t i)
{
	return pile_at(pile, i * sizeof(uint32_t), sizeof(uint32_t));
}

/* Reads all, in an order in which no two are neighbours, and changes them. */
static void check(struct pile *pile, uint32_t count)
{
	enum { STEP = 1009 }; /* a prime, and no divisor of either count */

	for (uint32_t i = 0, at = 0; i < count; i++) {
		uint32_t *number = number_at(pile, at);

		assert_int_equal(*number, at * 7);
		*number = at;
		at = (at + STEP) % count;
	}
	for (uint32_t i = 0; i < count; i++)
		assert_int_equal(*number_at(pile, i), i);
}

static void test_it_keeps_what_it_was_given(void **state)
{
	const uint32_t counts[] = {1, FEW, COUNT};

	(void)state;
	for (size_t i = 0; i < sizeof(counts) / sizeof(*counts); i++) {
		struct pile pile;

		pile_init(&pile, "/tmp", LIMIT);
		fill(&pile, counts[i]);
		assert_int_equal(pile.fd >= 0, counts[i] == COUNT);
		check(&pile, counts[i]);
		pile_release(&pile);
	}
}

/* One piece that is more than is kept in memory. */
static void test_a_large_piece(void **state)
{
	static char data[9 << 20];
	struct err err = ERR_INIT;
	struct pile pile;
	size_t at;

	(void)state;
	pile_init(&pile, "/tmp", LIMIT);
	assert_int_equal(pile_add(&pile, "first", 5, &at, &err), 0);
	memset(data, 'x', sizeof(data));
	assert_int_equal(pile_add(&pile, data, sizeof(data), &at, &err), 0);
	assert_int_equal(at, 5);
	assert_memory_equal(pile_at(&pile, 0, 5), "first", 5);
	assert_memory_equal(pile_at(&pile, at, sizeof(data)), data,
	    sizeof(data));
	pile_release(&pile);
}

static void test_limit(void **state)
{
	struct err err = ERR_INIT;
	struct pile pile;
	size_t at;

	(void)state;
	pile_init(&pile, "/tmp", 10);
	assert_int_equal(pile_add(&pile, "12345678", 8, &at, &err), 0);
	assert_int_equal(pile_add(&pile, "123", 3, &at, &err), -EFBIG);
	assert_int_equal(pile_add(&pile, "90", 2, &at, &err), 0);
	pile_release(&pile);
}

/* Memory takes the place of files that cannot be had, as long as there is some
 * of that. What a pile has stays as it is. */
static void test_no_file(void **state)
{
	static const char data[5 << 20];
	struct err err = ERR_INIT;
	struct pile piles[4];
	size_t at;
	int r = 0;

	(void)state;
	for (int i = 0; i < 4; i++) {
		pile_init(&piles[i], "/nowhere", LIMIT);
		fill(&piles[i], FEW);
		assert_int_equal(r, 0);
		r = pile_add(&piles[i], data, sizeof(data), &at, &err);
	}
	assert_int_equal(r, -EIO);
	assert_non_null(strstr(err.msg, "/nowhere"));
	pile_release(&piles[0]);
	err = (struct err)ERR_INIT;
	assert_int_equal(pile_add(&piles[3], data, sizeof(data), &at, &err), 0);
	for (int i = 1; i < 4; i++)
		check(&piles[i], FEW);
	for (int i = 1; i < 4; i++)
		pile_release(&piles[i]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_it_keeps_what_it_was_given),
	    cmocka_unit_test(test_a_large_piece),
	    cmocka_unit_test(test_limit),
	    cmocka_unit_test(test_no_file),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
