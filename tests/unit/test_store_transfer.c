/* SPDX-License-Identifier: Apache-2.0 */
/* Transfers that go wrong, and what readers and the next transfer see of it. */
#include "store_fixture.h"

enum { BREAK = 700 * 1024 + 3, CALLS_WITHOUT_PROGRESS = 3 };

/* Another blob of the same size: what a broken or hostile server might send. */
static void send_wrong_bytes(struct fixture *f, struct content *wrong)
{
	content_init(wrong, BLOB_SIZE, 99);
	f->origin.bytes = wrong->bytes;
}

static void a_wrong_digest_fails_the_readers(void **state)
{
	struct fixture *f = *state;
	char wanted[DIGEST_TEXT_SIZE], got[DIGEST_TEXT_SIZE], path[512];
	struct err err = ERR_INIT;
	struct store_stats stats;
	struct content wrong;
	struct blob *blob = get(f);

	send_wrong_bytes(f, &wrong);
	assert_int_equal(read_at(blob, BLOB_SIZE - 1, &err), -EBADMSG);
	assert_non_null(
	    strstr(err.msg, digest_format(&f->content.digest, wanted)));
	assert_non_null(strstr(err.msg, digest_format(&wrong.digest, got)));
	assert_false(blob_verified(blob));
	assert_false(file_exists(partial_path(f, path)));
	assert_false(file_exists(whole_path(f, path)));
	store_stats(f->store, &stats);
	assert_int_equal(stats.mismatches, 1);

	/* A later read tries afresh. */
	f->origin.bytes = f->content.bytes;
	assert_reads_all(blob, &f->content);
	assert_int_equal(f->origin.calls, 2);
	assert_int_equal(f->origin.offsets[1], 0);
	blob_put(blob);
	content_release(&wrong);
}

/* Another server of the source has it. */
static void wrong_bytes_come_from_elsewhere(void **state)
{
	struct fixture *f = *state;
	struct err err = ERR_INIT;
	struct store_stats stats;
	struct content wrong;
	struct blob *blob = get(f);

	send_wrong_bytes(f, &wrong);
	f->origin.others = f->content.bytes;
	/* Who waits for the end does not learn of it. */
	assert_int_equal(read_at(blob, BLOB_SIZE - 1, &err), 1);
	assert_reads_all(blob, &f->content);
	assert_int_equal(f->origin.calls, 2);
	assert_int_equal(f->origin.offsets[1], 0);
	store_stats(f->store, &stats);
	assert_int_equal(stats.mismatches, 0);
	blob_put(blob);
	content_release(&wrong);
}

static void who_had_wrong_bytes_is_told(void **state)
{
	struct fixture *f = *state;
	struct err err = ERR_INIT;
	struct content wrong;
	struct blob *early = get(f), *late = get(f);

	send_wrong_bytes(f, &wrong);
	origin_open_gate(&f->origin, 100 * KIB);
	assert_int_equal(read_at(early, 0, &err), 1);
	origin_open_gate(&f->origin, SIZE_MAX);
	assert_int_equal(read_at(late, BLOB_SIZE - 1, &err), -EBADMSG);

	/* Nobody may put the rest of the right blob behind the wrong front. */
	f->origin.bytes = f->content.bytes;
	assert_reads_all(late, &f->content);
	assert_int_equal(read_at(early, 1, &err), -EBADMSG);
	assert_reads_all(early, &f->content);
	blob_put(early);
	blob_put(late);
	content_release(&wrong);
}

static void a_broken_transfer_is_continued(void **state)
{
	struct fixture *f = *state;
	struct blob *blob = get(f);

	f->origin.break_at = BREAK;
	f->origin.failing_then = CALLS_WITHOUT_PROGRESS - 1;
	assert_reads_all(blob, &f->content);
	assert_int_equal(f->origin.calls, CALLS_WITHOUT_PROGRESS + 1);
	for (int i = 1; i <= CALLS_WITHOUT_PROGRESS; i++)
		assert_int_equal(f->origin.offsets[i], BREAK);
	blob_put(blob);
}

static void without_progress_the_failure_is_the_readers(void **state)
{
	struct fixture *f = *state;
	struct err err = ERR_INIT;
	struct blob *blob = get(f);

	f->origin.break_at = BREAK;
	f->origin.failing_then = CALLS_WITHOUT_PROGRESS;
	f->origin.failure = EHOSTUNREACH;
	assert_int_equal(read_at(blob, BLOB_SIZE - 1, &err), -EHOSTUNREACH);
	assert_string_equal(err.msg, "the origin is away");
	assert_int_equal(f->origin.calls, 1 + CALLS_WITHOUT_PROGRESS);
	assert_int_equal(blob_cached(blob), BREAK);

	/* What had arrived is not transferred again. */
	assert_reads_all(blob, &f->content);
	assert_int_equal(f->origin.calls, 2 + CALLS_WITHOUT_PROGRESS);
	assert_int_equal(f->origin.offsets[1 + CALLS_WITHOUT_PROGRESS], BREAK);
	blob_put(blob);
}

static void a_definite_answer_is_not_asked_for_again(void **state)
{
	static const int answers[] = {ENOENT, EACCES, EPERM};
	static const int told[] = {ENOLINK, EACCES, EPERM};
	struct fixture *f = *state;
	struct err err = ERR_INIT;
	struct blob *blob = get(f);

	for (unsigned i = 0; i < 3; i++) {
		f->origin.failure = answers[i];
		f->origin.failing = 1;
		assert_int_equal(read_at(blob, 0, &err), -told[i]);
		assert_int_equal(f->origin.calls, i + 1);
	}
	blob_put(blob);
}

static void another_repository_may_have_it(void **state)
{
	struct fixture *f = *state;
	struct origin without;
	struct blob *first, *second;

	origin_init(&without, &f->content);
	without.failing = UINT32_MAX;
	without.failure = ENOENT;
	first = get_from(f->store, &f->content, &without);
	second = get(f);
	assert_reads_all(first, &f->content);
	assert_int_equal(without.calls, 1);
	assert_int_equal(f->origin.calls, 1);
	blob_put(first);
	blob_put(second);
	store_fixture_close(f);
	assert_int_equal(without.released, 1);
	assert_int_equal(f->origin.released, 1);
}

/* Whichever was asked last. */
static void what_may_be_elsewhere_is_not_lost(void **state)
{
	struct fixture *f = *state;
	struct err err = ERR_INIT;
	struct origin without, away;
	struct blob *blobs[2];

	origin_init(&without, &f->content);
	origin_init(&away, &f->content);
	without.failing = away.failing = UINT32_MAX;
	without.failure = ENOENT;
	away.failure = ETIMEDOUT;
	blobs[0] = get_from(f->store, &f->content, &without);
	assert_int_equal(read_at(blobs[0], 0, &err), -ENOLINK);
	blobs[1] = get_from(f->store, &f->content, &away);
	assert_int_equal(read_at(blobs[0], 0, &err), -ETIMEDOUT);
	blob_put(blobs[0]);
	blob_put(blobs[1]);
	blobs[0] = get_from(f->store, &f->content, &away);
	blobs[1] = get_from(f->store, &f->content, &without);
	assert_int_equal(read_at(blobs[0], 0, &err), -ETIMEDOUT);
	blob_put(blobs[0]);
	blob_put(blobs[1]);
	store_fixture_close(f);
}

/* What cannot be kept is read all the same, and is no missing name. */
static void a_place_that_is_missing_is_no_missing_name(void **state)
{
	struct fixture *f = *state;
	struct blob *blob = get(f);
	char path[512];

	snprintf(path, sizeof(path), "%s/partial", f->dir);
	write_file(path, "", 0);
	assert_reads_all(blob, &f->content);
	assert_int_equal(blob_cached(blob), 0);
	blob_put(blob);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(symlink("nowhere/at all", path), 0);
	blob = get(f);
	assert_reads_all(blob, &f->content);
	assert_int_equal(blob_cached(blob), 0);
	blob_put(blob);
	assert_int_equal(unlink(path), 0);
	blob = get(f);
	assert_reads_all(blob, &f->content);
	assert_int_equal(blob_cached(blob), BLOB_SIZE);
	blob_put(blob);
}

static void too_many_bytes_are_not_taken(void **state)
{
	struct fixture *f = *state;
	struct err err = ERR_INIT;
	char path[512];
	struct blob *blob = get(f);

	f->origin.size = BLOB_SIZE + 1;
	assert_int_equal(read_at(blob, BLOB_SIZE - 1, &err), -EBADMSG);
	assert_non_null(strstr(err.msg, "longer than"));
	assert_int_equal(f->origin.calls, 1);
	assert_false(file_exists(partial_path(f, path)));
	blob_put(blob);
}

static void too_few_bytes_are_an_error(void **state)
{
	struct fixture *f = *state;
	struct err err = ERR_INIT;
	struct blob *blob = get(f);

	f->origin.size = BLOB_SIZE - 5;
	assert_int_equal(read_at(blob, BLOB_SIZE - 1, &err), -EBADMSG);
	assert_non_null(strstr(err.msg, "ends after"));
	assert_int_equal(f->origin.calls, 1 + CALLS_WITHOUT_PROGRESS);
	f->origin.size = BLOB_SIZE;
	assert_reads_all(blob, &f->content);
	blob_put(blob);
}

static void a_fetch_that_nobody_wants_stops(void **state)
{
	struct fixture *f = *state;
	struct err err = ERR_INIT;
	struct blob *blob = get(f);

	origin_open_gate(&f->origin, 100 * KIB);
	assert_int_equal(read_at(blob, 100 * KIB - 1, &err), 1);
	blob_put(blob);
	origin_open_gate(&f->origin, SIZE_MAX);
	origin_await_returns(&f->origin, 1);

	/* And who wants it then continues. */
	blob = get(f);
	assert_reads_all(blob, &f->content);
	assert_int_equal(f->origin.calls, 2);
	assert_int_equal(f->origin.offsets[1], 100 * KIB);
	blob_put(blob);
}

static void a_fetch_that_is_half_done_goes_on(void **state)
{
	struct fixture *f = *state;
	struct err err = ERR_INIT;
	char path[512];
	struct blob *blob = get(f);

	origin_open_gate(&f->origin, BLOB_SIZE / 2 + 1);
	assert_int_equal(read_at(blob, BLOB_SIZE / 2, &err), 1);
	blob_put(blob);
	origin_open_gate(&f->origin, SIZE_MAX);
	origin_await_returns(&f->origin, 1);
	store_fixture_close(f);
	assert_true(file_exists(whole_path(f, path)));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    STORE_TEST(a_wrong_digest_fails_the_readers),
	    STORE_TEST(wrong_bytes_come_from_elsewhere),
	    STORE_TEST(who_had_wrong_bytes_is_told),
	    STORE_TEST(a_broken_transfer_is_continued),
	    STORE_TEST(without_progress_the_failure_is_the_readers),
	    STORE_TEST(a_definite_answer_is_not_asked_for_again),
	    STORE_TEST(another_repository_may_have_it),
	    STORE_TEST(what_may_be_elsewhere_is_not_lost),
	    STORE_TEST(a_place_that_is_missing_is_no_missing_name),
	    STORE_TEST(too_many_bytes_are_not_taken),
	    STORE_TEST(too_few_bytes_are_an_error),
	    STORE_TEST(a_fetch_that_nobody_wants_stops),
	    STORE_TEST(a_fetch_that_is_half_done_goes_on),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
