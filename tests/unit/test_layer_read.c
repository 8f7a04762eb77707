/* SPDX-License-Identifier: Apache-2.0 */
/* Reading files of layers where they are. */
#include "layer_fixture.h"

static void check_facts(const struct layer_index *index, enum packing packing,
    const struct remote *remote, const struct tarball *tar)
{
	const struct layer_facts *facts = layer_index_facts(index);
	uint32_t spans = layer_index_spans(index);

	assert_int_equal(facts->vouching, LAYER_BY_SPANS);
	assert_true(digest_equal(&facts->blob, &remote->content.digest));
	assert_int_equal(facts->blob_size, remote->content.size);
	assert_int_equal(facts->stream_size, tar->bytes.len);
	/* A frame cannot be entered. */
	if (packing == ZSTD_ONE)
		assert_int_equal(spans, 1);
	else
		assert_in_range(spans, 3, tar->bytes.len / SPAN + 1);
}

static void check_spans(const struct layer_index *index)
{
	const struct layer_facts *facts = layer_index_facts(index);
	uint64_t out = 0;

	for (uint32_t i = 0; i < layer_index_spans(index); i++) {
		const struct layer_span span = span_in(index, i);

		assert_int_equal(span.out, out);
		assert_true(span.in + span.in_len <= facts->blob_size);
		out += span.out_len;
	}
	assert_int_equal(out, facts->stream_size);
}

static void check_random_reads(struct layer *layer, const struct tarball *tar,
    unsigned count)
{
	unsigned seed = 1;

	while (count-- > 0) {
		const struct file *file =
		    &tar->files[(size_t)rand_r(&seed) % tar->count];
		uint64_t off =
		    (uint64_t)rand_r(&seed) % (file->content.len + 2);
		size_t len = (size_t)rand_r(&seed) % (1 << rand_r(&seed) % 21);
		struct err err = ERR_INIT;

		if (read_piece(layer, file, len, off, &err) < 0)
			fail_msg("%s: %s", file->name, err.msg);
	}
}

static void test_all_kinds(void **state)
{
	struct world *world = *state;

	for (enum packing packing = PLAIN; packing < PACKINGS; packing++) {
		struct remote *remote =
		    add_remote(world, packing, &world->tar.bytes);
		CLEANUP(layer_put_p)
		struct layer *layer = open_layer(&world->shelf, remote);
		const struct layer_index *index = index_of(layer);

		check_facts(index, packing, remote, &world->tar);
		check_spans(index);
		assert_files(layer, &world->tar);
		check_random_reads(layer, &world->tar, 300);
		assert_int_equal(remote->origin.calls, 1);
		assert_int_equal(remote->origin.sent, remote->content.size);
	}
}

/* Only what is needed is fetched, and all of it is right. */
static void test_ranges(void **state)
{
	struct world *world = *state;

	for (enum packing packing = PLAIN; packing < PACKINGS; packing++) {
		struct remote *remote =
		    add_remote(world, packing, &world->tar.bytes);
		struct layer *layer = open_layer(&world->shelf, remote);
		struct err err = ERR_INIT;
		uint64_t sent;

		index_of(layer);
		layer_put(layer);
		forget_blobs(world);
		layer = open_layer(&world->shelf, remote);
		assert_non_null(layer_index_known(layer));
		sent = remote_sent(remote);
		assert_int_equal(read_piece(layer, file_of(&world->tar, "last"),
				     5, 0, &err),
		    0);
		if (packing != ZSTD_ONE)
			assert_in_range(remote_sent(remote) - sent, 1,
			    remote->content.size / 2);
		assert_files(layer, &world->tar);
		check_random_reads(layer, &world->tar, 100);
		/* Nothing twice, as blocks go. */
		assert_true(remote_sent(remote) - sent <= remote->content.size);
		layer_put(layer);
	}
}

/* In the middle of a directory of small files: one span and no more. */
static void test_one_file(void **state)
{
	struct world *world = *state;
	struct remote *remote = add_remote(world, GZIP_ONE, &world->tar.bytes);
	struct layer *layer = open_layer(&world->shelf, remote);
	struct layer_span span;
	const struct layer_index *index = index_of(layer);
	struct err err = ERR_INIT;
	uint64_t sent;

	layer_put(layer);
	forget_blobs(world);
	layer = open_layer(&world->shelf, remote);
	index = layer_index_known(layer);
	sent = remote_sent(remote);
	for (int i = 0; i < 3; i++)
		assert_int_equal(read_piece(layer,
				     file_of(&world->tar, "dir/7"), 100, 0,
				     &err),
		    0);
	span = span_in(index, 0);
	assert_int_equal(remote->origin.calls, 2);
	assert_in_range(remote_sent(remote) - sent, span.in_len,
	    span.in_len + 2 * 64 * KIB);
	layer_put(layer);
}

static void test_short_reads(void **state)
{
	struct world *world = *state;
	struct remote *remote = add_remote(world, GZIP_MANY, &world->tar.bytes);
	CLEANUP(layer_put_p)
	struct layer *layer = open_layer(&world->shelf, remote);
	const struct layer_index *index = index_of(layer);
	struct err err = ERR_INIT;
	char data[64];

	assert_int_equal(layer_read(layer, entry_of(index, "last"), data, 64, 4,
			     &err),
	    8);
	assert_int_equal(layer_read(layer, entry_of(index, "last"), data, 64,
			     12, &err),
	    0);
	assert_int_equal(layer_read(layer, entry_of(index, "last"), data, 64,
			     UINT64_MAX, &err),
	    0);
	assert_int_equal(layer_read(layer, entry_of(index, "last"), data, 0, 0,
			     &err),
	    0);
	assert_int_equal(layer_read(layer, entry_of(index, "empty"), data, 64,
			     0, &err),
	    0);
	/* What is no file has no bytes, whatever its size says. */
	assert_int_equal(layer_read(layer, entry_of(index, "dir"), data, 64, 0,
			     &err),
	    -EINVAL);
	assert_int_equal(layer_read(layer, entry_of(index, "symlink"), data, 64,
			     0, &err),
	    -EINVAL);
}

static void test_hard_link(void **state)
{
	struct world *world = *state;
	struct remote *remote = add_remote(world, GZIP_ONE, &world->tar.bytes);
	CLEANUP(layer_put_p)
	struct layer *layer = open_layer(&world->shelf, remote);
	const struct layer_index *index = index_of(layer);
	struct file file = *file_of(&world->tar, "noise");
	struct err err = ERR_INIT;

	snprintf(file.name, sizeof(file.name), "hardlink");
	assert_file(layer, &file);
	assert_int_equal(entry_in(index, entry_of(index, "hardlink")).link,
	    entry_of(index, "noise"));
	assert_int_equal(entry_in(index, entry_of(index, "noise")).links, 2);
	assert_int_equal(read_piece(layer, &file, 10, 1000, &err), 0);
}

static void test_dangling(void **state)
{
	struct world *world = *state;
	AUTO_TARBALL struct tarball tar = {.count = 0};
	struct remote *remote;
	CLEANUP(layer_put_p) struct layer *layer = NULL;
	struct err err = ERR_INIT;
	char data[8];

	tar_link(&tar, TAR_HARDLINK, "h", "nowhere");
	tar_end(&tar);
	remote = add_remote(world, PLAIN, &tar.bytes);
	layer = open_layer(&world->shelf, remote);
	assert_int_equal(layer_read(layer, entry_of(index_of(layer), "h"), data,
			     8, 0, &err),
	    -EIO);
	assert_non_null(strstr(err.msg, "nowhere"));
}

/* Whatever decoded spans there is room for. */
static void test_in_order_and_back(void **state)
{
	struct world *world = *state;
	AUTO_TARBALL struct tarball tar = {.count = 0};
	struct remote *remote;
	CLEANUP(layer_put_p) struct layer *layer = NULL;

	tar_file_of(&tar, "a", TEXT, 30);
	tar_file_of(&tar, "b", NOISE, 30);
	tar_end(&tar);
	remote = add_remote(world, GZIP_ONE, &tar.bytes);
	layer = open_layer(&world->shelf, remote);
	index_of(layer);
	assert_files(layer, &tar);
	for (uint64_t off = tar.files[0].content.len; off > 100000;
	     off -= 100000) {
		struct err err = ERR_INIT;

		assert_int_equal(read_piece(layer, &tar.files[0], 100, off,
				     &err),
		    0);
	}
	assert_files(layer, &tar);
}

struct scan {
	pthread_t thread;
	struct layer *layer;
	const struct tarball *tar;
	unsigned seed;
	int result;
	struct err err;
};

static void *scan_run(void *arg)
{
	struct scan *scan = arg;

	for (int i = 0; i < 60 && scan->result == 0; i++) {
		const struct file *file =
		    &scan->tar->files[(size_t)rand_r(&scan->seed) %
				      scan->tar->count];
		uint64_t off =
		    (uint64_t)rand_r(&scan->seed) % (file->content.len + 1);

		scan->result =
		    read_piece(scan->layer, file, 100000, off, &scan->err);
	}
	return NULL;
}

static void test_many_readers(void **state)
{
	enum { SCANS = 8 };
	struct world *world = *state;

	for (enum packing packing = PLAIN; packing < PACKINGS; packing++) {
		struct remote *remote =
		    add_remote(world, packing, &world->tar.bytes);
		CLEANUP(layer_put_p)
		struct layer *layer = open_layer(&world->shelf, remote);
		struct scan scans[SCANS];

		index_of(layer);
		layer_put(steal(&layer));
		forget_blobs(world);
		layer = open_layer(&world->shelf, remote);
		assert_non_null(layer_index_known(layer));
		for (unsigned i = 0; i < SCANS; i++) {
			scans[i] = (struct scan){.layer = layer,
			    .tar = &world->tar,
			    .seed = i};
			pthread_create(&scans[i].thread, NULL, scan_run,
			    &scans[i]);
		}
		for (unsigned i = 0; i < SCANS; i++) {
			pthread_join(scans[i].thread, NULL);
			if (scans[i].result < 0)
				fail_msg("%s", scans[i].err.msg);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    WORLD_TEST(test_all_kinds),
	    WORLD_TEST(test_ranges),
	    WORLD_TEST(test_one_file),
	    WORLD_TEST(test_short_reads),
	    WORLD_TEST(test_hard_link),
	    WORLD_TEST(test_dangling),
	    WORLD_TEST(test_in_order_and_back),
	    WORLD_TEST(test_many_readers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
