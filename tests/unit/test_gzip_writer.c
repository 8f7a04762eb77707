/* SPDX-License-Identifier: Apache-2.0 */
/* The parallel gzip writer: what it writes decodes to what it was given. */
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
#include "stream/compression.h"

enum { INPUT_SIZE = 5 * 1000 * 1000, THREADS = 2, WRITERS = 6 };

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

/* Writes input in pieces of some size. */
static struct result compress(struct pool *pool, unsigned parallel, int fd,
    const char *input, size_t len, size_t piece)
{
	CLEANUP(gzip_writer_free_p) struct gzip_writer *writer = NULL;
	struct err err = ERR_INIT;
	struct result result;

	assert_int_equal(gzip_writer_new(pool, parallel, fd, &writer, &err), 0);
	for (size_t done = 0; done < len; done += piece) {
		size_t n = len - done < piece ? len - done : piece;

		assert_int_equal(gzip_writer_write(writer, input + done, n,
				     &err),
		    0);
	}
	assert_int_equal(gzip_writer_finish(writer, &result.digest,
			     &result.size, &err),
	    0);
	return result;
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
	assert_int_equal(decoder_new(COMPRESSION_GZIP, &sink.sink, INPUT_SIZE,
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
	CLEANUP(gzip_writer_free_p) struct gzip_writer *writer = NULL;
	AUTO_FD int fd = open("/dev/full", O_WRONLY | O_CLOEXEC);

	(void)state;
	assert_true(fd >= 0);
	assert_int_equal(gzip_writer_new(pool, 2, fd, &writer, &err), 0);
	assert_int_equal(gzip_writer_write(writer, input, INPUT_SIZE, &err),
	    -ENOSPC);
}

static void test_free_midway(void **state)
{
	AUTO_FREE char *input = make_input();
	struct err err = ERR_INIT;
	CLEANUP(pool_free_p)
	struct pool *pool = pool_new("test", THREADS, &err);
	CLEANUP(gzip_writer_free_p) struct gzip_writer *writer = NULL;
	AUTO_FD int fd = temp_fd();

	(void)state;
	assert_int_equal(gzip_writer_new(pool, 3, fd, &writer, &err), 0);
	assert_int_equal(gzip_writer_write(writer, input, INPUT_SIZE - 1, &err),
	    0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_round_trip),
	    cmocka_unit_test(test_noise),
	    cmocka_unit_test(test_same_bytes),
	    cmocka_unit_test(test_shared_pool),
	    cmocka_unit_test(test_disk_full),
	    cmocka_unit_test(test_free_midway),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
