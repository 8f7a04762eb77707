/* SPDX-License-Identifier: Apache-2.0 */
/* Parallel compression: what it writes decodes to what it was given. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/file.h"
#include "stream/encoder.h"

enum {
	INPUT_SIZE = 5 * 1000 * 1000,
	PIECE_SIZE = 512 << 10,
	THREADS = 2,
	WRITERS = 6
};

/* Half of it compresses well, half does not. */
static char *make_input(void)
{
	char *data = malloc(INPUT_SIZE);
	unsigned seed = 1;

	assert_non_null(data);
	for (size_t i = 0; i < INPUT_SIZE; i++)
		data[i] = (char)(i / 4096 % 2 ? rand_r(&seed) : (int)(i / 97));
	return data;
}

static int temp_fd(void)
{
	struct err err = ERR_INIT;
	int fd = file_temp("/tmp", &err);

	assert_true(fd >= 0);
	return fd;
}

struct result {
	struct digest digest;
	uint64_t size;
};

/* What the tests below are run for. */
static enum compression compression;

static struct encoder *start(struct pool *pool, unsigned parallel, int fd,
    int level)
{
	const struct encoder_options options = {.compression = compression,
	    .level = level,
	    .piece_size = PIECE_SIZE,
	    .pool = pool,
	    .parallel = parallel,
	    .fd = fd};
	struct encoder *encoder = NULL;
	struct err err = ERR_INIT;

	assert_int_equal(encoder_new(&options, &encoder, &err), 0);
	return encoder;
}

static void write_all(struct encoder *encoder, const char *input, size_t len,
    size_t piece)
{
	struct err err = ERR_INIT;

	for (size_t done = 0; done < len; done += piece) {
		size_t n = len - done < piece ? len - done : piece;

		assert_int_equal(encoder_write(encoder, input + done, n, &err),
		    0);
	}
}

static struct result end(struct encoder *encoder)
{
	struct err err = ERR_INIT;
	struct result result;

	assert_int_equal(encoder_finish(encoder, &result.digest, &result.size,
			     &err),
	    0);
	return result;
}

/* Writes input in pieces of some size. */
static struct result compress(struct pool *pool, unsigned parallel, int fd,
    const char *input, size_t len, size_t piece)
{
	CLEANUP(encoder_free_p)
	struct encoder *encoder =
	    start(pool, parallel, fd, COMPRESSION_LEVEL_DEFAULT);

	write_all(encoder, input, len, piece);
	return end(encoder);
}

/* Compares what is decoded to what it should be. */
struct compare_sink {
	struct sink sink;
	const char *expected;
	size_t left;
};

static int compare_write(struct sink *sink, const void *data, size_t len,
    struct err *err)
{
	struct compare_sink *compare = (struct compare_sink *)sink;

	(void)err;
	assert_true(len <= compare->left);
	assert_memory_equal(data, compare->expected, len);
	compare->expected += len;
	compare->left -= len;
	return 0;
}

static void check_file(int fd, const struct result *result, const char *input,
    size_t len)
{
	struct compare_sink sink = {{compare_write}, input, len};
	CLEANUP(decoder_free_p) struct decoder *decoder = NULL;
	AUTO_FREE char *file = malloc(result->size);
	struct digest digest;
	struct err err = ERR_INIT;
	struct stat st;

	assert_int_equal(fstat(fd, &st), 0);
	assert_int_equal(st.st_size, result->size);
	assert_int_equal(file_pread(fd, file, result->size, 0, &err),
	    result->size);
	assert_int_equal(digest_of(DIGEST_SHA256, file, result->size, &digest,
			     &err),
	    0);
	assert_true(digest_equal(&digest, &result->digest));
	assert_int_equal(decoder_new(compression, &sink.sink, INPUT_SIZE,
			     &decoder, &err),
	    0);
	assert_int_equal(decoder_write(decoder, file, result->size, &err), 0);
	assert_true(decoder_at_end(decoder));
	assert_int_equal(sink.left, 0);
}

static void test_round_trip(void **state)
{
	static const size_t lengths[] = {0, 1, (512 << 10) - 1, 512 << 10,
	    (512 << 10) + 1, INPUT_SIZE};
	AUTO_FREE char *input = make_input();
	struct err err = ERR_INIT;
	CLEANUP(pool_free_p)
	struct pool *pool = pool_new("test", THREADS, &err);

	(void)state;
	for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
		AUTO_FD int fd = temp_fd();
		struct result result =
		    compress(pool, 2, fd, input, lengths[i], 100000);

		check_file(fd, &result, input, lengths[i]);
	}
}

/* Noise of so many different bytes; no shorter than their entropy, so that what
 * is written is known almost to the byte. */
static void check_noise(unsigned symbols, size_t least, size_t most)
{
	AUTO_FREE char *input = malloc(INPUT_SIZE);
	struct err err = ERR_INIT;
	CLEANUP(pool_free_p)
	struct pool *pool = pool_new("test", THREADS, &err);
	AUTO_FD int fd = temp_fd();
	struct result result;
	unsigned seed = 1;

	assert_non_null(input);
	for (size_t i = 0; i < INPUT_SIZE; i++)
		input[i] = (char)((unsigned)rand_r(&seed) % symbols);
	result = compress(pool, 2, fd, input, INPUT_SIZE, 100000);
	check_file(fd, &result, input, INPUT_SIZE);
	assert_in_range(result.size, least, most);
}

static void test_noise(void **state)
{
	(void)state;
	check_noise(256, INPUT_SIZE, INPUT_SIZE + INPUT_SIZE / 1000);
	/* Six bits of each eight. */
	check_noise(64, INPUT_SIZE / 4 * 3, INPUT_SIZE / 100 * 76);
}

static void test_same_bytes(void **state)
{
	static const size_t pieces[] = {999, 65536, 1 << 20, INPUT_SIZE};
	AUTO_FREE char *input = make_input();
	struct err err = ERR_INIT;
	CLEANUP(pool_free_p)
	struct pool *pool = pool_new("test", THREADS, &err);
	AUTO_FD int fd = temp_fd();
	struct result first = compress(pool, 1, fd, input, INPUT_SIZE, 4096);

	(void)state;
	for (unsigned parallel = 1; parallel < 6; parallel++) {
		for (size_t i = 0; i < 4; i++) {
			struct result result = compress(pool, parallel, fd,
			    input, INPUT_SIZE, pieces[i]);

			assert_int_equal(result.size, first.size);
			assert_true(
			    digest_equal(&result.digest, &first.digest));
		}
	}
}

struct shared {
	struct pool *pool;
	const char *input;
	struct digest digest;
};

static void *write_shared(void *arg)
{
	struct shared *shared = arg;
	AUTO_FD int fd = temp_fd();

	shared->digest =
	    compress(shared->pool, 4, fd, shared->input, INPUT_SIZE, 50000)
		.digest;
	return NULL;
}

/* More writers than threads, each with more jobs than there are threads. */
static void test_shared_pool(void **state)
{
	AUTO_FREE char *input = make_input();
	struct err err = ERR_INIT;
	CLEANUP(pool_free_p)
	struct pool *pool = pool_new("test", THREADS, &err);
	struct shared shared[WRITERS];
	pthread_t threads[WRITERS];

	(void)state;
	for (size_t i = 0; i < WRITERS; i++) {
		shared[i] = (struct shared){pool, input, {0}};
		assert_int_equal(pthread_create(&threads[i], NULL, write_shared,
				     &shared[i]),
		    0);
	}
	for (size_t i = 0; i < WRITERS; i++)
		assert_int_equal(pthread_join(threads[i], NULL), 0);
	for (size_t i = 1; i < WRITERS; i++)
		assert_true(digest_equal(&shared[i].digest, &shared[0].digest));
}

static void test_disk_full(void **state)
{
	AUTO_FREE char *input = make_input();
	struct err err = ERR_INIT;
	CLEANUP(pool_free_p)
	struct pool *pool = pool_new("test", THREADS, &err);
	AUTO_FD int fd = open("/dev/full", O_WRONLY | O_CLOEXEC);
	CLEANUP(encoder_free_p)
	struct encoder *encoder = start(pool, 2, fd, COMPRESSION_LEVEL_DEFAULT);

	(void)state;
	assert_int_equal(encoder_write(encoder, input, INPUT_SIZE, &err),
	    -ENOSPC);
}

static void test_free_midway(void **state)
{
	AUTO_FREE char *input = make_input();
	struct err err = ERR_INIT;
	CLEANUP(pool_free_p)
	struct pool *pool = pool_new("test", THREADS, &err);
	AUTO_FD int fd = temp_fd();
	CLEANUP(encoder_free_p)
	struct encoder *encoder = start(pool, 3, fd, COMPRESSION_LEVEL_DEFAULT);

	(void)state;
	write_all(encoder, input, INPUT_SIZE - 1, INPUT_SIZE);
}

/* All work, and the highest is no larger than the lowest. */
static void test_levels(void **state)
{
	static const int gzip[] = {0, 1, 6, 9}, zstd[] = {1, 3, 19, 22};
	const int *levels = compression == COMPRESSION_GZIP ? gzip : zstd;
	AUTO_FREE char *input = make_input();
	struct err err = ERR_INIT;
	CLEANUP(pool_free_p)
	struct pool *pool = pool_new("test", THREADS, &err);
	uint64_t lowest = UINT64_MAX;

	(void)state;
	for (size_t i = 0; i < 4; i++) {
		AUTO_FD int fd = temp_fd();
		CLEANUP(encoder_free_p)
		struct encoder *encoder = start(pool, 2, fd, levels[i]);
		struct result result;

		write_all(encoder, input, INPUT_SIZE / 2, INPUT_SIZE);
		result = end(encoder);
		check_file(fd, &result, input, INPUT_SIZE / 2);
		if (i == 0)
			lowest = result.size;
		if (i == 3)
			assert_true(result.size <= lowest);
	}
}

/* Pieces of so many bytes, of each of which half are hashed. */
enum { CUT_SIZE = 3000, CUTS = 2500 };

struct seen {
	const char *input;
	int fd;
	size_t count;
};

/* The piece can be decoded on its own, and its digest is right. */
static int see_piece(void *arg, const struct encoder_piece *piece,
    struct err *err)
{
	struct seen *seen = arg;
	const char *input = seen->input + seen->count++ * CUT_SIZE;
	struct compare_sink sink = {{compare_write}, input, CUT_SIZE};
	CLEANUP(decoder_free_p) struct decoder *decoder = NULL;
	AUTO_FREE char *data = malloc(piece->size);
	struct digest digest;

	assert_int_equal(file_pread(seen->fd, data, piece->size, piece->offset,
			     err),
	    piece->size);
	assert_int_equal(decoder_new(compression, &sink.sink, CUT_SIZE,
			     &decoder, err),
	    0);
	assert_int_equal(decoder_write(decoder, data, piece->size, err), 0);
	assert_true(decoder_at_end(decoder));
	assert_int_equal(sink.left, 0);
	assert_int_equal(digest_of(DIGEST_SHA256, input, CUT_SIZE / 2, &digest,
			     err),
	    0);
	assert_true(digest_equal(&digest, &piece->digest));
	return 0;
}

static void test_pieces(void **state)
{
	AUTO_FREE char *input = calloc(CUTS, CUT_SIZE);
	struct err err = ERR_INIT;
	CLEANUP(pool_free_p)
	struct pool *pool = pool_new("test", THREADS, &err);
	AUTO_FD int fd = temp_fd();
	struct seen seen = {input, fd, 0};
	const struct encoder_options options = {compression,
	    COMPRESSION_LEVEL_DEFAULT, PIECE_SIZE, pool, 2, fd, see_piece,
	    &seen};
	CLEANUP(encoder_free_p) struct encoder *encoder = NULL;
	struct result result;
	uint64_t offset;

	(void)state;
	assert_non_null(input);
	for (size_t i = 0; i < CUTS * CUT_SIZE; i++)
		input[i] = (char)(i / 7 * i);
	assert_int_equal(encoder_new(&options, &encoder, &err), 0);
	for (size_t i = 0; i < CUTS; i++) {
		assert_int_equal(encoder_cut(encoder, CUT_SIZE, CUT_SIZE / 2,
				     &err),
		    0);
		write_all(encoder, input + i * CUT_SIZE, CUT_SIZE, 999);
	}
	assert_int_equal(encoder_flush(encoder, &offset, &err), 0);
	assert_int_equal(seen.count, CUTS);
	assert_int_equal(encoder_append(encoder, "tail", 4, &err), 0);
	result = end(encoder);
	assert_int_equal(result.size, offset + 4);
}

struct decoder_sink {
	struct sink sink;
	struct decoder *decoder;
};

static int pass_on(struct sink *sink, const void *data, size_t len,
    struct err *err)
{
	return decoder_write(((struct decoder_sink *)sink)->decoder, data, len,
	    err);
}

static void test_gzip_stream(void **state)
{
	AUTO_FREE char *input = make_input();
	struct compare_sink sink = {{compare_write}, input, INPUT_SIZE};
	CLEANUP(decoder_free_p) struct decoder *decoder = NULL;
	CLEANUP(gzip_stream_free_p) struct gzip_stream *stream = NULL;
	struct decoder_sink into = {{pass_on}, NULL};
	struct err err = ERR_INIT;

	(void)state;
	assert_int_equal(decoder_new(COMPRESSION_GZIP, &sink.sink, INPUT_SIZE,
			     &decoder, &err),
	    0);
	into.decoder = decoder;
	assert_int_equal(gzip_stream_new(&into.sink, &stream, &err), 0);
	for (size_t done = 0; done < INPUT_SIZE; done += 100000)
		assert_int_equal(gzip_stream_write(stream, input + done, 100000,
				     &err),
		    0);
	assert_false(decoder_at_end(decoder));
	assert_int_equal(gzip_stream_finish(stream, &err), 0);
	assert_true(decoder_at_end(decoder));
	assert_int_equal(sink.left, 0);
}

static int gzip(void **state)
{
	(void)state;
	compression = COMPRESSION_GZIP;
	return 0;
}

static int zstd(void **state)
{
	(void)state;
	compression = COMPRESSION_ZSTD;
	return 0;
}

#define EACH(test) \
	{"gzip: " #test, test, gzip, NULL, NULL}, \
	{ \
		"zstd: " #test, test, zstd, NULL, NULL \
	}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    EACH(test_round_trip),
	    EACH(test_noise),
	    EACH(test_same_bytes),
	    EACH(test_shared_pool),
	    EACH(test_disk_full),
	    EACH(test_free_midway),
	    EACH(test_levels),
	    EACH(test_pieces),
	    cmocka_unit_test(test_gzip_stream),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
