/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The decoders on the files in tests/cases/stream: what comes out of each,
 * however it is cut into pieces, against the text beside it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <glob.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "base/strf.h"
#include "oci/digest.h"
#include "stream/compression.h"

enum {
	CASE_MAX = 1 << 20,
	RANDOM_ROUNDS = 20,
	LIMIT = 4 << 20, /* more than any case has */
};

/* Hashes what is decoded; fails once `room` is used up. */
struct hash_sink {
	struct sink sink;
	struct hasher *hasher;
	uint64_t size, room;
};

static int hash_write(struct sink *sink, const void *data, size_t len,
    struct err *err)
{
	struct hash_sink *hash = (struct hash_sink *)sink;

	assert_true(len > 0);
	if (len > hash->room)
		return err_set(err, ENOSPC, "no room");
	hash->room -= len;
	hash->size += len;
	return hasher_update(hash->hasher, data, len, err);
}

/* "gzip offset 17: what" as "gzip: what": where an error is found depends on
 * the pieces. */
static void print_error_line(const char *msg, char *out, size_t size)
{
	const char *at = strstr(msg, " offset ");
	const char *colon = strchr(msg, ':');

	assert_true(at && colon && at < colon);
	snprintf(out, size, "error %.*s%s\n", (int)(at - msg), msg, colon);
}

struct run {
	enum compression compression;
	uint64_t limit, room;
	size_t piece;
	unsigned seed; /* 0: pieces of that size, else of at most that */
};

/* What the case's text should say. Returns the result. */
static int decode(const struct buf *in, const struct run *run, char *out,
    size_t size)
{
	struct err err = ERR_INIT;
	struct hash_sink sink = {{hash_write}, hasher_new(DIGEST_SHA256, &err),
	    0, run->room};
	CLEANUP(decoder_free_p) struct decoder *decoder = NULL;
	unsigned seed = run->seed;
	char hex[DIGEST_TEXT_SIZE];
	struct digest digest;
	int r = decoder_new(run->compression, &sink.sink, run->limit, &decoder,
	    &err);

	assert_int_equal(r, 0);
	for (size_t done = 0, n; r == 0 && done < in->len; done += n) {
		n = seed ? (size_t)rand_r(&seed) % run->piece + 1 : run->piece;
		if (n > in->len - done)
			n = in->len - done;
		r = decoder_write(decoder, in->data + done, n, &err);
	}
	assert_int_equal(hasher_finish(sink.hasher, &digest, &err), 0);
	hasher_free(sink.hasher);
	if (r == -EINVAL)
		print_error_line(err.msg, out, size);
	else
		snprintf(out, size, "%s %" PRIu64 " %s\n",
		    decoder_at_end(decoder) ? "end" : "more", sink.size,
		    digest_hex(&digest, hex));
	return r;
}

static enum compression compression_of(const char *path)
{
	static const struct {
		const char *ending;
		enum compression compression;
	} endings[] = {
	    {".gz", COMPRESSION_GZIP},
	    {".zst", COMPRESSION_ZSTD},
	    {".bz2", COMPRESSION_BZIP2},
	    {".xz", COMPRESSION_XZ},
	};
	size_t i = 0;

	while (strcmp(strrchr(path, '.'), endings[i].ending) != 0)
		assert_true(++i < sizeof(endings) / sizeof(*endings));
	return endings[i].compression;
}

static bool check_run(const char *path, const struct buf *in,
    const struct buf *expected, const struct run *run)
{
	char out[512];

	decode(in, run, out, sizeof(out));
	if (strcmp(out, buf_str(expected)) == 0)
		return true;
	print_error("%s, pieces of %zu, seed %u: %s--- expected: %s", path,
	    run->piece, run->seed, out, buf_str(expected));
	return false;
}

static bool check_case(const char *path)
{
	AUTO_BUF struct buf in = BUF_INIT(CASE_MAX);
	AUTO_BUF struct buf expected = BUF_INIT(CASE_MAX);
	AUTO_FREE char *text_path = strf("%s.txt", path);
	struct err err = ERR_INIT;
	struct run run = {compression_of(path), LIMIT, LIMIT, CASE_MAX, 0};
	bool right;

	assert_int_equal(file_slurp(path, &in, &err), 0);
	assert_int_equal(file_slurp(text_path, &expected, &err), 0);
	right = check_run(path, &in, &expected, &run);
	run.piece = 1;
	right &= check_run(path, &in, &expected, &run);
	run.piece = 100;
	for (run.seed = 1; right && run.seed <= RANDOM_ROUNDS; run.seed++)
		right = check_run(path, &in, &expected, &run);
	return right;
}

static void check_pattern(const char *pattern, size_t fewest)
{
	AUTO_FREE char *path = strf("%s/stream/%s", getenv("CASES"), pattern);
	size_t wrong = 0;
	glob_t found;

	assert_int_equal(glob(path, 0, NULL, &found), 0);
	assert_true(found.gl_pathc >= fewest);
	for (size_t i = 0; i < found.gl_pathc; i++)
		wrong += !check_case(found.gl_pathv[i]);
	globfree(&found);
	assert_int_equal(wrong, 0);
}

static void test_gzip_cases(void **state)
{
	(void)state;
	check_pattern("*.gz", 25);
}

static void test_zstd_cases(void **state)
{
	(void)state;
	check_pattern("*.zst", 15);
}

static void test_bzip2_cases(void **state)
{
	(void)state;
	check_pattern("*.bz2", 14);
}

static void test_xz_cases(void **state)
{
	(void)state;
	check_pattern("*.xz", 15);
}

static int decode_case(const char *name, uint64_t limit, uint64_t room)
{
	AUTO_BUF struct buf in = BUF_INIT(CASE_MAX);
	AUTO_FREE char *path = strf("%s/stream/%s", getenv("CASES"), name);
	struct run run = {compression_of(path), limit, room, CASE_MAX, 0};
	struct err err = ERR_INIT;
	char out[512];

	assert_int_equal(file_slurp(path, &in, &err), 0);
	return decode(&in, &run, out, sizeof(out));
}

/* A mebibyte of zeros, from a kilobyte. */
static void test_limit(void **state)
{
	(void)state;
	assert_int_equal(decode_case("zeros.gz", 1 << 20, LIMIT), 0);
	assert_int_equal(decode_case("zeros.gz", (1 << 20) - 1, LIMIT), -EFBIG);
	assert_int_equal(decode_case("zeros.zst", 1 << 20, LIMIT), 0);
	assert_int_equal(decode_case("zeros.zst", (1 << 20) - 1, LIMIT),
	    -EFBIG);
	assert_int_equal(decode_case("zeros.xz", 1 << 20, LIMIT), 0);
	assert_int_equal(decode_case("zeros.xz", (1 << 20) - 1, LIMIT), -EFBIG);
	assert_int_equal(decode_case("zeros.bz2", 1 << 20, LIMIT), 0);
	assert_int_equal(decode_case("zeros.bz2", (1 << 20) - 1, LIMIT),
	    -EFBIG);
}

static void test_sink_fails(void **state)
{
	(void)state;
	assert_int_equal(decode_case("zeros.gz", LIMIT, 1 << 19), -ENOSPC);
	assert_int_equal(decode_case("zeros.zst", LIMIT, 1 << 19), -ENOSPC);
	assert_int_equal(decode_case("zeros.xz", LIMIT, 1 << 19), -ENOSPC);
	assert_int_equal(decode_case("zeros.bz2", LIMIT, 1 << 19), -ENOSPC);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_gzip_cases),
	    cmocka_unit_test(test_zstd_cases),
	    cmocka_unit_test(test_bzip2_cases),
	    cmocka_unit_test(test_xz_cases),
	    cmocka_unit_test(test_limit),
	    cmocka_unit_test(test_sink_fails),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
