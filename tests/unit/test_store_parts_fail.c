/* SPDX-License-Identifier: Apache-2.0 */
/* Parts of blobs whose sources fail, ignore ranges or lose their readers. */
#include "parts_fixture.h"

enum { BREAK = 3 * BLOCK + 1003, CALLS_WITHOUT_PROGRESS = 3 };

static void a_broken_transfer_is_continued(void **state)
{
	struct fixture *f = *state;
	struct parts *parts = get_parts(f);

	f->origin.break_at = BREAK;
	f->origin.failing_then = CALLS_WITHOUT_PROGRESS - 1;
	assert_reads(f, parts, BLOCK, 6 * BLOCK, 0);
	assert_int_equal(f->origin.calls, CALLS_WITHOUT_PROGRESS + 1);
	for (unsigned i = 1; i <= CALLS_WITHOUT_PROGRESS; i++)
		assert_asked(f, i, BREAK, 7 * BLOCK - BREAK);
	parts_put(parts);
}

static void a_failure_is_its_readers_alone(void **state)
{
	struct fixture *f = *state;
	struct err err = ERR_INIT;
	struct reader before, behind;
	struct parts *parts = get_parts(f);

	/* One waits in the window, one for what comes before it breaks, and
	 * one in a window of its own. */
	f->origin.break_at = BREAK;
	f->origin.failing_then = CALLS_WITHOUT_PROGRESS;
	f->origin.failure = EHOSTUNREACH;
	origin_open_gate(&f->origin, 0);
	reader_start(&before, f, parts, 0, 3 * BLOCK, 6 * BLOCK);
	origin_await_calls(&f->origin, 1);
	reader_start(&behind, f, parts, 4 * BLOCK, 1, 0);
	origin_open_gate(&f->origin, SIZE_MAX);
	assert_int_equal(reader_end(&before), 0);
	/* It may have come after the failure; then it asked anew. */
	if (reader_end(&behind) < 0)
		assert_int_equal(behind.result, -EHOSTUNREACH);
	origin_await_returns(&f->origin, 1 + CALLS_WITHOUT_PROGRESS);
	assert_reads(f, parts, 3 * BLOCK, BLOCK, 0);
	assert_int_equal(read_part(parts, &f->content, 0, 1, 0, &err), 0);
	parts_put(parts);
}

static void without_progress_the_failure_is_the_readers(void **state)
{
	struct fixture *f = *state;
	struct err err = ERR_INIT;
	struct parts *parts = get_parts(f);

	f->origin.break_at = BREAK;
	f->origin.failing_then = CALLS_WITHOUT_PROGRESS;
	f->origin.failure = EHOSTUNREACH;
	assert_int_equal(read_part(parts, &f->content, 0, 5 * BLOCK, 0, &err),
	    -EHOSTUNREACH);
	assert_string_equal(err.msg, "the origin is away");
	assert_int_equal(f->origin.calls, 1 + CALLS_WITHOUT_PROGRESS);
	assert_int_equal(parts_cached(parts), 3 * BLOCK);

	/* Whole blocks that had arrived are not transferred again. */
	assert_reads(f, parts, 0, 5 * BLOCK, 0);
	assert_asked(f, 1 + CALLS_WITHOUT_PROGRESS, 3 * BLOCK, 2 * BLOCK);
	parts_put(parts);
}

static void a_definite_answer_is_not_asked_for_again(void **state)
{
	static const int answers[] = {ENOENT, EACCES, EPERM};
	static const int told[] = {ENOLINK, EACCES, EPERM};
	struct fixture *f = *state;
	struct err err = ERR_INIT;
	struct parts *parts = get_parts(f);

	for (unsigned i = 0; i < 3; i++) {
		f->origin.failure = answers[i];
		f->origin.failing = 1;
		assert_int_equal(read_part(parts, &f->content, 0, 1, 0, &err),
		    -told[i]);
		assert_int_equal(f->origin.calls, i + 1);
	}
	parts_put(parts);
}

static void another_repository_may_have_it(void **state)
{
	struct fixture *f = *state;
	struct origin without;
	struct parts *first, *second;

	origin_init(&without, &f->content);
	without.failing = UINT32_MAX;
	without.failure = ENOENT;
	first = parts_from(f->store, &f->content, &without);
	second = get_parts(f);
	assert_reads(f, first, 0, 1, 0);
	assert_int_equal(without.calls, 1);
	assert_int_equal(f->origin.calls, 1);
	parts_put(first);
	parts_put(second);
	store_fixture_close(f);
	assert_int_equal(without.released, 1);
	assert_int_equal(f->origin.released, 1);
}

static void more_than_the_window_is_not_taken(void **state)
{
	struct fixture *f = *state;
	struct parts *parts = get_parts(f);

	f->origin.to_end = true;
	assert_reads(f, parts, BLOCK, 1, 4 * BLOCK);
	origin_await_returns(&f->origin, 1);
	/* Another piece had to come, to be refused. */
	assert_int_equal(f->origin.sent, 4 * BLOCK + PIECE);
	assert_reads(f, parts, BLOCK, 4 * BLOCK, 0);
	assert_int_equal(f->origin.calls, 1);
	assert_int_equal(parts_cached(parts), 4 * BLOCK);
	parts_put(parts);
}

/* The source's pieces do not end where the window does. */
static void a_window_ends_inside_a_piece(void **state)
{
	struct fixture *f = *state;
	struct parts *parts = get_parts(f);

	f->origin.to_end = true;
	f->origin.break_at = BREAK;
	assert_reads(f, parts, 0, 1, 6 * BLOCK);
	assert_reads(f, parts, 0, 6 * BLOCK, 0);
	assert_int_equal(f->origin.calls, 2);
	assert_int_equal(parts_cached(parts), 6 * BLOCK);
	parts_put(parts);
}

static void too_few_bytes_are_an_error(void **state)
{
	struct fixture *f = *state;
	struct err err = ERR_INIT;
	struct parts *parts = get_parts(f);

	f->origin.size = BLOB_SIZE - 5;
	assert_int_equal(read_part(parts, &f->content, BLOB_SIZE - 9, 9, 0,
			     &err),
	    -EBADMSG);
	assert_non_null(strstr(err.msg, "ends after"));
	assert_int_equal(f->origin.calls, 1 + CALLS_WITHOUT_PROGRESS);
	f->origin.size = BLOB_SIZE;
	assert_reads(f, parts, BLOB_SIZE - 9, 9, 0);
	parts_put(parts);
}

static void a_window_that_nobody_wants_stops(void **state)
{
	struct fixture *f = *state;
	struct parts *parts = get_parts(f);

	origin_open_gate(&f->origin, BLOCK);
	assert_reads(f, parts, 0, 1, 16 * BLOCK);
	parts_put(parts);
	origin_open_gate(&f->origin, SIZE_MAX);
	origin_await_returns(&f->origin, 1);
	assert_int_equal(f->origin.sent, BLOCK + PIECE);

	/* Who comes just then is not told of that. */
	parts = get_parts(f);
	assert_reads(f, parts, 0, 4 * BLOCK, 0);
	assert_asked(f, 1, BLOCK, 3 * BLOCK);
	parts_put(parts);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    STORE_TEST(a_broken_transfer_is_continued),
	    STORE_TEST(a_failure_is_its_readers_alone),
	    STORE_TEST(without_progress_the_failure_is_the_readers),
	    STORE_TEST(a_definite_answer_is_not_asked_for_again),
	    STORE_TEST(another_repository_may_have_it),
	    STORE_TEST(more_than_the_window_is_not_taken),
	    STORE_TEST(a_window_ends_inside_a_piece),
	    STORE_TEST(too_few_bytes_are_an_error),
	    STORE_TEST(a_window_that_nobody_wants_stops),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
