/* SPDX-License-Identifier: Apache-2.0 */
/* Kept blobs of which the disk has forgotten something. */
#include "base/file.h"
#include "store_fixture.h"

enum { BLOCK = 128 * KIB };

static size_t file_size(const struct fixture *f)
{
	char path[512];
	struct stat st;

	assert_int_equal(stat(whole_path(f, path), &st), 0);
	return (size_t)st.st_size;
}

static void flip(const struct fixture *f, off_t off)
{
	char path[512];

	flip_at(whole_path(f, path), off);
}

static void cut(const struct fixture *f, size_t size)
{
	char path[512];

	assert_int_equal(truncate(whole_path(f, path), (off_t)size), 0);
}

/* Keeps the blob, in an earlier run. */
static void keep(struct fixture *f)
{
	struct blob *blob = get(f);

	assert_reads_all(blob, &f->content);
	blob_put(blob);
	store_fixture_close(f);
	assert_int_equal(f->origin.calls, 1);
	assert_int_equal(file_size(f), BLOB_SIZE + SUMS_SIZE);
	store_fixture_open(f);
}

/* The file on the disk is right, with its sums. */
static void assert_kept(struct fixture *f)
{
	unsigned calls = f->origin.calls;
	struct blob *blob;

	store_fixture_close(f);
	assert_int_equal(file_size(f), BLOB_SIZE + SUMS_SIZE);
	store_fixture_open(f);
	blob = get(f);
	assert_true(blob_verified(blob));
	assert_reads_all(blob, &f->content);
	assert_int_equal(f->origin.calls, calls);
	blob_put(blob);
}

static void a_wrong_byte_is_not_served(void **state)
{
	static const off_t places[] = {0, BLOCK - 1, BLOCK, 5 * BLOCK + 100,
	    BLOB_SIZE - 1};
	struct fixture *f = *state;

	keep(f);
	for (size_t i = 0; i < sizeof(places) / sizeof(*places); i++) {
		struct blob *blob;

		flip(f, places[i]);
		blob = get(f);
		assert_true(blob_verified(blob));
		assert_reads_all(blob, &f->content);
		assert_int_equal(f->origin.calls, 2 + i);
		assert_true(blob_verified(blob));
		blob_put(blob);
		assert_kept(f);
	}
}

static void a_read_of_one_byte_compares_its_block(void **state)
{
	struct fixture *f = *state;
	struct err err = ERR_INIT;
	struct blob *blob;
	char byte = 0;

	keep(f);
	flip(f, 3 * BLOCK);
	blob = get(f);
	/* Elsewhere nothing is wrong. */
	assert_int_equal(read_at(blob, BLOCK, &err), 1);
	assert_int_equal(f->origin.calls, 1);
	assert_int_equal(blob_read(blob, &byte, 1, 4 * BLOCK - 1, &err), 1);
	assert_int_equal((unsigned char)byte, f->content.bytes[4 * BLOCK - 1]);
	assert_int_equal(f->origin.calls, 2);
	assert_reads_all(blob, &f->content);
	blob_put(blob);
	assert_kept(f);
}

static void zeros_are_not_served(void **state)
{
	struct fixture *f = *state;
	size_t all = BLOB_SIZE + SUMS_SIZE;
	struct blob *blob;

	keep(f);
	cut(f, BLOCK);
	cut(f, BLOB_SIZE);
	blob = get(f);
	assert_reads_all(blob, &f->content);
	assert_int_equal(f->origin.calls, 2);
	blob_put(blob);
	assert_kept(f);
	cut(f, 0);
	cut(f, all);
	blob = get(f);
	assert_reads_all(blob, &f->content);
	assert_int_equal(f->origin.calls, 3);
	blob_put(blob);
	assert_kept(f);
}

/* What they had before was right, and so is the rest. */
static void readers_go_on(void **state)
{
	struct fixture *f = *state;
	unsigned char data[BLOCK];
	struct err err = ERR_INIT;
	struct blob *first, *second;

	keep(f);
	first = get(f);
	second = get(f);
	assert_int_equal(blob_read(first, data, BLOCK, 0, &err), BLOCK);
	assert_int_equal(blob_read(second, data, BLOCK, BLOCK, &err), BLOCK);
	flip(f, 7 * BLOCK);
	for (int i = 0; i < 9; i++) {
		uint64_t off = (uint64_t)i * BLOCK;

		if (blob_read(first, data, BLOCK, off, &err) != BLOCK)
			fail_msg("%s", err.msg);
		assert_memory_equal(data, f->content.bytes + off, BLOCK);
	}
	assert_int_equal(f->origin.calls, 2);
	assert_reads_all(second, &f->content);
	assert_int_equal(blob_unverified(first), 0);
	assert_int_equal(blob_unverified(second), 0);
	blob_put(first);
	blob_put(second);
	assert_kept(f);
}

/* Which is what a disk does that cannot read. */
static void a_file_that_is_cut_while_it_is_open(void **state)
{
	struct fixture *f = *state;
	struct err err = ERR_INIT;
	struct blob *blob;

	keep(f);
	blob = get(f);
	assert_int_equal(read_at(blob, 0, &err), 1);
	cut(f, BLOCK);
	assert_reads_all(blob, &f->content);
	assert_int_equal(f->origin.calls, 2);
	blob_put(blob);
	assert_kept(f);
}

static void nothing_is_served_where_nobody_has_it(void **state)
{
	struct fixture *f = *state;
	struct err err = ERR_INIT;
	struct blob *blob;

	keep(f);
	flip(f, 2 * BLOCK);
	blob = get(f);
	f->origin.failing = UINT32_MAX;
	f->origin.failure = ENOENT;
	assert_int_equal(read_at(blob, 2 * BLOCK + 5, &err), -ENOLINK);
	assert_false(blob_verified(blob));
	f->origin.failing = 0;
	assert_reads_all(blob, &f->content);
	blob_put(blob);
	assert_kept(f);
}

static void what_comes_in_its_place_is_verified(void **state)
{
	struct fixture *f = *state;
	struct err err = ERR_INIT;
	unsigned char data[BLOCK];
	struct content wrong;
	struct blob *blob;

	keep(f);
	content_init(&wrong, BLOB_SIZE, 2);
	flip(f, 2 * BLOCK);
	blob = get(f);
	f->origin.bytes = wrong.bytes;
	assert_int_equal(blob_read_verified(blob, data, BLOCK, 2 * BLOCK, &err),
	    -EBADMSG);
	assert_int_equal(f->origin.calls, 2);
	f->origin.bytes = f->content.bytes;
	assert_int_equal(blob_read_verified(blob, data, BLOCK, 2 * BLOCK, &err),
	    BLOCK);
	assert_memory_equal(data, f->content.bytes + 2 * BLOCK, BLOCK);
	assert_int_equal(blob_unverified(blob), 0);
	blob_put(blob);
	assert_kept(f);
	content_release(&wrong);
}

/* The blob is hashed, and gets its sums. */
static void assert_hashed(struct fixture *f)
{
	struct blob *blob = get(f);

	assert_false(blob_verified(blob));
	assert_reads_all(blob, &f->content);
	assert_true(blob_verified(blob));
	assert_int_equal(f->origin.calls, 1);
	blob_put(blob);
	assert_kept(f);
}

/* Of an earlier version, or there was no room for them: in part or at all. */
static void a_blob_without_sums(void **state)
{
	struct fixture *f = *state;
	const size_t sizes[] = {BLOB_SIZE, BLOB_SIZE + 1,
	    BLOB_SIZE + SUMS_SIZE - 1};

	keep(f);
	for (size_t i = 0; i < sizeof(sizes) / sizeof(*sizes); i++) {
		cut(f, sizes[i]);
		assert_hashed(f);
	}
}

static void sums_that_are_damaged(void **state)
{
	struct fixture *f = *state;

	keep(f);
	for (size_t off = 0; off < SUMS_SIZE; off += 7) {
		flip(f, (off_t)(BLOB_SIZE + off));
		assert_hashed(f);
	}
}

static void a_blob_without_sums_that_is_damaged(void **state)
{
	struct fixture *f = *state;
	struct blob *blob;

	keep(f);
	cut(f, BLOB_SIZE);
	flip(f, 4 * BLOCK);
	blob = get(f);
	/* No byte is served before all are hashed. */
	assert_reads_all(blob, &f->content);
	assert_int_equal(f->origin.calls, 2);
	blob_put(blob);
	assert_kept(f);
}

static void a_file_that_is_too_long_is_replaced(void **state)
{
	struct fixture *f = *state;
	struct blob *blob;

	keep(f);
	cut(f, BLOB_SIZE + SUMS_SIZE + 1);
	blob = get(f);
	assert_reads_all(blob, &f->content);
	assert_int_equal(f->origin.calls, 2);
	blob_put(blob);
	assert_kept(f);
}

/* It had its sums, and not its name. */
static void a_crash_before_the_name(void **state)
{
	struct fixture *f = *state;
	char from[512], to[512];
	struct blob *blob;

	keep(f);
	assert_int_equal(rename(whole_path(f, from), partial_path(f, to)), 0);
	blob = get(f);
	assert_int_equal(blob_cached(blob), BLOB_SIZE);
	assert_reads_all(blob, &f->content);
	assert_int_equal(f->origin.calls, 1);
	blob_put(blob);
	assert_kept(f);
}

static void what_was_made_here_has_sums(void **state)
{
	struct fixture *f = *state;
	AUTO_BUF struct buf out = BUF_INIT(BLOB_SIZE);
	struct err err = ERR_INIT;
	struct blob *blob;

	assert_int_equal(store_save(f->store, &f->content.digest,
			     f->content.bytes, BLOB_SIZE, &err),
	    0);
	assert_int_equal(file_size(f), BLOB_SIZE + SUMS_SIZE);
	assert_int_equal(store_load(f->store, &f->content.digest, &out, &err),
	    1);
	assert_int_equal(out.len, BLOB_SIZE);
	assert_memory_equal(out.data, f->content.bytes, BLOB_SIZE);
	flip(f, 6 * BLOCK);
	blob = get(f);
	assert_true(blob_verified(blob));
	assert_reads_all(blob, &f->content);
	assert_int_equal(f->origin.calls, 1);
	blob_put(blob);
	assert_kept(f);
}

/* A blob's own end is nobody's sums. */
static void a_blob_that_ends_like_one(void **state)
{
	struct fixture *f = *state;
	AUTO_BUF struct buf out = BUF_INIT(BLOB_SIZE);
	unsigned char *end = f->content.bytes + BLOB_SIZE - 24;
	const uint64_t size = BLOB_SIZE - SUMS_SIZE;
	struct err err = ERR_INIT;

	memcpy(end, "sums 128", 8);
	memcpy(end + 8, &size, sizeof(size));
	assert_int_equal(digest_of(DIGEST_SHA256, f->content.bytes, BLOB_SIZE,
			     &f->content.digest, &err),
	    0);
	keep(f);
	assert_kept(f);
	assert_int_equal(store_load(f->store, &f->content.digest, &out, &err),
	    1);
	assert_int_equal(out.len, BLOB_SIZE);
}

/* Another process has the damaged file open. */
static void each_process_finds_it(void **state)
{
	struct fixture *f = *state;
	struct fixture other = *f;
	struct blob *mine, *theirs;

	keep(f);
	store_fixture_open(&other);
	mine = get(f);
	theirs = get(&other);
	flip(f, 2 * BLOCK);
	assert_reads_all(mine, &f->content);
	assert_int_equal(f->origin.calls, 2);
	blob_put(mine);
	store_fixture_close(f);
	assert_reads_all(theirs, &f->content);
	blob_put(theirs);
	store_fixture_close(&other);
	store_fixture_open(f);
	/* What came in its place was not taken for it. */
	assert_int_equal(f->origin.calls + other.origin.calls, 2);
	assert_kept(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    STORE_TEST(a_wrong_byte_is_not_served),
	    STORE_TEST(a_read_of_one_byte_compares_its_block),
	    STORE_TEST(zeros_are_not_served),
	    STORE_TEST(readers_go_on),
	    STORE_TEST(a_file_that_is_cut_while_it_is_open),
	    STORE_TEST(nothing_is_served_where_nobody_has_it),
	    STORE_TEST(what_comes_in_its_place_is_verified),
	    STORE_TEST(a_blob_without_sums),
	    STORE_TEST(sums_that_are_damaged),
	    STORE_TEST(a_blob_without_sums_that_is_damaged),
	    STORE_TEST(a_file_that_is_too_long_is_replaced),
	    STORE_TEST(a_crash_before_the_name),
	    STORE_TEST(what_was_made_here_has_sums),
	    STORE_TEST(a_blob_that_ends_like_one),
	    STORE_TEST(each_process_finds_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
