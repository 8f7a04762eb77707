/* SPDX-License-Identifier: Apache-2.0 */
/* Headers of zstd frames, compared with what libzstd writes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <zstd.h>

#include "zstd_header.h"

enum { ROOM = 1 << 10 };

/* Finds out how long the header is, byte by byte, as a decoder does. */
static size_t length_of(const uint8_t *header)
{
	size_t len = 0;

	while (len < zstd_header_need(header, len))
		len++;
	return len;
}

/* The header of a frame of an unknown size, or of a known one. */
static void begin(int window_log, uint64_t size, uint8_t out[ROOM])
{
	ZSTD_CCtx *context = ZSTD_createCCtx();
	ZSTD_outBuffer output = {out, ROOM, 0};
	ZSTD_inBuffer input = {"x", 1, 0};

	ZSTD_CCtx_setParameter(context, ZSTD_c_windowLog, window_log);
	ZSTD_CCtx_setPledgedSrcSize(context, size);
	ZSTD_compressStream2(context, &output, &input, ZSTD_e_flush);
	assert_true(output.pos > 0);
	ZSTD_freeCCtx(context);
}

static void a_window_is_what_the_frame_was_made_with(void **state)
{
	uint8_t frame[ROOM];

	(void)state;
	for (int log = 10; log <= 27; log++) {
		begin(log, ZSTD_CONTENTSIZE_UNKNOWN, frame);
		assert_int_equal(length_of(frame), 6);
		assert_int_equal(zstd_header_window(frame), UINT64_C(1) << log);
	}
}

static void a_small_frame_needs_no_more_than_it_has(void **state)
{
	static const uint64_t sizes[] = {1, 255, 256, 257, 65791, 65792, 100000,
	    4 << 20};
	uint8_t frame[ROOM];

	(void)state;
	for (size_t i = 0; i < sizeof(sizes) / sizeof(*sizes); i++) {
		begin(27, sizes[i], frame);
		assert_int_equal(zstd_header_window(frame), sizes[i]);
	}
}

static void a_large_frame_needs_its_window(void **state)
{
	uint8_t frame[ROOM];

	(void)state;
	begin(20, UINT64_C(1) << 40, frame);
	assert_int_equal(length_of(frame), 14);
	assert_int_equal(zstd_header_window(frame), 1 << 20);
}

static void the_fields_are_those_of_the_specification(void **state)
{
	/* A window of 8/8 + 5/8 of 64 MiB, and a dictionary's ID of 4 bytes. */
	const uint8_t parts[ZSTD_HEADER_MAX] = {0x28, 0xb5, 0x2f, 0xfd, 0x03,
	    0x85, 1, 2, 3, 4};
	/* No window, an ID of 1 byte, a size in 2 bytes. */
	const uint8_t single[ZSTD_HEADER_MAX] = {0x28, 0xb5, 0x2f, 0xfd, 0x61,
	    9, 0x34, 0x12};
	const uint8_t longest[ZSTD_HEADER_MAX] = {0x28, 0xb5, 0x2f, 0xfd, 0xc3};

	(void)state;
	assert_int_equal(length_of(parts), 10);
	assert_int_equal(zstd_header_window(parts), 13 * (UINT64_C(8) << 20));
	assert_int_equal(length_of(single), 8);
	assert_int_equal(zstd_header_window(single), 0x1234 + 256);
	assert_int_equal(length_of(longest), ZSTD_HEADER_MAX);
}

static void what_is_no_frame_needs_no_window(void **state)
{
	const uint8_t skippable[] = {0x50, 0x2a, 0x4d, 0x18};
	const uint8_t other[] = {0x28, 0xb5, 0x2f, 0xfe};

	(void)state;
	assert_int_equal(length_of(skippable), 4);
	assert_int_equal(zstd_header_window(skippable), 0);
	assert_int_equal(length_of(other), 4);
	assert_int_equal(zstd_header_window(other), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_window_is_what_the_frame_was_made_with),
	    cmocka_unit_test(a_small_frame_needs_no_more_than_it_has),
	    cmocka_unit_test(a_large_frame_needs_its_window),
	    cmocka_unit_test(the_fields_are_those_of_the_specification),
	    cmocka_unit_test(what_is_no_frame_needs_no_window),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
