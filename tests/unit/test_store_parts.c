/* SPDX-License-Identifier: Apache-2.0 */
/* Parts of blobs: what is fetched for a read, and what is there already. */
#include <sched.h>

#include "parts_fixture.h"

enum { READERS = 16, READS = 200 };

static void a_part_is_fetched_and_kept(void **state)
{
	struct fixture *f = *state;
	struct parts *parts = get_parts(f);

	assert_int_equal(parts_size(parts), BLOB_SIZE);
	assert_int_equal(parts_cached(parts), 0);
	assert_int_equal(f->origin.calls, 0);
	assert_reads(f, parts, BLOCK + 1000, 500, 0);
	assert_int_equal(f->origin.calls, 1);
	assert_asked(f, 0, BLOCK, BLOCK);
	assert_int_equal(parts_cached(parts), BLOCK);

	assert_reads(f, parts, BLOCK, BLOCK, 0);
	assert_int_equal(f->origin.calls, 1);
	/* One byte on either side needs two blocks more. */
	assert_reads(f, parts, BLOCK - 1, BLOCK + 2, 0);
	assert_int_equal(f->origin.calls, 3);
	assert_int_equal(parts_cached(parts), 3 * BLOCK);
	parts_put(parts);
	store_fixture_close(f);
	assert_int_equal(f->origin.released, 1);
}

static void a_window_comes_with_the_first_read(void **state)
{
	struct fixture *f = *state;
	struct parts *parts = get_parts(f);

	assert_reads(f, parts, 100, 1, 4 * BLOCK);
	assert_asked(f, 0, 0, 5 * BLOCK);
	for (int i = 0; i < 5; i++)
		assert_reads(f, parts, (uint64_t)i * BLOCK, BLOCK, MIB);
	assert_int_equal(f->origin.calls, 1);
	/* To the end, however far behind it the window's is. */
	assert_reads(f, parts, 5 * BLOCK, 1, UINT64_MAX);
	assert_asked(f, 1, 5 * BLOCK, BLOB_SIZE - 5 * BLOCK);
	assert_reads(f, parts, BLOB_SIZE - 17, 17, MIB);
	assert_int_equal(f->origin.calls, 2);
	assert_int_equal(parts_cached(parts), BLOB_SIZE);
	parts_put(parts);
}

static void a_window_ends_at_what_is_there(void **state)
{
	struct fixture *f = *state;
	struct parts *parts = get_parts(f);

	assert_reads(f, parts, 2 * BLOCK, 1, 0);
	assert_reads(f, parts, 0, 1, MIB);
	assert_asked(f, 1, 0, 2 * BLOCK);

	assert_reads(f, parts, 5 * BLOCK, 1, 0);
	/* Around it, and the window only behind the last of them. */
	assert_reads(f, parts, 4 * BLOCK, 3 * BLOCK, 6 * BLOCK);
	origin_await_returns(&f->origin, 5);
	assert_int_equal(f->origin.calls, 5);
	assert_int_equal(f->origin.sent, 4 * BLOCK + BLOCK + 4 * BLOCK);
	assert_int_equal(parts_cached(parts), f->origin.sent);
	parts_put(parts);
}

static void the_front_of_a_window_is_read_while_the_rest_comes(void **state)
{
	struct fixture *f = *state;
	struct reader rest;
	struct parts *parts = get_parts(f);

	origin_open_gate(&f->origin, 2 * BLOCK + 5);
	assert_reads(f, parts, 0, 10, 8 * BLOCK);
	assert_reads(f, parts, BLOCK, BLOCK, 0);
	reader_start(&rest, f, parts, 2 * BLOCK, 1, 0);
	assert_int_equal(parts_cached(parts), 2 * BLOCK);
	origin_open_gate(&f->origin, SIZE_MAX);
	assert_int_equal(reader_end(&rest), 0);
	assert_int_equal(f->origin.calls, 1);
	parts_put(parts);
}

static void other_windows_are_fetched_meanwhile(void **state)
{
	struct fixture *f = *state;
	struct reader one, two;
	struct parts *parts = get_parts(f);

	origin_open_gate(&f->origin, 0);
	reader_start(&one, f, parts, 0, 1, 2 * BLOCK);
	reader_start(&two, f, parts, 8 * BLOCK, 1, 2 * BLOCK);
	origin_await_calls(&f->origin, 2);
	origin_open_gate(&f->origin, SIZE_MAX);
	assert_int_equal(reader_end(&one), 0);
	assert_int_equal(reader_end(&two), 0);
	assert_int_equal(f->origin.calls, 2);
	parts_put(parts);
}

struct crowd {
	pthread_t thread;
	struct fixture *fixture;
	unsigned seed;
	int result;
	struct err err;
};

static void *read_anywhere(void *arg)
{
	struct crowd *one = arg;
	struct fixture *f = one->fixture;
	struct parts *parts = get_parts(f);

	for (int i = 0; i < READS && one->result == 0; i++) {
		uint64_t off = (uint64_t)rand_r(&one->seed) % BLOB_SIZE;
		size_t len = (size_t)rand_r(&one->seed) % (3 * BLOCK);
		uint64_t window = (uint64_t)rand_r(&one->seed) % (6 * BLOCK);

		if (len > BLOB_SIZE - off)
			len = (size_t)(BLOB_SIZE - off);
		one->result =
		    read_part(parts, &f->content, off, len, window, &one->err);
	}
	parts_put(parts);
	return NULL;
}

static void no_byte_is_fetched_twice(void **state)
{
	struct fixture *f = *state;
	struct parts *parts = get_parts(f);
	struct crowd crowd[READERS];

	for (unsigned i = 0; i < READERS; i++) {
		crowd[i] = (struct crowd){0, f, i, 0, ERR_INIT};
		pthread_create(&crowd[i].thread, NULL, read_anywhere,
		    &crowd[i]);
	}
	for (int i = 0; i < READERS; i++) {
		pthread_join(crowd[i].thread, NULL);
		if (crowd[i].result < 0)
			fail_msg("%s", crowd[i].err.msg);
	}
	assert_reads(f, parts, 0, BLOB_SIZE, 0);
	assert_int_equal(parts_cached(parts), BLOB_SIZE);
	parts_put(parts);
	store_fixture_close(f);
	assert_int_equal(f->origin.sent, BLOB_SIZE);
}

static void an_interrupt_is_its_readers_alone(void **state)
{
	struct fixture *f = *state;
	struct reader first, second;
	struct parts *parts = get_parts(f);

	origin_open_gate(&f->origin, 0);
	reader_start(&first, f, parts, 0, 1, 4 * BLOCK);
	origin_await_calls(&f->origin, 1);
	reader_start(&second, f, parts, 3 * BLOCK, 1, 0);
	task_interrupt(&first.task);
	assert_int_equal(reader_end(&first), -EINTR);
	assert_int_equal(first.err.code, EINTR);
	origin_open_gate(&f->origin, SIZE_MAX);
	assert_int_equal(reader_end(&second), 0);
	assert_reads(f, parts, 0, 4 * BLOCK, 0);
	assert_int_equal(f->origin.calls, 1);
	parts_put(parts);
}

static void what_was_wrong_is_fetched_anew(void **state)
{
	struct fixture *f = *state;
	struct parts *parts = get_parts(f);
	struct err err = ERR_INIT;
	struct content wrong;

	content_init(&wrong, BLOB_SIZE, 99);
	f->origin.bytes = wrong.bytes;
	assert_int_equal(read_part(parts, &wrong, 0, 3 * BLOCK, 0, &err), 0);
	f->origin.bytes = f->content.bytes;
	parts_drop(parts, BLOCK + 10, 10);
	assert_int_equal(parts_cached(parts), 2 * BLOCK);
	assert_reads(f, parts, BLOCK, BLOCK, MIB);
	assert_asked(f, 1, BLOCK, BLOCK);
	assert_int_equal(read_part(parts, &wrong, 2 * BLOCK, 9, 0, &err), 0);
	/* What is no part of it drops nothing. */
	parts_drop(parts, BLOB_SIZE, 1);
	parts_drop(parts, UINT64_MAX, UINT64_MAX);
	assert_int_equal(parts_cached(parts), 3 * BLOCK);
	parts_put(parts);
	content_release(&wrong);
}

static void the_next_mount_has_them(void **state)
{
	struct fixture *f = *state;
	struct parts *parts = get_parts(f);
	char path[512];
	struct stat st;

	assert_reads(f, parts, 3 * BLOCK, 2 * BLOCK, 0);
	assert_reads(f, parts, BLOB_SIZE - 1, 1, 0);
	parts_put(parts);
	store_fixture_close(f);
	assert_int_equal(stat(parts_path(f, path), &st), 0);
	assert_true(st.st_blocks * 512 < 4 * BLOCK);

	store_fixture_open(f);
	parts = get_parts(f);
	assert_int_equal(parts_cached(parts), 2 * BLOCK + BLOB_SIZE % BLOCK);
	assert_reads(f, parts, 3 * BLOCK, 2 * BLOCK, MIB);
	assert_reads(f, parts, BLOB_SIZE - 17, 17, MIB);
	assert_int_equal(f->origin.calls, 2);
	assert_reads(f, parts, 5 * BLOCK - 1, 2, 0);
	assert_asked(f, 2, 5 * BLOCK, BLOCK);
	parts_put(parts);
}

/* As a crash may leave it. */
static void half_a_block_is_none(void **state)
{
	struct fixture *f = *state;
	struct parts *parts;
	char path[512];
	int fd;

	snprintf(path, sizeof(path), "%s/parts", f->dir);
	assert_int_equal(mkdir(path, 0700), 0);
	write_file(parts_path(f, path), f->content.bytes, BLOCK + 4096);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	assert_int_equal(pwrite(fd, f->content.bytes + 3 * BLOCK - 4096,
			     BLOCK + 4096, 3 * BLOCK - 4096),
	    BLOCK + 4096);
	close(fd);
	parts = get_parts(f);
	assert_int_equal(parts_cached(parts), 2 * BLOCK);
	assert_reads(f, parts, 0, 5 * BLOCK, 0);
	assert_int_equal(f->origin.sent, 3 * BLOCK);
	parts_put(parts);
}

static void a_whole_blob_is_read_instead(void **state)
{
	struct fixture *f = *state;
	struct parts *parts = get_parts(f);
	struct blob *blob = get(f);
	char path[512];

	assert_reads(f, parts, 0, 1, 0);
	assert_true(file_exists(parts_path(f, path)));
	assert_reads_all(blob, &f->content);
	blob_put(blob);
	/* Its name comes when it is on the disk. */
	while (!file_exists(whole_path(f, path)))
		sched_yield();
	assert_int_equal(f->origin.calls, 2);
	assert_reads(f, parts, 5 * BLOCK, BLOCK, 0);
	assert_int_equal(parts_cached(parts), BLOB_SIZE);
	assert_false(file_exists(parts_path(f, path)));
	parts_put(parts);

	parts = get_parts(f);
	assert_int_equal(parts_cached(parts), BLOB_SIZE);
	assert_reads(f, parts, 0, BLOB_SIZE, 0);
	assert_int_equal(f->origin.calls, 2);
	assert_false(file_exists(parts_path(f, path)));
	parts_put(parts);
}

static void a_damaged_blob_is_replaced_by_parts(void **state)
{
	struct fixture *f = *state;
	struct err err = ERR_INIT;
	struct content wrong;
	struct parts *parts;
	char path[512];

	content_init(&wrong, BLOB_SIZE, 99);
	assert_int_equal(store_save(f->store, &f->content.digest, wrong.bytes,
			     BLOB_SIZE, &err),
	    0);
	parts = get_parts(f);
	assert_int_equal(read_part(parts, &wrong, 9, BLOCK, 0, &err), 0);
	parts_drop(parts, 9, BLOCK);
	assert_false(file_exists(whole_path(f, path)));
	assert_int_equal(parts_cached(parts), 0);
	assert_reads(f, parts, 9, BLOCK, 0);
	assert_asked(f, 0, 0, 2 * BLOCK);
	parts_put(parts);
	content_release(&wrong);
}

static void what_is_no_part_is_an_error(void **state)
{
	struct fixture *f = *state;
	const struct store_source source = {.fetch = origin_fetch,
	    .release = origin_release,
	    .arg = &f->origin};
	struct parts *parts = get_parts(f);
	struct err err = ERR_INIT;
	struct content empty;
	char data[2];

	assert_int_equal(parts_read(parts, data, 2, BLOB_SIZE - 1, 0, &err),
	    -EINVAL);
	assert_int_equal(parts_read(parts, data, 1, UINT64_MAX, 0, &err),
	    -EINVAL);
	assert_int_equal(parts_read(parts, data, 0, BLOB_SIZE, MIB, &err), 0);
	parts_put(parts);

	content_init(&empty, 0, 1);
	parts = parts_from(f->store, &empty, &f->origin);
	assert_int_equal(parts_read(parts, data, 0, 0, MIB, &err), 0);
	assert_int_equal(parts_read(parts, data, 1, 0, MIB, &err), -EINVAL);
	parts_drop(parts, 0, 0);
	assert_int_equal(parts_cached(parts), 0);
	parts_put(parts);
	content_release(&empty);

	assert_int_equal(store_parts(f->store, &f->content.digest, UINT64_MAX,
			     &source, &parts, &err),
	    -EFBIG);
	assert_int_equal(store_parts(f->store, &f->content.digest, 0, &source,
			     &parts, &err),
	    -EBADMSG);
	assert_int_equal(f->origin.calls, 0);
	assert_int_equal(f->origin.released, 4);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    STORE_TEST(a_part_is_fetched_and_kept),
	    STORE_TEST(a_window_comes_with_the_first_read),
	    STORE_TEST(a_window_ends_at_what_is_there),
	    STORE_TEST(the_front_of_a_window_is_read_while_the_rest_comes),
	    STORE_TEST(other_windows_are_fetched_meanwhile),
	    STORE_TEST(no_byte_is_fetched_twice),
	    STORE_TEST(an_interrupt_is_its_readers_alone),
	    STORE_TEST(what_was_wrong_is_fetched_anew),
	    STORE_TEST(the_next_mount_has_them),
	    STORE_TEST(half_a_block_is_none),
	    STORE_TEST(a_whole_blob_is_read_instead),
	    STORE_TEST(a_damaged_blob_is_replaced_by_parts),
	    STORE_TEST(what_is_no_part_is_an_error),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
