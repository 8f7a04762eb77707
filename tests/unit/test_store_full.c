/* SPDX-License-Identifier: Apache-2.0 */
/* A disk that is full: a small tmpfs, which only root can mount. */
#include <sys/mount.h>

#include "parts_fixture.h"

static int setup_small_disk(void **state)
{
	struct fixture *f;

	setup_closed(state);
	f = *state;
	/* Room for one and a half of the test's blobs. */
	if (mount("none", f->dir, "tmpfs", 0, "mode=0700,size=2304k") == 0)
		fixture_open(f);
	return 0;
}

static int teardown_small_disk(void **state)
{
	struct fixture *f = *state;

	if (f->store) {
		fixture_close(f);
		umount(f->dir);
	}
	return teardown(state);
}

/* The test is skipped where nothing could be mounted. */
static struct fixture *require_disk(void **state)
{
	struct fixture *f = *state;

	if (!f->store) {
		print_message("skipped: mounting a tmpfs needs root\n");
		skip();
	}
	return f;
}

/* Takes room that the store cannot get back. */
static void fill(const struct fixture *f)
{
	char path[512];

	snprintf(path, sizeof(path), "%s/foreign", f->dir);
	write_file(path, f->content.bytes, MIB);
}

static void a_full_disk_fails_the_readers(void **state)
{
	struct fixture *f = require_disk(state);
	struct err err = ERR_INIT;
	char path[512];
	struct blob *blob;

	fill(f);
	blob = get(f);
	assert_int_equal(read_at(blob, BLOB_SIZE - 1, &err), -ENOSPC);
	assert_non_null(strstr(err.msg, f->dir));
	assert_false(exists(partial_path(f, path)));

	/* Once there is room it works. */
	snprintf(path, sizeof(path), "%s/foreign", f->dir);
	assert_int_equal(unlink(path), 0);
	assert_reads_all(blob, &f->content);
	blob_put(blob);
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
	fixture_close(f);
	fixture_open(f);
	content_init(&other, BLOB_SIZE, 2);
	origin_init(&origin, &other);
	blob = get_from(f->store, &other, &origin);
	assert_reads_all(blob, &other);
	assert_int_equal(origin.calls, 1);
	store_stats(f->store, &stats);
	assert_int_equal(stats.evicted, BLOB_SIZE + SUMS_SIZE);
	blob_put(blob);
	/* The store may still have the source that is on this stack. */
	fixture_close(f);
	fixture_open(f);
	content_release(&other);
}

/* Leaves that many bytes, whole pages, of the disk. */
static void fill_up_to(const struct fixture *f, off_t left)
{
	static const char page[4096];
	char path[512];
	off_t size = 0;
	int fd;

	snprintf(path, sizeof(path), "%s/foreign", f->dir);
	fd = open(path, O_WRONLY | O_CREAT, 0600);
	assert_true(fd >= 0);
	while (write(fd, page, sizeof(page)) == (ssize_t)sizeof(page))
		size += (off_t)sizeof(page);
	assert_int_equal(errno, ENOSPC);
	assert_int_equal(ftruncate(fd, size - left), 0);
	close(fd);
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
	fixture_close(f);
	assert_int_equal(size_of(whole_path(f, path)), MIB);
	fixture_open(f);
	blob = get(f);
	assert_reads_all(blob, &f->content);
	blob_put(blob);
	fixture_close(f);
	assert_int_equal(size_of(path), MIB);
	fixture_open(f);
	snprintf(path, sizeof(path), "%s/foreign", f->dir);
	assert_int_equal(unlink(path), 0);
	blob = get(f);
	assert_reads_all(blob, &f->content);
	blob_put(blob);
	fixture_close(f);
	assert_int_equal(size_of(whole_path(f, path)), MIB + 8 * 8 + 24);
	assert_int_equal(f->origin.calls, 1);
	fixture_open(f);
}

/* What cannot be removed would be found again. */
static void damage_on_a_read_only_disk(void **state)
{
	struct fixture *f = require_disk(state);
	struct err err = ERR_INIT;
	struct blob *blob = get(f);
	char path[512];

	assert_reads_all(blob, &f->content);
	blob_put(blob);
	fixture_close(f);
	flip_at(whole_path(f, path), MIB);
	fixture_open(f);
	assert_int_equal(mount(NULL, f->dir, NULL, MS_REMOUNT | MS_RDONLY,
			     NULL),
	    0);
	blob = get(f);
	assert_int_equal(read_at(blob, 0, &err), 1);
	assert_int_equal(read_at(blob, MIB, &err), -EROFS);
	assert_non_null(strstr(err.msg, path));
	assert_int_equal(mount(NULL, f->dir, NULL, MS_REMOUNT, NULL), 0);
	assert_reads_all(blob, &f->content);
	assert_int_equal(f->origin.calls, 2);
	blob_put(blob);
}

static void parts_need_room_as_well(void **state)
{
	struct fixture *f = require_disk(state);
	struct err err = ERR_INIT;
	struct parts *parts;
	char path[512];

	fill(f);
	parts = get_parts(f);
	assert_int_equal(read_part(parts, &f->content, 0, BLOB_SIZE, 0, &err),
	    -ENOSPC);
	assert_non_null(strstr(err.msg, f->dir));
	/* What is there is. */
	assert_reads(f, parts, 0, MIB, 0);
	assert_int_equal(f->origin.calls, 1);
	snprintf(path, sizeof(path), "%s/foreign", f->dir);
	assert_int_equal(unlink(path), 0);
	assert_reads(f, parts, 0, BLOB_SIZE, 0);
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

#define DISK_TEST(name) \
	cmocka_unit_test_setup_teardown(name, setup_small_disk, \
	    teardown_small_disk)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    DISK_TEST(a_full_disk_fails_the_readers),
	    DISK_TEST(what_is_not_used_makes_room),
	    DISK_TEST(no_room_for_the_sums),
	    DISK_TEST(damage_on_a_read_only_disk),
	    DISK_TEST(parts_need_room_as_well),
	    DISK_TEST(parts_take_the_room_of_what_is_not_used),
	    DISK_TEST(a_full_disk_keeps_no_part_of_a_note),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
