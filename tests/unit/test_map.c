/* SPDX-License-Identifier: Apache-2.0 */
/* The map, compared with a plain array after many random changes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "base/map.h"

enum { KEYS = 500, CHANGES = 20000 };

static void an_empty_map_has_nothing(void **state)
{
	CLEANUP(map_release) struct map map = MAP_INIT;

	(void)state;
	assert_null(map_get(&map, "a"));
	assert_null(map_del(&map, "a"));
	map_foreach (&map, slot)
		fail_msg("a slot in an empty map: %s", slot->key);
}

static void put_get_replace_delete(void **state)
{
	CLEANUP(map_release) struct map map = MAP_INIT;
	char key[] = "library/alpine";
	int one, two;

	(void)state;
	assert_int_equal(map_put(&map, key, &one), 0);
	assert_int_equal(map_put(&map, "", &two), 0);
	key[0] = 'X';
	assert_null(map_get(&map, key));
	assert_ptr_equal(map_get(&map, "library/alpine"), &one);
	assert_ptr_equal(map_get(&map, ""), &two);
	assert_int_equal(map_put(&map, "library/alpine", &two), 0);
	assert_int_equal(map.count, 2);
	assert_ptr_equal(map_del(&map, "library/alpine"), &two);
	assert_null(map_get(&map, "library/alpine"));
	assert_null(map_del(&map, "library/alpine"));
	assert_int_equal(map.count, 1);
}

static void keys_that_differ_in_one_byte(void **state)
{
	CLEANUP(map_release) struct map map = MAP_INIT;
	char key[40];
	int values[39];

	(void)state;
	for (size_t i = 0; i < 39; i++) {
		memset(key, 'a', sizeof(key));
		key[39] = '\0';
		key[i] = 'b';
		assert_int_equal(map_put(&map, key, &values[i]), 0);
	}
	assert_int_equal(map.count, 39);
	for (size_t i = 0; i < 39; i++) {
		memset(key, 'a', sizeof(key));
		key[39] = '\0';
		key[i] = 'b';
		assert_ptr_equal(map_get(&map, key), &values[i]);
	}
}

static void key_of(size_t i, char key[32])
{
	snprintf(key, 32, "repo/%zu", i * 7919);
}

/* The map has exactly the keys that are expected, each once. */
static void assert_same(const struct map *map, void *const expected[KEYS])
{
	size_t count = 0, walked = 0;
	char key[32];

	for (size_t i = 0; i < KEYS; i++) {
		key_of(i, key);
		assert_ptr_equal(map_get(map, key), expected[i]);
		count += expected[i] != NULL;
	}
	map_foreach (map, slot) {
		assert_ptr_equal(map_get(map, slot->key), slot->value);
		walked++;
	}
	assert_int_equal(map->count, count);
	assert_int_equal(walked, count);
}

static void many_changes(void **state)
{
	CLEANUP(map_release) struct map map = MAP_INIT;
	void *expected[KEYS] = {NULL};
	uint32_t random = 1;
	char key[32];

	(void)state;
	for (size_t n = 0; n < CHANGES; n++) {
		size_t i;

		random = random * 1664525 + 1013904223;
		i = (random >> 8) % KEYS;
		key_of(i, key);
		/* It grows for a while, then shrinks, and again. */
		if (random >> 28 < (n / 2500 % 2 ? 5U : 11U)) {
			expected[i] = &expected[random >> 8 & 0xff];
			assert_int_equal(map_put(&map, key, expected[i]), 0);
		} else {
			assert_ptr_equal(map_del(&map, key), expected[i]);
			expected[i] = NULL;
		}
		if (n % 500 == 0)
			assert_same(&map, expected);
	}
	assert_same(&map, expected);
	for (size_t i = 0; i < KEYS; i++) {
		key_of(i, key);
		assert_ptr_equal(map_del(&map, key), expected[i]);
	}
	assert_int_equal(map.count, 0);
}

static void can_be_used_after_release(void **state)
{
	struct map map = MAP_INIT;

	(void)state;
	map_release(&map);
	assert_int_equal(map_put(&map, "a", &map), 0);
	map_release(&map);
	assert_null(map_get(&map, "a"));
	assert_int_equal(map_put(&map, "b", &map), 0);
	map_release(&map);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(an_empty_map_has_nothing),
	    cmocka_unit_test(put_get_replace_delete),
	    cmocka_unit_test(keys_that_differ_in_one_byte),
	    cmocka_unit_test(many_changes),
	    cmocka_unit_test(can_be_used_after_release),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
