/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Layers that are read by their tables of contents, with chunks of all sizes:
 * also those that do not fit into memory.
 */
#include "layer_fixture.h"
#include "toc_fixture.h"

#include "index/limits.h"
#include "stream/windows.h"

enum {
	LARGE_SIZE = SPAN_OUT_MAX + 3 * MIB + 5,
	SMALL_SIZE = 100 * KIB,
	NOTES = 2, /* annotations */
};

/* A layer with a table, its files, and what a manifest says of it. */
struct vouched {
	struct remote *remote;
	struct buf large, small;
	char checksum[HEX_SIZE], position[64];
	struct annotation annotations[NOTES];
	uint64_t large_at, large_end; /* in the blob */
	int window_log;               /* see struct made; set before the rest */
};

static void vouched_release(struct vouched *vouched)
{
	buf_release(&vouched->large);
	buf_release(&vouched->small);
}

/* Text that takes half of its size when it is packed. */
static void fill(struct buf *buf, size_t size)
{
	struct err err = ERR_INIT;
	uint32_t x = (uint32_t)size;

	*buf = BUF_INIT(TAR_MAX);
	assert_int_equal(buf_reserve(buf, size, &err), 0);
	for (; buf->len < size; buf->len++) {
		x = x * 1664525 + 1013904223;
		buf->data[buf->len] = (char)('a' + (x >> 28));
	}
}

static void add_chunk(struct made *made, const char *name,
    const struct buf *data, uint64_t *at, uint64_t *end)
{
	char digest[HEX_SIZE];

	put_member(made, "a header", 8);
	*at = put_member(made, data->data, data->len);
	*end = made->blob.len;
	sha256(data->data, data->len, digest);
	add_json(made,
	    "{\"type\":\"reg\",\"name\":\"%s\",\"size\":%zu,\"digest\":\"%s\","
	    "\"chunkDigest\":\"%s\",\"offset\":%" PRIu64
	    ",\"endOffset\":%" PRIu64 "}",
	    name, data->len, digest, digest, *at, *end);
}

static void annotate(struct vouched *vouched, const struct made *made)
{
	digest_format(&made->toc.digest, vouched->checksum);
	snprintf(vouched->position, sizeof(vouched->position),
	    "%" PRIu64 ":%" PRIu64 ":%" PRIu64 ":1", made->toc.offset,
	    made->toc.len, made->toc.decoded_len);
	vouched->annotations[0] =
	    (struct annotation){made->kind == TOC_ESTARGZ
				    ? "containerd.io/snapshot/stargz/toc.digest"
				    : "io.github.containers.zstd-chunked."
				      "manifest-checksum",
		vouched->checksum};
	vouched->annotations[1] =
	    (struct annotation){made->kind == TOC_ESTARGZ
				    ? "x"
				    : "io.github.containers.zstd-chunked."
				      "manifest-position",
		vouched->position};
}

static void vouched_init(struct vouched *vouched, struct world *world,
    enum toc_kind kind)
{
	AUTO_MADE struct made made = made_new(kind);
	uint64_t at, end;

	made.window_log = vouched->window_log;
	fill(&vouched->large, LARGE_SIZE);
	fill(&vouched->small, SMALL_SIZE);
	vouched->small.data[0] = 'X';
	add_chunk(&made, "before", &vouched->small, &at, &end);
	add_chunk(&made, "large", &vouched->large, &vouched->large_at,
	    &vouched->large_end);
	vouched->small.data[0] = 'Y';
	add_chunk(&made, "behind", &vouched->small, &at, &end);
	made_end(&made);
	annotate(vouched, &made);
	vouched->remote = add_blob(world, &made.blob);
}

static struct layer *open_vouched(struct world *world,
    const struct vouched *vouched)
{
	return open_annotated(&world->shelf, vouched->remote,
	    vouched->annotations, NOTES);
}

/* 0 where those bytes of the file are the content's. */
static int read_bytes(struct layer *layer, const char *name,
    const struct buf *content, size_t len, uint64_t off, struct err *err)
{
	AUTO_FREE char *data = malloc(len);
	ssize_t n = layer_read(layer, entry_of(layer_index_known(layer), name),
	    data, len, off, err);

	if (n < 0)
		return (int)n;
	if ((size_t)n != (content->len - off < len ? content->len - off : len))
		return err_set(err, EILSEQ, "a short read");
	return memcmp(data, content->data + off, (size_t)n) == 0
		   ? 0
		   : err_set(err, EILSEQ, "wrong bytes");
}

static void assert_bytes(struct layer *layer, const char *name,
    const struct buf *content, size_t len, uint64_t off)
{
	struct err err = ERR_INIT;

	if (read_bytes(layer, name, content, len, off, &err) < 0)
		fail_msg("%s: %s", name, err.msg);
}

static void check_reads(struct layer *layer, struct vouched *vouched)
{
	unsigned seed = 1;

	for (uint64_t off = 0; off < LARGE_SIZE; off += 128 * KIB)
		assert_bytes(layer, "large", &vouched->large, 128 * KIB, off);
	for (int i = 0; i < 100; i++)
		assert_bytes(layer, "large", &vouched->large,
		    (size_t)rand_r(&seed) % (300 * KIB) + 1,
		    (uint64_t)rand_r(&seed) % LARGE_SIZE);
	vouched->small.data[0] = 'X';
	assert_bytes(layer, "before", &vouched->small, SMALL_SIZE, 0);
	vouched->small.data[0] = 'Y';
	assert_bytes(layer, "behind", &vouched->small, SMALL_SIZE, 0);
}

static void check_kind(struct world *world, enum toc_kind kind, int window_log)
{
	CLEANUP(vouched_release)
	struct vouched vouched = {.window_log = window_log};
	struct layer *layer;

	vouched_init(&vouched, world, kind);
	layer = open_vouched(world, &vouched);
	assert_int_equal(layer_index_facts(index_of(layer))->vouching,
	    LAYER_BY_CHUNKS);
	check_reads(layer, &vouched);
	layer_put(layer);
	/* It is found again, and made again when it is gone. */
	reopen(world);
	layer = open_vouched(world, &vouched);
	assert_non_null(layer_index_known(layer));
	check_reads(layer, &vouched);
	layer_put(layer);
	forget_blobs(world);
	layer = open_vouched(world, &vouched);
	check_reads(layer, &vouched);
	layer_put(layer);
}

static void test_estargz(void **state)
{
	check_kind(*state, TOC_ESTARGZ, 0);
}

static void test_chunked(void **state)
{
	check_kind(*state, TOC_CHUNKED, 0);
}

/* Such a chunk waits for its turn, and gives it back. */
static void test_large_window(void **state)
{
	check_kind(*state, TOC_CHUNKED, 25);
	monitor_enter(&windows_of_fetches.monitor);
	assert_int_equal(windows_of_fetches.in_use, 0);
	monitor_leave(&windows_of_fetches.monitor);
}

/* What is kept of a layer does not keep the layer. */
static void test_closes(void **state)
{
	struct world *world = *state;
	CLEANUP(vouched_release) struct vouched vouched = {0};
	struct layer *layer;
	unsigned opened = 0;

	vouched_init(&vouched, world, TOC_CHUNKED);
	for (; opened < 3; opened++) {
		layer = open_vouched(world, &vouched);
		index_of(layer);
		assert_bytes(layer, "large", &vouched.large, 10, 0);
		layer_put(layer);
	}
	shelf_close(&world->shelf);
	assert_int_equal(vouched.remote->origin.released, opened);
	world->shelf = shelf_open(world->dir);
}

/* Only the large file's part of the blob is needed for it. */
static void test_range(void **state)
{
	struct world *world = *state;
	CLEANUP(vouched_release) struct vouched vouched = {0};
	struct layer *layer;
	uint64_t sent;

	vouched_init(&vouched, world, TOC_CHUNKED);
	layer = open_vouched(world, &vouched);
	index_of(layer);
	sent = remote_sent(vouched.remote);
	assert_bytes(layer, "large", &vouched.large, 10, LARGE_SIZE - 100);
	assert_in_range(remote_sent(vouched.remote) - sent, 0,
	    vouched.large_end - vouched.large_at + 3 * 64 * KIB);
	layer_put(layer);
}

/* Wrong bytes are fetched once more, be it that they were kept or came so. */
static void check_wrong(struct world *world, enum toc_kind kind,
    const char *name)
{
	CLEANUP(vouched_release) struct vouched vouched = {0};
	struct layer *layer;
	struct err err = ERR_INIT;
	bool is_large = *name == 'l';
	const struct buf *content;
	uint64_t part, sent;

	vouched_init(&vouched, world, kind);
	vouched.small.data[0] = 'X';
	content = is_large ? &vouched.large : &vouched.small;
	part = is_large ? vouched.large_end - vouched.large_at : SMALL_SIZE;
	layer = open_vouched(world, &vouched);
	index_of(layer);
	remote_damage(vouched.remote,
	    is_large ? (long)(vouched.large_at + vouched.large_end) / 2
		     : SMALL_SIZE / 4);
	sent = remote_sent(vouched.remote);
	assert_int_equal(read_bytes(layer, name, content, 10, 0, &err),
	    -EBADMSG);
	sent = remote_sent(vouched.remote) - sent;
	assert_in_range(sent, part / 2, 2 * part + 8 * 64 * KIB);
	/* They are still there, and the origin is right again. */
	remote_damage(vouched.remote, NEVER);
	assert_bytes(layer, name, content, 10, 0);
	layer_put(layer);
}

static void test_wrong(void **state)
{
	for (enum toc_kind kind = TOC_ESTARGZ; kind <= TOC_CHUNKED; kind++) {
		check_wrong(*state, kind, "before");
		check_wrong(*state, kind, "large");
		forget_blobs(*state);
	}
}

/* A network that fails takes nothing with it that has come. */
static void test_source_fails(void **state)
{
	struct world *world = *state;
	CLEANUP(vouched_release) struct vouched vouched = {0};
	struct layer *layer;
	struct err err = ERR_INIT;
	uint64_t sent;

	vouched_init(&vouched, world, TOC_CHUNKED);
	layer = open_vouched(world, &vouched);
	index_of(layer);
	sent = remote_sent(vouched.remote);
	vouched.remote->origin.break_at =
	    (long)(vouched.large_at + 3 * vouched.large_end) / 4;
	vouched.remote->origin.failing_then = 1000000;
	assert_int_equal(read_bytes(layer, "large", &vouched.large, 10, 0,
			     &err),
	    -EIO);
	vouched.remote->origin.failing = 0;
	assert_bytes(layer, "large", &vouched.large, 10, 0);
	assert_in_range(remote_sent(vouched.remote) - sent, 0,
	    vouched.large_end - vouched.large_at + 6 * 64 * KIB);
	layer_put(layer);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    WORLD_TEST(test_estargz),
	    WORLD_TEST(test_chunked),
	    WORLD_TEST(test_large_window),
	    WORLD_TEST(test_closes),
	    WORLD_TEST(test_range),
	    WORLD_TEST(test_wrong),
	    WORLD_TEST(test_source_fails),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
