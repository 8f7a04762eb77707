/* SPDX-License-Identifier: Apache-2.0 */
/* Blobs that are larger than the disk: they pass, and are fetched again. */
#include "small_disk.h"

enum { LARGE = 9 * MIB + 17, DIGESTED = 512 * KIB };

static int setup_large(void **state)
{
	struct fixture *f;

	setup_small_disk(state);
	f = *state;
	content_release(&f->content);
	content_init(&f->content, LARGE, 5);
	origin_init(&f->origin, &f->content);
	return 0;
}

/* Wrong or not, as long as there is one of them. */
static void flip_content(struct fixture *f, size_t off)
{
	f->content.bytes[off] ^= 1;
}

static void a_reader_in_order_needs_it_once(void **state)
{
	struct fixture *f = require_disk(state);
	struct blob *blob = get(f);

	assert_reads_all(blob, &f->content);
	assert_int_equal(f->origin.calls, 1);
	assert_int_equal(f->origin.sent, LARGE);
	assert_true(blob_verified(blob));
	assert_int_equal(blob_unverified(blob), 0);
	blob_put(blob);
}

static void wrong_bytes_never_reach_the_end(void **state)
{
	struct fixture *f = require_disk(state);
	struct err err = ERR_INIT;
	struct blob *blob = get(f);

	flip_content(f, MIB);
	assert_int_equal(read_all(blob, &f->content, &err), -EBADMSG);
	assert_false(blob_verified(blob));
	flip_content(f, MIB);
	/* The wrong ones may have been on their way again. */
	err = (struct err)ERR_INIT;
	if (read_all(blob, &f->content, &err) < 0)
		assert_reads_all(blob, &f->content);
	blob_put(blob);
}

static void what_is_to_be_verified_first_is_fetched_twice(void **state)
{
	struct fixture *f = require_disk(state);
	struct err err = ERR_INIT;
	struct blob *blob = get(f);
	char bytes[100];

	assert_int_equal(blob_read_verified(blob, bytes, 100, MIB, &err), 100);
	assert_memory_equal(bytes, f->content.bytes + MIB, 100);
	assert_int_equal(f->origin.calls, 2);
	assert_asked(f, 1, MIB, DIGESTED);
	/* It is in memory then, and who goes on gets more of it. */
	assert_int_equal(blob_read(blob, bytes, 100, MIB + 5000, &err), 100);
	assert_int_equal(f->origin.calls, 2);
	assert_int_equal(blob_read(blob, bytes, 100, MIB + DIGESTED, &err),
	    100);
	assert_memory_equal(bytes, f->content.bytes + MIB + DIGESTED, 100);
	assert_asked(f, 2, MIB + DIGESTED, 2 * DIGESTED);
	blob_put(blob);
}

static void the_end_is_there_when_it_was_right(void **state)
{
	struct fixture *f = require_disk(state);
	struct err err = ERR_INIT;
	struct blob *blob = get(f);
	char bytes[1000];

	assert_int_equal(blob_read(blob, bytes, 2000, LARGE - 1000, &err),
	    1000);
	assert_memory_equal(bytes, f->content.bytes + LARGE - 1000, 1000);
	assert_int_equal(f->origin.calls, 1);
	blob_put(blob);
}

static void what_comes_again_is_compared(void **state)
{
	struct fixture *f = require_disk(state);
	struct err err = ERR_INIT;
	struct blob *blob = get(f);

	assert_int_equal(read_at(blob, LARGE - 1, &err), 1);
	flip_content(f, MIB);
	assert_int_equal(read_at(blob, MIB + 1, &err), -EILSEQ);
	assert_non_null(strstr(err.msg, "differ from those that came before"));
	/* What is elsewhere is right, and this is, too, when it is. */
	assert_int_equal(read_at(blob, 0, &err), 1);
	flip_content(f, MIB);
	assert_int_equal(read_at(blob, MIB + 1, &err), 1);
	blob_put(blob);
}

/* Who had the front of it, from the disk, gets the rest. */
static void the_disk_is_filled_meanwhile(void **state)
{
	struct fixture *f = require_disk(state);
	struct err err = ERR_INIT;
	struct blob *blob;
	char path[512];

	content_release(&f->content);
	content_init(&f->content, 2 * MIB, 6);
	origin_init(&f->origin, &f->content);
	origin_open_gate(&f->origin, MIB);
	blob = get(f);
	assert_int_equal(read_at(blob, MIB - 1, &err), 1);
	assert_int_equal(blob_cached(blob), MIB);
	fill_up_to(f, 0);
	origin_open_gate(&f->origin, SIZE_MAX);
	for (uint64_t off = MIB; off < 2 * MIB; off += PIECE) {
		char bytes[PIECE];

		assert_int_equal(blob_read(blob, bytes, PIECE, off, &err),
		    PIECE);
		assert_memory_equal(bytes, f->content.bytes + off, PIECE);
	}
	assert_int_equal(blob_cached(blob), 0);
	assert_false(file_exists(partial_path(f, path)));
	assert_int_equal(f->origin.calls, 2);
	assert_asked(f, 1, MIB, 0);
	assert_reads_all(blob, &f->content);
	blob_put(blob);
}

static void a_lost_reader_stops_it(void **state)
{
	struct fixture *f = require_disk(state);
	struct err err = ERR_INIT;
	struct blob *blob = get(f);

	origin_open_gate(&f->origin, 8 * MIB);
	assert_int_equal(read_at(blob, 8 * MIB - 1, &err), 1);
	blob_put(blob);
	origin_open_gate(&f->origin, SIZE_MAX);
	origin_await_returns(&f->origin, 1);
	assert_true(f->origin.sent < LARGE);
}

/* A reader that has it open all the time profits from it, too. */
static void there_is_room_again(void **state)
{
	struct fixture *f = require_disk(state);
	struct err err = ERR_INIT;
	struct blob *blob;

	content_release(&f->content);
	content_init(&f->content, 2 * MIB, 6);
	origin_init(&f->origin, &f->content);
	fill_up_to(f, MIB);
	blob = get(f);
	assert_reads_all(blob, &f->content);
	assert_int_equal(blob_cached(blob), 0);
	unfill(f);
	while (blob_cached(blob) < 2 * MIB)
		assert_int_equal(read_at(blob, MIB, &err), 1);
	assert_reads_all(blob, &f->content);
	assert_int_equal(f->origin.calls, 2);
	blob_put(blob);
}

/* Reads all of it in a thread. */
struct whole_reader {
	pthread_t thread;
	struct blob *blob;
	const struct content *content;
	int result;
	struct err err;
};

static void *read_whole(void *arg)
{
	struct whole_reader *reader = arg;

	reader->result = read_all(reader->blob, reader->content, &reader->err);
	return NULL;
}

static void many_readers_of_many_blobs(void **state)
{
	enum { BLOBS = 4, READERS = 12 };
	struct fixture *f = require_disk(state);
	struct content contents[BLOBS];
	struct origin origins[BLOBS];
	struct whole_reader readers[READERS];

	for (unsigned i = 0; i < BLOBS; i++) {
		content_init(&contents[i], LARGE, 10 + i);
		origin_init(&origins[i], &contents[i]);
	}
	for (unsigned i = 0; i < READERS; i++) {
		struct whole_reader *reader = &readers[i];

		reader->content = &contents[i % BLOBS];
		reader->blob =
		    get_from(f->store, reader->content, &origins[i % BLOBS]);
		reader->err = (struct err)ERR_INIT;
		pthread_create(&reader->thread, NULL, read_whole, reader);
	}
	for (unsigned i = 0; i < READERS; i++) {
		pthread_join(readers[i].thread, NULL);
		if (readers[i].result < 0)
			fail_msg("%s", readers[i].err.msg);
		blob_put(readers[i].blob);
	}
	/* The store may still have the sources that are on this stack. */
	store_fixture_close(f);
	store_fixture_open(f);
	for (unsigned i = 0; i < BLOBS; i++)
		content_release(&contents[i]);
}

static void parts_come_in_pieces(void **state)
{
	struct fixture *f = require_disk(state);
	struct parts *parts = get_parts(f);

	fill_up_to(f, 0);
	/* Who does not go on gets what is asked for. */
	assert_reads(f, parts, 100, 50, 0);
	assert_asked(f, 0, 100, 50);
	/* And else what fits in a piece. */
	assert_reads(f, parts, MIB, 50, 8 * MIB);
	assert_asked(f, 1, MIB, MIB);
	assert_reads(f, parts, MIB + 50, MIB - 50, 8 * MIB);
	assert_int_equal(f->origin.calls, 2);
	/* What was wrong comes again. */
	parts_drop(parts, MIB, 50);
	assert_reads(f, parts, MIB, 50, 8 * MIB);
	assert_int_equal(f->origin.calls, 3);
	assert_int_equal(parts_cached(parts), 0);
	parts_put(parts);
}

/* What a file is filled with, and how that fails. */
struct filling {
	size_t size;
	int failure;
	unsigned calls;
};

static int fill_file(void *arg, int fd, struct err *err)
{
	struct filling *filling = arg;

	filling->calls++;
	if (filling->failure)
		return err_set(err, filling->failure, "it does not work");
	assert_int_equal(ftruncate(fd, (off_t)filling->size), 0);
	return write(fd, "x", 1) == 1 ? 0 : err_sys(err, "write");
}

static int filled(struct fixture *f, struct filling *filling, struct err *err)
{
	return store_temp_filled(f->store, filling->size, fill_file, filling,
	    err);
}

static void files_in_memory_are_bounded(void **state)
{
	enum { SIZE = 10 * MIB, FIT = 3 };
	struct fixture *f = require_disk(state);
	struct filling filling = {.size = SIZE};
	struct err err = ERR_INIT;
	int fds[FIT], again;
	char byte;

	for (int i = 0; i < FIT; i++) {
		fds[i] = filled(f, &filling, &err);
		assert_true(fds[i] >= 0);
		assert_int_equal(pread(fds[i], &byte, 1, 0), 1);
		assert_int_equal(byte, 'x');
	}
	assert_int_equal(filled(f, &filling, &err), -ENOSPC);
	assert_non_null(strstr(err.msg, f->dir));
	assert_non_null(strstr(err.msg, "make room there"));
	close(fds[1]);
	again = filled(f, &filling, &err);
	assert_true(again >= 0);
	close(again);
	close(fds[0]);
	close(fds[2]);
}

static void what_does_not_work_is_not_tried_in_memory(void **state)
{
	struct fixture *f = require_disk(state);
	struct filling filling = {.size = 100, .failure = EUCLEAN};
	struct err err = ERR_INIT;

	assert_int_equal(filled(f, &filling, &err), -EUCLEAN);
	assert_int_equal(filling.calls, 1);
	assert_string_equal(err.msg, "it does not work");
	filling.failure = EDQUOT;
	assert_int_equal(filled(f, &filling, &err), -EDQUOT);
	assert_int_equal(filling.calls, 3);
}

#define LARGE_TEST(name) \
	cmocka_unit_test_setup_teardown(name, setup_large, teardown_small_disk)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    LARGE_TEST(a_reader_in_order_needs_it_once),
	    LARGE_TEST(wrong_bytes_never_reach_the_end),
	    LARGE_TEST(what_is_to_be_verified_first_is_fetched_twice),
	    LARGE_TEST(the_end_is_there_when_it_was_right),
	    LARGE_TEST(what_comes_again_is_compared),
	    LARGE_TEST(the_disk_is_filled_meanwhile),
	    LARGE_TEST(a_lost_reader_stops_it),
	    LARGE_TEST(there_is_room_again),
	    LARGE_TEST(many_readers_of_many_blobs),
	    LARGE_TEST(parts_come_in_pieces),
	    LARGE_TEST(files_in_memory_are_bounded),
	    LARGE_TEST(what_does_not_work_is_not_tried_in_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
