/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Checkpoints: what is between any two comes out alone as it does in the whole,
 * for streams of several compressors, however they were cut into pieces.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <glob.h>
#include <string.h>

#include "base/file.h"
#include "base/strf.h"
#include "checkpoint_fixture.h"

enum { ROUNDS = 200 };

static void check_spans(const struct marked *marked)
{
	for (size_t i = 0; i < marked->count; i++) {
		CLEANUP(span_free) struct span span = span_of(marked, i);

		assert_int_equal(decode(marked, &span, span.size), 0);
		assert_memory_equal(span.out, span.plain, span.size);
		/* More than there is up to the stream's end. */
		if (i + 1 == marked->count)
			assert_int_equal(decode(marked, &span, span.size + 1),
			    -EINVAL);
		/* What is cut off is missed. */
		span.in_len /= 2;
		if (i + 1 < marked->count && span.size > 1000)
			assert_int_equal(decode(marked, &span, span.size),
			    -EINVAL);
	}
}

/* How many checkpoints there were where all came in one piece. */
static size_t check_stream(enum compression compression, const struct buf *data,
    uint64_t distance)
{
	static const size_t pieces[] = {STREAM_MAX, 100, 5000};
	size_t count = 0;

	for (size_t i = 0; i < sizeof(pieces) / sizeof(pieces[0]); i++) {
		AUTO_MARKED struct marked *marked =
		    mark(compression, data, distance, pieces[i], (unsigned)i);

		check_spans(marked);
		if (i == 0)
			count = marked->count;
	}
	return count;
}

static void test_gzip_of_all_kinds(void **state)
{
	static const int levels[] = {0, 1, 6, 12};

	(void)state;
	for (enum kind kind = 0; kind < KINDS; kind++) {
		AUTO_BUF struct buf plain = BUF_INIT(STREAM_MAX);

		sample_make(kind, &plain);
		for (size_t i = 0; i < sizeof(levels) / sizeof(levels[0]);
		     i++) {
			AUTO_BUF struct buf data = BUF_INIT(STREAM_MAX);

			gzip(levels[i], plain.data, plain.len, &data);
			assert_true(
			    check_stream(COMPRESSION_GZIP, &data, 50000) > 1);
		}
	}
}

static void test_gzip_blocks(void **state)
{
	(void)state;
	for (enum kind kind = 0; kind < KINDS; kind++) {
		AUTO_BUF struct buf plain = BUF_INIT(STREAM_MAX);
		AUTO_BUF struct buf data = BUF_INIT(STREAM_MAX);

		sample_make(kind, &plain);
		gzip_mixed(&plain, &data);
		/* Blocks of 4000 bytes at most: none is far behind its time,
		 * but for the 64 KiB that ISA-L is ahead. */
		assert_true(check_stream(COMPRESSION_GZIP, &data, 20000) >
			    PLAIN_SIZE / 100000);
		assert_true(
		    check_stream(COMPRESSION_GZIP, &data, 1 << 18) == 2);
	}
}

static void test_gzip_members(void **state)
{
	AUTO_BUF struct buf plain = BUF_INIT(STREAM_MAX);
	AUTO_BUF struct buf data = BUF_INIT(STREAM_MAX);
	static const char padding[700];
	unsigned seed = 1;

	(void)state;
	sample_make(TEXT, &plain);
	for (size_t done = 0, n; done < plain.len; done += n) {
		n = (size_t)rand_r(&seed) % 3000;
		if (n > plain.len - done)
			n = plain.len - done;
		gzip(1, plain.data + done, n, &data);
	}
	append(&data, padding, sizeof(padding));
	assert_true(check_stream(COMPRESSION_GZIP, &data, 1) > 200);
	assert_true(check_stream(COMPRESSION_GZIP, &data, 20000) > 15);
}

/* Nothing refers to what is in the member before. */
static void test_gzip_window(void **state)
{
	AUTO_BUF struct buf plain = BUF_INIT(STREAM_MAX);
	AUTO_BUF struct buf data = BUF_INIT(STREAM_MAX);

	(void)state;
	sample_make(TEXT, &plain);
	gzip(1, "abc", 3, &data);
	gzip_mixed(&plain, &data);
	AUTO_MARKED struct marked *marked =
	    mark(COMPRESSION_GZIP, &data, 3, 100, 0);
	assert_true(marked->count > 20 && marked->points[1].at.at_member);
	for (size_t i = 2; i < marked->count; i++) {
		uint64_t since = marked->points[i].at.out - 3;

		assert_int_equal(marked->points[i].at.window_len,
		    since < CHECKPOINT_WINDOW ? since : CHECKPOINT_WINDOW);
	}
}

/* Blocks seldom end on a byte: without their bits nothing would come out. */
static void test_gzip_bits(void **state)
{
	AUTO_BUF struct buf plain = BUF_INIT(STREAM_MAX);
	AUTO_BUF struct buf data = BUF_INIT(STREAM_MAX);
	bool seen[8] = {false};

	(void)state;
	for (enum kind kind = 0; kind < KINDS; kind++)
		sample_make(TEXT, &plain);
	for (int level = 1; level <= 12; level++)
		gzip(level, plain.data, plain.len, &data);
	AUTO_MARKED struct marked *marked =
	    mark(COMPRESSION_GZIP, &data, 1, 50, 1);
	check_spans(marked);
	for (size_t i = 0; i < marked->count; i++)
		seen[marked->points[i].at.bits] = true;
	for (int i = 0; i < 8; i++)
		assert_true(seen[i]);
}

static void test_zstd(void **state)
{
	AUTO_BUF struct buf plain = BUF_INIT(STREAM_MAX);
	AUTO_BUF struct buf one = BUF_INIT(STREAM_MAX);
	AUTO_BUF struct buf many = BUF_INIT(STREAM_MAX);
	static const char skippable[] = "\x52\x2a\x4d\x18\x03\0\0\0abc";
	unsigned seed = 1;

	(void)state;
	sample_make(TEXT, &plain);
	zstd_frame(plain.data, plain.len, &one);
	assert_int_equal(check_stream(COMPRESSION_ZSTD, &one, 1), 1);

	for (size_t done = 0, n; done < plain.len; done += n) {
		n = (size_t)rand_r(&seed) % 3000;
		if (n > plain.len - done)
			n = plain.len - done;
		if (n % 3 == 0)
			append(&many, skippable, sizeof(skippable) - 1);
		zstd_frame(plain.data + done, n, &many);
	}
	append(&many, skippable, sizeof(skippable) - 1);
	append(&many, "\0\0\0", 3);
	assert_true(check_stream(COMPRESSION_ZSTD, &many, 1) > 200);
	assert_true(check_stream(COMPRESSION_ZSTD, &many, 20000) > 15);
}

/* Those that decode, by their text. */
static void test_cases(void **state)
{
	AUTO_FREE char *pattern = strf("%s/stream/*.txt", getenv("CASES"));
	size_t checked = 0;
	glob_t texts;

	(void)state;
	assert_int_equal(glob(pattern, 0, NULL, &texts), 0);
	for (size_t i = 0; i < texts.gl_pathc; i++) {
		AUTO_BUF struct buf text = BUF_INIT(STREAM_MAX);
		AUTO_BUF struct buf data = BUF_INIT(STREAM_MAX);
		char *path = texts.gl_pathv[i];
		struct err err = ERR_INIT;

		assert_int_equal(file_slurp(path, &text, &err), 0);
		if (strncmp(buf_str(&text), "end ", 4) != 0)
			continue;
		*strrchr(path, '.') = '\0';
		assert_int_equal(file_slurp(path, &data, &err), 0);
		check_stream(compression_sniff(data.data, data.len), &data, 1);
		checked++;
	}
	globfree(&texts);
	assert_true(checked >= 15);
}

/* Whatever comes of it, it is none of the sanitizers' findings. */
static void check_damaged(const struct marked *marked)
{
	unsigned seed = 1;
	size_t refused = 0;

	for (int round = 0; round < ROUNDS; round++) {
		size_t i = (size_t)rand_r(&seed) % marked->count;
		CLEANUP(span_free) struct span span = span_of(marked, i);
		int r;

		for (int flips = rand_r(&seed) % 4; flips >= 0; flips--)
			span.in[(size_t)rand_r(&seed) % span.in_len] ^=
			    (uint8_t)(1 << rand_r(&seed) % 8);
		r = decode(marked, &span, span.size);
		assert_true(r == 0 || r == -EINVAL);
		refused += r != 0;
	}
	assert_true(refused > 0);
}

static void test_damaged(void **state)
{
	AUTO_BUF struct buf plain = BUF_INIT(STREAM_MAX);
	AUTO_BUF struct buf gzipped = BUF_INIT(STREAM_MAX);
	AUTO_BUF struct buf zstd = BUF_INIT(STREAM_MAX);

	(void)state;
	sample_make(TEXT, &plain);
	gzip(6, plain.data, plain.len, &gzipped);
	gzip_mixed(&plain, &gzipped);
	AUTO_MARKED struct marked *blocks =
	    mark(COMPRESSION_GZIP, &gzipped, 30000, 5000, 0);
	check_damaged(blocks);

	for (size_t done = 0; done + 20000 < plain.len; done += 20000)
		zstd_frame(plain.data + done, 20000, &zstd);
	AUTO_MARKED struct marked *frames =
	    mark(COMPRESSION_ZSTD, &zstd, 30000, 5000, 0);
	check_damaged(frames);
}

/* Stopping at blocks' ends has to leave CRC and size as they are. */
static void test_checksum(void **state)
{
	AUTO_BUF struct buf plain = BUF_INIT(STREAM_MAX);
	AUTO_BUF struct buf data = BUF_INIT(STREAM_MAX);

	(void)state;
	sample_make(TEXT, &plain);
	gzip_mixed(&plain, &data);
	for (size_t i = 1; i <= 8; i++) {
		AUTO_MARKED struct marked *marked =
		    marked_new(COMPRESSION_GZIP, &data, 30000);
		struct err err = ERR_INIT;

		data.data[data.len - i] ^= 1;
		assert_int_equal(feed(marked, 5000, 0, &err), -EINVAL);
		assert_non_null(strstr(err.msg, "the checksum is wrong"));
		assert_true(marked->count > 5);
		data.data[data.len - i] ^= 1;
	}
}

/* The window is input as well. */
static void test_wrong_window(void **state)
{
	AUTO_BUF struct buf plain = BUF_INIT(STREAM_MAX);
	AUTO_BUF struct buf data = BUF_INIT(STREAM_MAX);
	unsigned seed = 1;
	size_t wrong = 0;

	(void)state;
	sample_make(TEXT, &plain);
	gzip(6, plain.data, plain.len, &data);
	AUTO_MARKED struct marked *marked =
	    mark(COMPRESSION_GZIP, &data, 1, 500, 0);
	for (size_t i = 1; i < marked->count; i++) {
		CLEANUP(span_free) struct span span = span_of(marked, i);
		struct point *point = &marked->points[i];

		for (size_t j = 0; j < point->at.window_len; j++)
			point->window[j] = (uint8_t)rand_r(&seed);
		assert_int_equal(decode(marked, &span, span.size), 0);
		wrong += memcmp(span.out, span.plain, span.size) != 0;
		/* What refers to bytes that are not there. */
		point->at.window_len = 0;
		assert_int_equal(decode(marked, &span, span.size), -EINVAL);
	}
	assert_true(wrong > 1);
}

static int no_room(void *arg, const struct checkpoint *point, struct err *err)
{
	(void)arg;
	return point->out > 0 ? err_set(err, ENOSPC, "no room") : 0;
}

static void test_found_fails(void **state)
{
	AUTO_BUF struct buf data = BUF_INIT(STREAM_MAX);
	AUTO_MARKED struct marked *marked = calloc(1, sizeof(*marked));
	CLEANUP(decoder_free_p) struct decoder *decoder = NULL;
	struct err err = ERR_INIT;

	(void)state;
	marked->sink.write = keep;
	marked->plain = BUF_INIT(STREAM_MAX);
	gzip(1, "abc", 3, &data);
	gzip(1, "def", 3, &data);
	assert_int_equal(decoder_new(COMPRESSION_GZIP, &marked->sink, 100,
			     &decoder, &err),
	    0);
	decoder_mark(decoder, 1, no_room, NULL);
	assert_int_equal(decoder_write(decoder, data.data, data.len, &err),
	    -ENOSPC);
	assert_int_equal(marked->plain.len, 3);
}

static int decode_at(enum compression compression, struct checkpoint at,
    const char *in, char *out, size_t size)
{
	struct err err = ERR_INIT;

	return checkpoint_decode(compression, &at, in, strlen(in), out, size,
	    &err);
}

static void test_without_compression(void **state)
{
	struct checkpoint at = {.in = 7, .out = 7};
	char out[6] = "";

	(void)state;
	assert_int_equal(decode_at(COMPRESSION_NONE, at, "abcde", out, 4), 0);
	assert_string_equal(out, "abcd");
	assert_int_equal(decode_at(COMPRESSION_NONE, at, "abcde", out, 6),
	    -EINVAL);
}

static void test_refused(void **state)
{
	struct checkpoint bits = {.bits = 8};
	struct checkpoint window = {.window_len = CHECKPOINT_WINDOW + 1};
	struct checkpoint inside = {.window_len = 0};
	char out[1];

	(void)state;
	assert_int_equal(decode_at(COMPRESSION_GZIP, bits, "abc", out, 1),
	    -EINVAL);
	assert_int_equal(decode_at(COMPRESSION_GZIP, window, "abc", out, 1),
	    -EINVAL);
	assert_int_equal(decode_at(COMPRESSION_ZSTD, inside, "abc", out, 1),
	    -EINVAL);
	assert_int_equal(decode_at(COMPRESSION_XZ, inside, "abc", out, 1),
	    -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_gzip_of_all_kinds),
	    cmocka_unit_test(test_gzip_blocks),
	    cmocka_unit_test(test_gzip_members),
	    cmocka_unit_test(test_gzip_window),
	    cmocka_unit_test(test_gzip_bits),
	    cmocka_unit_test(test_zstd),
	    cmocka_unit_test(test_cases),
	    cmocka_unit_test(test_damaged),
	    cmocka_unit_test(test_checksum),
	    cmocka_unit_test(test_wrong_window),
	    cmocka_unit_test(test_found_fails),
	    cmocka_unit_test(test_without_compression),
	    cmocka_unit_test(test_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
