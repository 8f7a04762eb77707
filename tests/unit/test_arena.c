/* SPDX-License-Identifier: Apache-2.0 */
/* The arena: pieces are zeroed, aligned, apart, and all freed at once. */
#include <setjmp.h>
#include <stdalign.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/arena.h"

static void assert_zero(const unsigned char *data, size_t size)
{
	for (size_t i = 0; i < size; i++)
		assert_int_equal(data[i], 0);
}

static void pieces_are_zeroed_aligned_and_apart(void **state)
{
	CLEANUP(arena_release) struct arena arena = ARENA_INIT;
	unsigned char *pieces[300];

	(void)state;
	for (size_t i = 0; i < 300; i++) {
		pieces[i] = arena_alloc(&arena, i);
		assert_non_null(pieces[i]);
		assert_int_equal((uintptr_t)pieces[i] % alignof(max_align_t),
		    0);
		assert_zero(pieces[i], i);
		memset(pieces[i], (int)(i % 255 + 1), i);
	}
	for (size_t i = 0; i < 300; i++)
		for (size_t j = 0; j < i; j++)
			assert_int_equal(pieces[i][j], i % 255 + 1);
}

static void empty_pieces_differ(void **state)
{
	CLEANUP(arena_release) struct arena arena = ARENA_INIT;

	(void)state;
	assert_ptr_not_equal(arena_alloc(&arena, 0), arena_alloc(&arena, 0));
}

static void a_large_piece_leaves_the_chunk_in_use(void **state)
{
	CLEANUP(arena_release) struct arena arena = ARENA_INIT;
	char *before = arena_alloc(&arena, 16);
	unsigned char *large = arena_alloc(&arena, 1 << 20);
	char *after = arena_alloc(&arena, 16);

	(void)state;
	assert_non_null(large);
	assert_zero(large, 1 << 20);
	assert_ptr_equal(after, before + 16);
}

static void a_large_first_piece(void **state)
{
	CLEANUP(arena_release) struct arena arena = ARENA_INIT;
	unsigned char *large = arena_alloc(&arena, 1 << 20);

	(void)state;
	assert_non_null(large);
	assert_zero(large, 1 << 20);
	assert_non_null(arena_alloc(&arena, 1));
}

static void sizes_that_overflow_are_refused(void **state)
{
	CLEANUP(arena_release) struct arena arena = ARENA_INIT;

	(void)state;
	assert_null(arena_alloc(&arena, SIZE_MAX));
	assert_null(arena_alloc(&arena, SIZE_MAX - 16));
	assert_null(arena_array(&arena, SIZE_MAX / 2, 3));
	assert_null(arena_strndup(&arena, "", SIZE_MAX));
	assert_non_null(arena_array(&arena, 3, 5));
}

static void strings_are_copied(void **state)
{
	CLEANUP(arena_release) struct arena arena = ARENA_INIT;
	char text[] = "alpine";
	char *whole = arena_strdup(&arena, text);
	char *part = arena_strndup(&arena, text, 3);

	(void)state;
	text[0] = 'X';
	assert_string_equal(whole, "alpine");
	assert_string_equal(part, "alp");
	assert_string_equal(arena_strndup(&arena, NULL, 0), "");
}

static void can_be_used_after_release(void **state)
{
	struct arena arena = ARENA_INIT;

	(void)state;
	arena_release(&arena);
	assert_non_null(arena_alloc(&arena, 1));
	arena_release(&arena);
	assert_non_null(arena_strdup(&arena, "again"));
	arena_release(&arena);
	assert_null(arena.chunks);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(pieces_are_zeroed_aligned_and_apart),
	    cmocka_unit_test(empty_pieces_differ),
	    cmocka_unit_test(a_large_piece_leaves_the_chunk_in_use),
	    cmocka_unit_test(a_large_first_piece),
	    cmocka_unit_test(sizes_that_overflow_are_refused),
	    cmocka_unit_test(strings_are_copied),
	    cmocka_unit_test(can_be_used_after_release),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
