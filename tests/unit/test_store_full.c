/* SPDX-License-Identifier: Apache-2.0 */
/* A disk that is full: a small tmpfs, which only root can mount. */
#include "small_disk.h"

static void a_full_disk_keeps_nothing(void **state)
{
	struct fixture *f = require_disk(state);
	char path[512];
	struct blob *blob;

	fill(f);
	blob = get(f);
	assert_reads_all(blob, &f->content);
	assert_true(blob_verified(blob));
	assert_int_equal(blob_cached(blob), 0);
	assert_false(file_exists(partial_path(f, path)));
	assert_int_equal(f->origin.sent, BLOB_SIZE);
	blob_put(blob);

	/* Once there is room it is kept. */
	unfill(f);
	blob = get(f);
	assert_reads_all(blob, &f->content);
	assert_int_equal(blob_cached(blob), BLOB_SIZE);
	blob_put(blob);
	store_fixture_close(f);
	assert_true(file_exists(whole_path(f, path)));
	store_fixture_open(f);
}

static void what_is_not_used_makes_room(void **state)
{
	struct fixture *f = require_disk(state);
	struct store_stats stats;
	struct content other;
	struct origin origin;
	struct blob *blob = get(f);

	assert_reads_all(blob, &f->content);
	blob_put(blob);
	store_fixture_close(f);
	store_fixture_open(f);
	content_init(&other, BLOB_SIZE, 2);
	origin_init(&origin, &other);
	blob = get_from(f->store, &other, &origin);
	assert_reads_all(blob, &other);
	assert_int_equal(origin.calls, 1);
	store_stats(f->store, &stats);
	assert_int_equal(stats.evicted, BLOB_SIZE + SUMS_SIZE);
	blob_put(blob);
	/* The store may still have the source that is on this stack. */
	store_fixture_close(f);
	store_fixture_open(f);
	content_release(&other);
}

static off_t size_of(const char *path)
{
	struct stat st;

	assert_int_equal(stat(path, &st), 0);
	return st.st_size;
}

/* The blob is kept all the same, and is hashed when it is read again. */
static void no_room_for_the_sums(void **state)
{
	struct fixture *f = require_disk(state);
	char path[512];
	struct blob *blob;

	content_release(&f->content);
	content_init(&f->content, MIB, 6);
	origin_init(&f->origin, &f->content);
	fill_up_to(f, MIB);
	blob = get(f);
	assert_reads_all(blob, &f->content);
	assert_true(blob_verified(blob));
	blob_put(blob);
	store_fixture_close(f);
	assert_int_equal(size_of(whole_path(f, path)), MIB);
	store_fixture_open(f);
	blob = get(f);
	assert_reads_all(blob, &f->content);
	blob_put(blob);
	store_fixture_close(f);
	assert_int_equal(size_of(path), MIB);
	store_fixture_open(f);
	unfill(f);
	blob = get(f);
	assert_reads_all(blob, &f->content);
	blob_put(blob);
	store_fixture_close(f);
	assert_int_equal(size_of(whole_path(f, path)), MIB + 8 * 8 + 24);
	assert_int_equal(f->origin.calls, 1);
	store_fixture_open(f);
}

/* What cannot be removed is not read. */
static void damage_on_a_read_only_disk(void **state)
{
	struct fixture *f = require_disk(state);
	struct err err = ERR_INIT;
	struct blob *blob = get(f);
	char path[512];

	assert_reads_all(blob, &f->content);
	blob_put(blob);
	store_fixture_close(f);
	flip_at(whole_path(f, path), MIB);
	store_fixture_open(f);
	remount(f, MS_RDONLY);
	blob = get(f);
	assert_int_equal(read_at(blob, 0, &err), 1);
	assert_reads_all(blob, &f->content);
	assert_int_equal(blob_cached(blob), 0);
	assert_int_equal(f->origin.calls, 2);
	blob_put(blob);
	remount(f, 0);
	blob = get(f);
	assert_reads_all(blob, &f->content);
	assert_int_equal(blob_cached(blob), BLOB_SIZE);
	blob_put(blob);
}

static void parts_need_room_as_well(void **state)
{
	struct fixture *f = require_disk(state);
	struct parts *parts;

	fill(f);
	parts = get_parts(f);
	assert_reads(f, parts, 0, BLOB_SIZE, 0);
	assert_int_equal(parts_cached(parts), 0);
	/* No more than what is asked for, and none of it after the first byte
	 * that the disk cannot take. */
	assert_int_equal(f->origin.calls, 1);
	assert_asked(f, 0, 0, BLOB_SIZE);
	/* There is room for less. */
	assert_reads(f, parts, 0, MIB, 0);
	assert_int_equal(parts_cached(parts), MIB);
	unfill(f);
	assert_reads(f, parts, 0, BLOB_SIZE, 0);
	assert_int_equal(parts_cached(parts), BLOB_SIZE);
	parts_put(parts);
}

static void parts_take_the_room_of_what_is_not_used(void **state)
{
	struct fixture *f = require_disk(state);
	struct err err = ERR_INIT;
	struct store_stats stats;
	struct content other;
	struct parts *parts;

	content_init(&other, BLOB_SIZE, 2);
	assert_int_equal(store_save(f->store, &other.digest, other.bytes,
			     BLOB_SIZE, &err),
	    0);
	parts = get_parts(f);
	assert_reads(f, parts, 0, BLOB_SIZE, 0);
	assert_int_equal(f->origin.calls, 1);
	store_stats(f->store, &stats);
	assert_int_equal(stats.evicted, BLOB_SIZE + SUMS_SIZE);
	parts_put(parts);
	content_release(&other);
}

static void a_full_disk_keeps_no_part_of_a_note(void **state)
{
	struct fixture *f = require_disk(state);
	AUTO_BUF struct buf note = BUF_INIT(64);
	struct err err = ERR_INIT;
	AUTO_FREE char *text = malloc(2 * MIB);

	assert_non_null(text);
	memset(text, 'x', 2 * MIB - 1);
	text[2 * MIB - 1] = '\0';
	fill(f);
	assert_int_equal(store_note_put(f->store, "kind", "key", "before",
			     &err),
	    0);
	assert_int_equal(store_note_put(f->store, "kind", "key", text, &err),
	    -ENOSPC);
	assert_int_equal(store_note(f->store, "kind", "key", &note, &err), 1);
	assert_string_equal(buf_str(&note), "before");
	/* And what was begun takes no room. */
	assert_int_equal(store_note_put(f->store, "kind", "key", "after", &err),
	    0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    DISK_TEST(a_full_disk_keeps_nothing),
	    DISK_TEST(what_is_not_used_makes_room),
	    DISK_TEST(no_room_for_the_sums),
	    DISK_TEST(damage_on_a_read_only_disk),
	    DISK_TEST(parts_need_room_as_well),
	    DISK_TEST(parts_take_the_room_of_what_is_not_used),
	    DISK_TEST(a_full_disk_keeps_no_part_of_a_note),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
