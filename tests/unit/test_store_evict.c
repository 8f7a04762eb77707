/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The limit. Opening a store starts an eviction and closing it waits for the
 * end, so a test needs to wait for nothing else.
 */
#include <ftw.h>
#include <sys/file.h>

#include "parts_fixture.h"

enum {
	BLOBS = 8,
	COMING = 32,
	SIZE = 100 * 1024,
	HOUR = 3600,
	DAY = 24 * HOUR
};

struct blobs {
	struct content contents[BLOBS];
	char paths[BLOBS][512];
};

static void set_age(const char *path, long seconds)
{
	struct timespec times[2];

	clock_gettime(CLOCK_REALTIME, &times[0]);
	times[0].tv_sec -= seconds;
	times[1] = times[0];
	assert_int_equal(utimensat(AT_FDCWD, path, times, 0), 0);
}

static long age(const char *path)
{
	struct stat st;

	assert_int_equal(stat(path, &st), 0);
	return (long)(time(NULL) - st.st_mtime);
}

/* Saves all of them, the first used longest ago. */
static void blobs_init(struct blobs *blobs, struct fixture *f)
{
	struct err err = ERR_INIT;

	for (int i = 0; i < BLOBS; i++) {
		struct content *content = &blobs->contents[i];
		char hex[DIGEST_TEXT_SIZE];

		content_init(content, SIZE, (unsigned)i + 10);
		assert_int_equal(store_save(f->store, &content->digest,
				     content->bytes, SIZE, &err),
		    0);
		digest_hex(&content->digest, hex);
		snprintf(blobs->paths[i], sizeof(blobs->paths[i]),
		    "%s/blobs/sha256/%.2s/%s", f->dir, hex, hex);
		set_age(blobs->paths[i], (BLOBS - i) * HOUR);
	}
}

static void blobs_release(struct blobs *blobs)
{
	for (int i = 0; i < BLOBS; i++)
		content_release(&blobs->contents[i]);
}

static void evict_to(const struct fixture *f, uint64_t limit)
{
	struct fixture other = *f;

	store_fixture_open_limited(&other, limit);
	store_fixture_close(&other);
}

static void the_least_recently_used_go(void **state)
{
	struct fixture *f = *state;
	struct blobs blobs;

	blobs_init(&blobs, f);
	evict_to(f, BLOBS * SIZE * 2);
	for (int i = 0; i < BLOBS; i++)
		assert_true(file_exists(blobs.paths[i]));

	/* 4.5 of 8, less a sixteenth: four stay. */
	evict_to(f, 9 * SIZE / 2);
	for (int i = 0; i < BLOBS; i++)
		assert_int_equal(file_exists(blobs.paths[i]), i >= BLOBS - 4);
	blobs_release(&blobs);
}

static void what_is_used_becomes_recent(void **state)
{
	struct fixture *f = *state;
	AUTO_BUF struct buf loaded = BUF_INIT(SIZE);
	struct err err = ERR_INIT;
	struct blobs blobs;

	blobs_init(&blobs, f);
	blob_put(get_from(f->store, &blobs.contents[0], &f->origin));
	assert_int_equal(store_load(f->store, &blobs.contents[1].digest,
			     &loaded, &err),
	    1);
	assert_true(age(blobs.paths[0]) < HOUR);
	assert_true(age(blobs.paths[1]) < HOUR);
	evict_to(f, 5 * SIZE / 2);
	for (int i = 0; i < BLOBS; i++)
		assert_int_equal(file_exists(blobs.paths[i]), i < 2);
	blobs_release(&blobs);
}

static void what_is_open_stays(void **state)
{
	struct fixture *f = *state;
	struct err err = ERR_INIT;
	struct blobs blobs;
	struct blob *blob;

	blobs_init(&blobs, f);
	blob = get_from(f->store, &blobs.contents[0], &f->origin);
	set_age(blobs.paths[0], DAY);
	evict_to(f, 0);
	for (int i = 0; i < BLOBS; i++)
		assert_int_equal(file_exists(blobs.paths[i]), i == 0);
	assert_reads_all(blob, &blobs.contents[0]);
	assert_int_equal(read_at(blob, 0, &err), 1);
	blob_put(blob);
	evict_to(f, 0);
	assert_false(file_exists(blobs.paths[0]));
	assert_int_equal(f->origin.calls, 0);
	blobs_release(&blobs);
}

static void parts_count_with_the_room_they_take(void **state)
{
	struct fixture *f = *state;
	struct parts *parts = get_parts(f);
	struct blobs blobs;
	char path[512];

	blobs_init(&blobs, f);
	/* A file that is longer than all blobs together. */
	assert_reads(f, parts, BLOB_SIZE - BLOCK, BLOCK, 0);
	parts_put(parts);
	evict_to(f, BLOBS * SIZE * 16 / 15 + 8 * BLOCK);
	for (int i = 0; i < BLOBS; i++)
		assert_true(file_exists(blobs.paths[i]));
	assert_true(file_exists(parts_path(f, path)));
	blobs_release(&blobs);
}

static void parts_go_in_turn_with_blobs(void **state)
{
	struct fixture *f = *state;
	struct parts *parts = get_parts(f);
	struct blobs blobs;
	char path[512];

	blobs_init(&blobs, f);
	assert_reads(f, parts, 0, BLOCK, 0);
	set_age(parts_path(f, path), DAY);
	evict_to(f, BLOBS * SIZE);
	/* Not while somebody has them. */
	assert_true(file_exists(path));
	assert_false(file_exists(blobs.paths[0]));
	parts_put(parts);
	/* To be open was a use. */
	assert_true(age(path) < HOUR);

	set_age(path, DAY);
	evict_to(f, (BLOBS - 2) * SIZE * 16 / 15 + BLOCK / 2);
	assert_false(file_exists(path));
	for (int i = 2; i < BLOBS; i++)
		assert_true(file_exists(blobs.paths[i]));
	parts = get_parts(f);
	assert_int_equal(parts_cached(parts), 0);
	assert_reads(f, parts, 0, BLOCK, 0);
	assert_int_equal(f->origin.calls, 2);
	parts_put(parts);
	blobs_release(&blobs);
}

static uint64_t found_bytes; /* by nftw(), which has no argument */

static int count_bytes(const char *path, const struct stat *st, int type,
    struct FTW *where)
{
	(void)path;
	(void)where;
	if (type == FTW_F)
		found_bytes += (uint64_t)st->st_size;
	return 0;
}

static void the_limit_is_kept_while_blobs_come(void **state)
{
	const uint64_t limit = 5 * SIZE;
	struct fixture *f = *state;
	struct content contents[COMING];
	struct origin origins[COMING];

	store_fixture_open_limited(f, limit);
	for (unsigned i = 0; i < COMING; i++) {
		struct blob *blob;

		content_init(&contents[i], SIZE, 100 + i);
		origin_init(&origins[i], &contents[i]);
		blob = get_from(f->store, &contents[i], &origins[i]);
		assert_reads_all(blob, &contents[i]);
		blob_put(blob);
	}
	store_fixture_close(f);
	for (unsigned i = 0; i < COMING; i++)
		content_release(&contents[i]);
	found_bytes = 0;
	nftw(f->dir, count_bytes, 8, FTW_PHYS);
	assert_in_range(found_bytes, SIZE, limit);
}

static void a_blob_above_the_limit_can_be_read(void **state)
{
	struct fixture *f = *state;
	char path[512];
	struct blob *blob;

	store_fixture_open_limited(f, BLOB_SIZE / 2);
	blob = get(f);
	assert_reads_all(blob, &f->content);
	assert_reads_all(blob, &f->content);
	assert_int_equal(f->origin.calls, 1);
	blob_put(blob);
	store_fixture_close(f);
	evict_to(f, BLOB_SIZE / 2);
	assert_false(file_exists(whole_path(f, path)));
}

static void old_leftovers_go(void **state)
{
	struct fixture *f = *state;
	char partial[512], spooled[512];
	int fd;

	write_partial(f, f->content.bytes, SIZE);
	partial_path(f, partial);
	snprintf(spooled, sizeof(spooled), "%s/spool", f->dir);
	mkdir(spooled, 0700);
	strncat(spooled, "/new-abcdef", sizeof(spooled) - strlen(spooled) - 1);
	write_file(spooled, "x", 1);

	/* Young ones are somebody's work, or worth continuing. */
	evict_to(f, PLENTY);
	assert_true(file_exists(partial) && file_exists(spooled));
	set_age(partial, 2 * DAY);
	set_age(spooled, 2 * DAY);

	/* So is what is locked. */
	fd = open(partial, O_RDONLY | O_CLOEXEC);
	assert_int_equal(flock(fd, LOCK_EX), 0);
	evict_to(f, PLENTY);
	assert_true(file_exists(partial));
	assert_false(file_exists(spooled));
	close(fd);
	evict_to(f, PLENTY);
	assert_false(file_exists(partial));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    STORE_TEST(the_least_recently_used_go),
	    STORE_TEST(what_is_used_becomes_recent),
	    STORE_TEST(what_is_open_stays),
	    STORE_TEST(parts_count_with_the_room_they_take),
	    STORE_TEST(parts_go_in_turn_with_blobs),
	    CLOSED_TEST(the_limit_is_kept_while_blobs_come),
	    CLOSED_TEST(a_blob_above_the_limit_can_be_read),
	    CLOSED_TEST(old_leftovers_go),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
