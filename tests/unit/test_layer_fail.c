/* SPDX-License-Identifier: Apache-2.0 */
/* Reads of layers whose bytes are wrong, or do not come. */
#include "layer_fixture.h"

/* A layer whose index is known and of whose blob nothing is there. */
static struct layer *open_bare(struct world *world, struct remote *remote)
{
	struct layer *layer = open_layer(&world->shelf, remote);

	index_of(layer);
	layer_put(layer);
	forget_blobs(world);
	layer = open_layer(&world->shelf, remote);
	assert_non_null(layer_index_known(layer));
	return layer;
}

static const enum packing with_spans[] = {PLAIN, GZIP_ONE, GZIP_MANY, ZSTD_ONE,
    ZSTD_MANY};

enum { KINDS_OF_SPANS = sizeof(with_spans) / sizeof(*with_spans) };

/* The span with the file's first byte. */
static struct layer_span span_of(struct layer *layer, const struct file *file)
{
	const struct layer_index *index = layer_index_known(layer);
	uint64_t address = entry_in(index, entry_of(index, file->name)).data;

	return span_in(index, span_at(index, address));
}

/* How often the origin was asked for that byte since those calls. */
static unsigned count_asked(struct remote *remote, unsigned calls, uint64_t off)
{
	const struct origin *origin = &remote->origin;
	unsigned count = 0;

	SCOPED_LOCK(&remote->origin.lock);
	assert_true(origin->calls <= CALLS_MAX);
	for (unsigned i = calls; i < origin->calls; i++)
		count += origin->offsets[i] <= off &&
			 off < origin->offsets[i] + origin->lens[i];
	return count;
}

static void test_wrong_bytes(void **state)
{
	struct world *world = *state;
	const struct file *file = file_of(&world->tar, "noise");

	for (int i = 0; i < KINDS_OF_SPANS; i++) {
		struct remote *remote =
		    add_remote(world, with_spans[i], &world->tar.bytes);
		struct layer *layer = open_bare(world, remote);
		const struct layer_span span = span_of(layer, file);
		struct err err = ERR_INIT;
		uint64_t wrong = span.in + span.in_len / 2;
		unsigned calls;

		remote_damage(remote, (long)wrong);
		calls = remote_calls(remote);
		assert_int_equal(read_piece(layer, file, 100, 0, &err),
		    -EBADMSG);
		assert_int_equal(count_asked(remote, calls, wrong), 2);
		/* So it is again, as long as they are. */
		assert_int_equal(read_piece(layer, file, 100, 0, &err),
		    -EBADMSG);
		/* What is wrong was kept: it is noticed, and fetched anew. */
		remote_damage(remote, NEVER);
		calls = remote_calls(remote);
		assert_int_equal(read_piece(layer, file, 100, 0, &err), 0);
		assert_int_equal(count_asked(remote, calls, wrong), 1);
		assert_files(layer, &world->tar);
		layer_put(layer);
	}
}

/* What rots on the disk, in a blob that is whole. */
static void test_rotten_blob(void **state)
{
	struct world *world = *state;
	const struct file *file = file_of(&world->tar, "noise");
	struct remote *remote = add_remote(world, GZIP_ONE, &world->tar.bytes);
	struct layer *layer = open_layer(&world->shelf, remote);
	struct fixture where;
	char path[512];
	int fd;

	index_of(layer);
	layer_put(layer);
	reopen(world);
	snprintf(where.dir, sizeof(where.dir), "%s", world->dir);
	where.content = remote->content;
	fd = open(whole_path(&where, path), O_WRONLY);
	layer = open_layer(&world->shelf, remote);
	assert_true(fd >= 0);
	assert_int_equal(pwrite(fd, "rotten", 6,
			     (off_t)span_of(layer, file).in + 1000),
	    6);
	close(fd);
	assert_files(layer, &world->tar);
	assert_true(remote_calls(remote) > 1);
	layer_put(layer);
}

struct reader {
	pthread_t thread;
	struct task task;
	pthread_barrier_t met;
	struct layer *layer;
	const struct file *file;
	int result;
	struct err err;
};

static void *read_some(void *arg)
{
	struct reader *reader = arg;

	task_begin(&reader->task);
	pthread_barrier_wait(&reader->met);
	reader->result =
	    read_piece(reader->layer, reader->file, 100, 0, &reader->err);
	pthread_barrier_wait(&reader->met);
	task_end(&reader->task);
	return NULL;
}

static void reader_start(struct reader *reader, struct layer *layer,
    const struct file *file)
{
	memset(reader, 0, sizeof(*reader));
	reader->layer = layer;
	reader->file = file;
	pthread_barrier_init(&reader->met, NULL, 2);
	pthread_create(&reader->thread, NULL, read_some, reader);
	pthread_barrier_wait(&reader->met);
}

static int reader_end(struct reader *reader)
{
	pthread_barrier_wait(&reader->met);
	pthread_join(reader->thread, NULL);
	pthread_barrier_destroy(&reader->met);
	return reader->result;
}

/* One who goes away does not take the span from those who wait with him. */
static void test_interrupted(void **state)
{
	enum { READERS = 4 };
	struct world *world = *state;
	const struct file *file = file_of(&world->tar, "noise");

	for (int i = 0; i < KINDS_OF_SPANS; i++) {
		struct remote *remote =
		    add_remote(world, with_spans[i], &world->tar.bytes);
		struct layer *layer = open_bare(world, remote);
		struct reader readers[READERS];
		unsigned calls = remote_calls(remote);

		origin_open_gate(&remote->origin, 0);
		for (int j = 0; j < READERS; j++)
			reader_start(&readers[j], layer, file);
		origin_await_calls(&remote->origin, calls + 1);
		for (int j = 0; j < READERS - 1; j++)
			task_interrupt(&readers[j].task);
		for (int j = 0; j < READERS - 1; j++)
			assert_int_equal(reader_end(&readers[j]), -EINTR);
		origin_open_gate(&remote->origin, SIZE_MAX);
		if (reader_end(&readers[READERS - 1]) < 0)
			fail_msg("%s", readers[READERS - 1].err.msg);
		layer_put(layer);
	}
}

static void test_source_fails(void **state)
{
	struct world *world = *state;
	const struct file *file = file_of(&world->tar, "noise");

	for (int i = 0; i < KINDS_OF_SPANS; i++) {
		struct remote *remote =
		    add_remote(world, with_spans[i], &world->tar.bytes);
		struct layer *layer = open_bare(world, remote);
		struct err err = ERR_INIT;

		remote->origin.failing = 1000000;
		remote->origin.failure = ENETUNREACH;
		assert_int_equal(read_piece(layer, file, 100, 0, &err),
		    -ENETUNREACH);
		assert_non_null(strstr(err.msg, "the origin is away"));
		/* A file without bytes needs none. */
		assert_int_equal(read_piece(layer,
				     file_of(&world->tar, "empty"), 100, 0,
				     &err),
		    0);
		remote->origin.failing = 0;
		assert_files(layer, &world->tar);
		layer_put(layer);
	}
}

/* Too much for a span, and entered nowhere: the stream is kept decoded. */
static void tar_long_frame(struct tarball *tar)
{
	tar_file(tar, "first", "the first one", 13);
	tar_file_of(tar, "text", TEXT, 20);
	tar_file_of(tar, "zeros", ZEROS, 25);
	tar_sparse(tar, "sparse", 100001, 54321);
	tar_file(tar, "last", "the last one", 12);
	tar_end(tar);
}

static void test_stream(void **state)
{
	struct world *world = *state;
	AUTO_TARBALL struct tarball tar = {.count = 0};
	struct remote *remote;
	struct layer *layer;
	const struct layer_facts *facts;

	tar_long_frame(&tar);
	remote = add_remote(world, ZSTD_ONE, &tar.bytes);
	layer = open_layer(&world->shelf, remote);
	facts = layer_index_facts(index_of(layer));
	assert_int_equal(facts->vouching, LAYER_BY_STREAM);
	assert_int_equal(facts->stream_size, tar.bytes.len);
	assert_files(layer, &tar);
	layer_put(layer);
	reopen(world);
	layer = open_layer(&world->shelf, remote);
	assert_files(layer, &tar);
	assert_int_equal(remote_calls(remote), 1);
	layer_put(layer);
	/* Gone, it is made again of what is fetched again. */
	forget_blobs(world);
	layer = open_layer(&world->shelf, remote);
	assert_files(layer, &tar);
	assert_int_equal(remote_calls(remote), 2);
	layer_put(layer);
}

static void test_stream_fails(void **state)
{
	struct world *world = *state;
	AUTO_TARBALL struct tarball tar = {.count = 0};
	struct remote *remote;
	struct layer *layer;
	struct reader readers[2];
	struct err err = ERR_INIT;

	tar_long_frame(&tar);
	remote = add_remote(world, ZSTD_ONE, &tar.bytes);
	layer = open_bare(world, remote);
	remote->origin.failing = 1000000;
	remote->origin.failure = ENETUNREACH;
	assert_int_equal(read_piece(layer, &tar.files[0], 5, 0, &err),
	    -ENETUNREACH);
	remote->origin.failing = 0;
	remote_damage(remote, (long)remote->content.size / 2);
	assert_int_equal(read_piece(layer, &tar.files[0], 5, 0, &err),
	    -EBADMSG);
	remote_damage(remote, NEVER);
	origin_open_gate(&remote->origin, 0);
	reader_start(&readers[0], layer, &tar.files[0]);
	reader_start(&readers[1], layer, &tar.files[4]);
	task_interrupt(&readers[0].task);
	assert_int_equal(reader_end(&readers[0]), -EINTR);
	origin_open_gate(&remote->origin, SIZE_MAX);
	assert_int_equal(reader_end(&readers[1]), 0);
	assert_files(layer, &tar);
	layer_put(layer);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    WORLD_TEST(test_wrong_bytes),
	    WORLD_TEST(test_rotten_blob),
	    WORLD_TEST(test_interrupted),
	    WORLD_TEST(test_source_fails),
	    WORLD_TEST(test_stream),
	    WORLD_TEST(test_stream_fails),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
