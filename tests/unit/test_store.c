/* SPDX-License-Identifier: Apache-2.0 */
/* Blobs through the store: once for all readers, and while they arrive. */
#include <stdatomic.h>

#include "base/task.h"
#include "store_fixture.h"

enum { READERS = 16 };

static void a_blob_is_fetched_and_kept(void **state)
{
	struct fixture *f = *state;
	struct blob *blob = get(f);
	char path[512];

	assert_int_equal(blob_size(blob), BLOB_SIZE);
	assert_int_equal(f->origin.calls, 0);
	assert_false(blob_verified(blob));
	assert_int_equal(blob_cached(blob), 0);
	assert_reads_all(blob, &f->content);
	assert_true(blob_verified(blob));
	assert_int_equal(blob_cached(blob), BLOB_SIZE);
	blob_put(blob);
	store_fixture_close(f);
	assert_int_equal(f->origin.calls, 1);
	assert_int_equal(f->origin.released, 1);
	assert_true(file_exists(whole_path(f, path)));
	assert_false(file_exists(partial_path(f, path)));
}

static void the_next_mount_has_it(void **state)
{
	struct fixture *f = *state;
	struct store_stats stats;
	struct blob *blob = get(f);

	assert_reads_all(blob, &f->content);
	blob_put(blob);
	store_fixture_close(f);
	store_fixture_open(f);
	blob = get(f);
	assert_true(blob_verified(blob));
	assert_reads_all(blob, &f->content);
	store_stats(f->store, &stats);
	assert_int_equal(stats.hits, 1);
	assert_int_equal(stats.fetches, 0);
	blob_put(blob);
	assert_int_equal(f->origin.calls, 1);
	assert_int_equal(f->origin.released, 2);
}

struct reader {
	pthread_t thread;
	struct fixture *fixture;
	pthread_barrier_t *start;
	int result;
	struct err err;
};

static void *read_it(void *arg)
{
	struct reader *reader = arg;
	struct fixture *f = reader->fixture;
	const struct store_source source = {.fetch = origin_fetch,
	    .release = origin_release,
	    .arg = &f->origin};
	struct blob *blob;

	pthread_barrier_wait(reader->start);
	reader->result = store_get(f->store, &f->content.digest, BLOB_SIZE,
	    &source, &blob, &reader->err);
	if (reader->result < 0)
		return NULL;
	reader->result = read_all(blob, &f->content, &reader->err);
	blob_put(blob);
	return NULL;
}

static void many_readers_cause_one_fetch(void **state)
{
	struct reader readers[READERS];
	pthread_barrier_t start;

	pthread_barrier_init(&start, NULL, READERS);
	for (int i = 0; i < READERS; i++) {
		readers[i] = (struct reader){0, *state, &start, 0, ERR_INIT};
		pthread_create(&readers[i].thread, NULL, read_it, &readers[i]);
	}
	for (int i = 0; i < READERS; i++) {
		pthread_join(readers[i].thread, NULL);
		if (readers[i].result < 0)
			fail_msg("%s", readers[i].err.msg);
	}
	pthread_barrier_destroy(&start);
	assert_int_equal(((struct fixture *)*state)->origin.calls, 1);
}

/* A read of one byte in a thread of its own. */
struct waiter {
	pthread_t thread;
	struct blob *blob;
	uint64_t off;
	struct task task;
	pthread_barrier_t begun;
	atomic_bool done;
	int result;
	struct err err;
};

static void *wait_for_byte(void *arg)
{
	struct waiter *waiter = arg;

	task_begin(&waiter->task);
	pthread_barrier_wait(&waiter->begun);
	waiter->result = read_at(waiter->blob, waiter->off, &waiter->err);
	atomic_store(&waiter->done, true);
	pthread_barrier_wait(&waiter->begun);
	task_end(&waiter->task);
	return NULL;
}

static void waiter_start(struct waiter *waiter, struct blob *blob, uint64_t off)
{
	memset(waiter, 0, sizeof(*waiter));
	waiter->blob = blob;
	waiter->off = off;
	pthread_barrier_init(&waiter->begun, NULL, 2);
	pthread_create(&waiter->thread, NULL, wait_for_byte, waiter);
	pthread_barrier_wait(&waiter->begun);
}

static int waiter_end(struct waiter *waiter)
{
	pthread_barrier_wait(&waiter->begun);
	pthread_join(waiter->thread, NULL);
	pthread_barrier_destroy(&waiter->begun);
	return waiter->result;
}

static void the_front_is_read_before_the_rest_is_there(void **state)
{
	struct fixture *f = *state;
	struct err err = ERR_INIT;
	struct waiter last;
	struct blob *blob = get(f);

	origin_open_gate(&f->origin, 100 * KIB);
	waiter_start(&last, blob, BLOB_SIZE - 1);
	assert_int_equal(read_at(blob, 0, &err), 1);
	assert_int_equal(read_at(blob, 100 * KIB - 1, &err), 1);
	assert_int_equal(blob_cached(blob), 100 * KIB);
	assert_false(blob_verified(blob));

	/* All but the last byte is there; nothing says that it is right. */
	origin_open_gate(&f->origin, BLOB_SIZE - 1);
	assert_int_equal(read_at(blob, BLOB_SIZE - 2, &err), 1);
	assert_false(atomic_load(&last.done));
	origin_open_gate(&f->origin, SIZE_MAX);
	assert_int_equal(waiter_end(&last), 1);
	assert_true(blob_verified(blob));
	blob_put(blob);
}

static void an_interrupt_ends_a_wait(void **state)
{
	struct fixture *f = *state;
	struct waiter waiter;
	struct blob *blob = get(f);

	origin_open_gate(&f->origin, PIECE);
	waiter_start(&waiter, blob, BLOB_SIZE / 2);
	origin_await_calls(&f->origin, 1);
	task_interrupt(&waiter.task);
	assert_int_equal(waiter_end(&waiter), -EINTR);
	assert_int_equal(waiter.err.code, EINTR);

	/* The fetch is everybody's and goes on. */
	origin_open_gate(&f->origin, SIZE_MAX);
	assert_reads_all(blob, &f->content);
	assert_int_equal(f->origin.calls, 1);
	blob_put(blob);
}

enum { FETCHERS = 4 }; /* as the fixture opens the store */

/* It was not looked at yet, and is as good as before. */
static void what_was_left_outlives_who_wanted_it(void **state)
{
	struct fixture *f = *state;
	struct content others[FETCHERS];
	struct origin busy[FETCHERS];
	struct blob *blobs[FETCHERS], *blob;
	struct waiter waiters[FETCHERS], waiter;
	char path[512];

	write_partial(f, f->content.bytes, 3 * PIECE);
	for (unsigned i = 0; i < FETCHERS; i++) {
		content_init(&others[i], BLOB_SIZE, 10 + i);
		origin_init(&busy[i], &others[i]);
		origin_open_gate(&busy[i], 0);
		blobs[i] = get_from(f->store, &others[i], &busy[i]);
		waiter_start(&waiters[i], blobs[i], 0);
		origin_await_calls(&busy[i], 1);
	}
	/* Nobody fetches it before the others have come. */
	blob = get(f);
	waiter_start(&waiter, blob, BLOB_SIZE - 1);
	task_interrupt(&waiter.task);
	assert_int_equal(waiter_end(&waiter), -EINTR);
	blob_put(blob);
	for (unsigned i = 0; i < FETCHERS; i++) {
		origin_open_gate(&busy[i], SIZE_MAX);
		assert_int_equal(waiter_end(&waiters[i]), 1);
		blob_put(blobs[i]);
	}
	store_fixture_close(f);
	assert_true(file_exists(partial_path(f, path)));
	assert_int_equal(f->origin.calls, 0);
	for (unsigned i = 0; i < FETCHERS; i++)
		content_release(&others[i]);
}

static void reads_end_where_the_blob_ends(void **state)
{
	struct fixture *f = *state;
	struct err err = ERR_INIT;
	char data[64];
	struct blob *blob = get(f);

	assert_int_equal(blob_read(blob, data, sizeof(data), BLOB_SIZE - 10,
			     &err),
	    10);
	assert_memory_equal(data, f->content.bytes + BLOB_SIZE - 10, 10);
	assert_int_equal(blob_read(blob, data, sizeof(data), BLOB_SIZE, &err),
	    0);
	assert_int_equal(blob_read(blob, data, sizeof(data), UINT64_MAX, &err),
	    0);
	assert_int_equal(blob_read(blob, data, 0, 5, &err), 0);
	blob_put(blob);
}

static void an_empty_blob_is_no_exception(void **state)
{
	struct fixture *f = *state;
	struct content empty;
	struct err err = ERR_INIT;
	struct blob *blob;

	content_init(&empty, 0, 1);
	blob = get_from(f->store, &empty, &f->origin);
	assert_int_equal(read_at(blob, 0, &err), 0);
	assert_true(blob_verified(blob));
	blob_put(blob);

	content_release(&empty);
}

/* Nobody would ever read it, and find that it is not. */
static void what_is_only_said_to_be_empty_is_not_opened(void **state)
{
	struct fixture *f = *state;
	const struct store_source source = {.fetch = origin_fetch,
	    .release = origin_release,
	    .arg = &f->origin};
	struct err err = ERR_INIT;
	struct blob *blob = get(f);

	assert_reads_all(blob, &f->content);
	blob_put(blob);
	assert_int_equal(store_get(f->store, &f->content.digest, 0, &source,
			     &blob, &err),
	    -EBADMSG);
	assert_non_null(strstr(err.msg, "size 0"));
	assert_int_equal(f->origin.released, 1);
	/* What is right stays. */
	blob = get(f);
	assert_true(blob_verified(blob));
	blob_put(blob);
}

static void sources_are_released_also_when_not_needed(void **state)
{
	struct fixture *f = *state;
	struct blob *blobs[8];

	for (int i = 0; i < 8; i++)
		blobs[i] = get(f);
	assert_int_equal(f->origin.released, 4);
	assert_reads_all(blobs[7], &f->content);
	for (int i = 0; i < 8; i++)
		blob_put(blobs[i]);
	store_fixture_close(f);
	assert_int_equal(f->origin.released, 8);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    STORE_TEST(a_blob_is_fetched_and_kept),
	    STORE_TEST(the_next_mount_has_it),
	    STORE_TEST(many_readers_cause_one_fetch),
	    STORE_TEST(the_front_is_read_before_the_rest_is_there),
	    STORE_TEST(an_interrupt_ends_a_wait),
	    STORE_TEST(what_was_left_outlives_who_wanted_it),
	    STORE_TEST(reads_end_where_the_blob_ends),
	    STORE_TEST(an_empty_blob_is_no_exception),
	    STORE_TEST(what_is_only_said_to_be_empty_is_not_opened),
	    STORE_TEST(sources_are_released_also_when_not_needed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
