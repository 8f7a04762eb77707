/* SPDX-License-Identifier: Apache-2.0 */
/* Reading layers' blobs as they are stored, by the index of what is in them. */
#include "layer_fixture.h"

enum { BLOCKS = 2 * 64 * KIB }; /* what a request may take beside the span */

/* The layer as the next process has it, of which only the index is kept. */
static struct layer *indexed(struct world *world, struct remote *remote)
{
	struct layer *layer = open_layer(&world->shelf, remote);

	index_of(layer);
	layer_put(layer);
	forget_blobs(world);
	layer = open_layer(&world->shelf, remote);
	assert_true(layer_is_vouched(layer));
	return layer;
}

static int read_bytes(struct layer *layer, const struct remote *remote,
    size_t len, uint64_t off, struct err *err)
{
	const struct content *content = &remote->content;
	AUTO_FREE unsigned char *data = malloc(len + 1);
	size_t want = off < content->size ? content->size - off : 0;
	ssize_t n;

	assert_non_null(data);
	if (want > len)
		want = len;
	n = layer_read_stored(layer, data, len, off, err);
	if (n < 0) {
		assert_int_equal(n, -err->code);
		return (int)n;
	}
	assert_int_equal(n, want);
	assert_memory_equal(data, content->bytes + off, want);
	return 0;
}

static void assert_bytes(struct layer *layer, const struct remote *remote,
    size_t len, uint64_t off)
{
	struct err err = ERR_INIT;

	if (read_bytes(layer, remote, len, off, &err) < 0)
		fail_msg("%s", err.msg);
}

static void test_in_order(void **state)
{
	struct world *world = *state;

	for (enum packing packing = PLAIN; packing < PACKINGS; packing++) {
		struct remote *remote =
		    add_remote(world, packing, &world->tar.bytes);
		CLEANUP(layer_put_p)
		struct layer *layer = indexed(world, remote);
		uint64_t sent = remote_sent(remote);

		assert_int_equal(layer_cached(layer), 0);
		for (uint64_t off = 0; off <= remote->content.size;
		     off += 131072)
			assert_bytes(layer, remote, 131072, off);
		assert_bytes(layer, remote, 10, remote->content.size + 5);
		/* Nothing twice. */
		assert_int_equal(remote_sent(remote) - sent,
		    remote->content.size);
		assert_int_equal(layer_cached(layer), remote->content.size);
		layer_put(steal(&layer));
		reopen(world);
	}
}

static void test_anywhere(void **state)
{
	struct world *world = *state;

	for (enum packing packing = PLAIN; packing < PACKINGS; packing++) {
		struct remote *remote =
		    add_remote(world, packing, &world->tar.bytes);
		CLEANUP(layer_put_p)
		struct layer *layer = indexed(world, remote);
		unsigned seed = 1;

		for (int i = 0; i < 200; i++)
			assert_bytes(layer, remote,
			    (size_t)rand_r(&seed) % (1 << rand_r(&seed) % 21),
			    (uint64_t)rand_r(&seed) %
				(remote->content.size + 2));
		layer_put(steal(&layer));
		reopen(world);
	}
}

static void test_one_piece(void **state)
{
	struct world *world = *state;
	struct remote *remote = add_remote(world, GZIP_ONE, &world->tar.bytes);
	CLEANUP(layer_put_p) struct layer *layer = indexed(world, remote);
	uint64_t sent = remote_sent(remote);
	unsigned calls = remote_calls(remote);
	const struct layer_index *index = layer_index_known(layer);
	struct layer_span span;
	struct err err = ERR_INIT;

	assert_in_range(layer_index_spans(index), 3, 1000);
	assert_int_equal(layer_index_span(index, 1, &span, &err), 0);
	for (int i = 0; i < 5; i++)
		assert_bytes(layer, remote, 100, span.in + 50);
	assert_int_equal(remote_calls(remote), calls + 1);
	assert_in_range(remote_sent(remote) - sent, span.in_len,
	    span.in_len + BLOCKS);
}

static void test_wrong_piece(void **state)
{
	struct world *world = *state;

	for (enum packing packing = PLAIN; packing < PACKINGS; packing++) {
		struct remote *remote =
		    add_remote(world, packing, &world->tar.bytes);
		CLEANUP(layer_put_p)
		struct layer *layer = indexed(world, remote);
		uint64_t end = remote->content.size;
		struct err err = ERR_INIT;

		remote_damage(remote, (long)end - 10);
		assert_int_equal(read_bytes(layer, remote, 1, end - 1, &err),
		    -EBADMSG);
		if (packing != ZSTD_ONE)
			assert_bytes(layer, remote, 1000, 0);
		remote_damage(remote, NEVER);
		assert_bytes(layer, remote, 1000, end - 500);
		layer_put(steal(&layer));
		reopen(world);
	}
}

/* What was kept of it was right once. */
static void test_damaged_piece(void **state)
{
	struct world *world = *state;
	struct remote *remote = add_remote(world, GZIP_ONE, &world->tar.bytes);
	struct layer *layer = indexed(world, remote);
	char path[512], hex[DIGEST_TEXT_SIZE];
	unsigned char byte;
	int fd;

	assert_bytes(layer, remote, 1000, 5000);
	layer_put(layer);
	shelf_close(&world->shelf);
	snprintf(path, sizeof(path), "%s/parts/%s", world->dir,
	    digest_hex(&remote->content.digest, hex));
	fd = open(path, O_RDWR);
	assert_int_equal(pread(fd, &byte, 1, 5100), 1);
	byte ^= 1;
	assert_int_equal(pwrite(fd, &byte, 1, 5100), 1);
	close(fd);
	world->shelf = shelf_open(world->dir);
	layer = open_layer(&world->shelf, remote);
	assert_true(layer_is_vouched(layer));
	assert_bytes(layer, remote, 1000, 5000);
	layer_put(layer);
}

static void test_what_is_not_vouched_for(void **state)
{
	struct world *world = *state;
	struct remote *remote = add_remote(world, GZIP_ONE, &world->tar.bytes);
	struct layer *layer = open_layer(&world->shelf, remote);

	/* Nobody has looked into it. */
	assert_false(layer_is_vouched(layer));
	assert_int_equal(remote_calls(remote), 0);
	index_of(layer);
	assert_true(layer_is_vouched(layer));
	layer_put(layer);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    WORLD_TEST(test_in_order),
	    WORLD_TEST(test_anywhere),
	    WORLD_TEST(test_one_piece),
	    WORLD_TEST(test_wrong_piece),
	    WORLD_TEST(test_damaged_piece),
	    WORLD_TEST(test_what_is_not_vouched_for),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
