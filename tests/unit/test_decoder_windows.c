/* SPDX-License-Identifier: Apache-2.0 */
/* The windows of a decoder that shares an account. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <lzma.h>
#include <zstd.h>

#include "base/buf.h"
#include "stream/compression.h"
#include "stream/windows.h"

#define MIB (UINT64_C(1) << 20)

enum {
	PLAIN = 300000,
	ROOM = 2 << 20,
	XZ_WINDOW_MAX = 129, /* MiB, with what is beside it */
};

/* What comes out, and what the account had when ready() was called. */
struct run {
	struct sink sink;
	struct buf out;
	struct decoder *decoder;
	int asked;
	uint64_t in_use;
	int refusal;
};

static uint64_t in_use(void)
{
	uint64_t bytes;

	monitor_enter(&windows_of_layers.monitor);
	bytes = windows_of_layers.in_use;
	monitor_leave(&windows_of_layers.monitor);
	return bytes;
}

static int take(struct sink *sink, const void *data, size_t len,
    struct err *err)
{
	return buf_add(&((struct run *)sink)->out, data, len, err);
}

static int ready(void *arg, struct err *err)
{
	struct run *run = arg;

	run->asked++;
	run->in_use = in_use();
	return run->refusal < 0 ? err_set(err, -run->refusal, "not ready") : 0;
}

static void begin(struct run *run, enum compression compression)
{
	struct err err = ERR_INIT;

	*run = (struct run){.sink = {take}, .out = BUF_INIT(ROOM)};
	assert_int_equal(decoder_new(compression, &run->sink, UINT64_MAX,
			     &run->decoder, &err),
	    0);
	decoder_share(run->decoder, &windows_of_layers, ready, run);
}

static void end(struct run *run)
{
	decoder_free(run->decoder);
	buf_release(&run->out);
	assert_int_equal(in_use(), 0);
}

/* Byte by byte, as headers can be cut anywhere. */
static int feed(struct run *run, const struct buf *data, struct err *err)
{
	int r = 0;

	for (size_t i = 0; i < data->len && r == 0; i++)
		r = decoder_write(run->decoder, data->data + i, 1, err);
	return r;
}

static void plain(char out[PLAIN])
{
	for (int i = 0; i < PLAIN; i++)
		out[i] = (char)(i / 7 % 251);
}

/* A frame that does not say how much it has. */
static void add_frame(struct buf *out, int window_log)
{
	static char data[PLAIN];
	static char frame[ROOM];
	ZSTD_CCtx *context = ZSTD_createCCtx();
	ZSTD_inBuffer input = {data, PLAIN, 0};
	ZSTD_outBuffer output = {frame, ROOM, 0};
	struct err err = ERR_INIT;

	plain(data);
	ZSTD_CCtx_setParameter(context, ZSTD_c_windowLog, window_log);
	ZSTD_compressStream2(context, &output, &input, ZSTD_e_continue);
	assert_int_equal(ZSTD_compressStream2(context, &output, &input,
			     ZSTD_e_end),
	    0);
	assert_int_equal(buf_add(out, frame, output.pos, &err), 0);
	ZSTD_freeCCtx(context);
}

static void add_xz(struct buf *out, uint32_t window)
{
	static char data[PLAIN];
	static uint8_t stream[ROOM];
	lzma_options_lzma options;
	lzma_filter filters[] = {{LZMA_FILTER_LZMA2, &options},
	    {LZMA_VLI_UNKNOWN, NULL}};
	struct err err = ERR_INIT;
	size_t len = 0;

	plain(data);
	assert_false(lzma_lzma_preset(&options, 0));
	options.dict_size = window;
	assert_int_equal(lzma_stream_buffer_encode(filters, LZMA_CHECK_CRC32,
			     NULL, (uint8_t *)data, PLAIN, stream, &len, ROOM),
	    LZMA_OK);
	assert_int_equal(buf_add(out, stream, len, &err), 0);
}

static void expect_plain(const struct run *run, size_t times)
{
	static char data[PLAIN];

	plain(data);
	assert_int_equal(run->out.len, times * PLAIN);
	for (size_t i = 0; i < times; i++)
		assert_memory_equal(run->out.data + i * PLAIN, data, PLAIN);
}

static void a_small_window_needs_no_turn(void **state)
{
	AUTO_BUF struct buf zstd = BUF_INIT(ROOM), xz = BUF_INIT(ROOM);
	const struct buf *streams[] = {&zstd, &xz};
	enum compression kinds[] = {COMPRESSION_ZSTD, COMPRESSION_XZ};
	struct err err = ERR_INIT;
	struct run run;

	(void)state;
	add_frame(&zstd, 23);
	add_xz(&xz, 8 * MIB);
	for (size_t i = 0; i < 2; i++) {
		begin(&run, kinds[i]);
		assert_int_equal(feed(&run, streams[i], &err), 0);
		assert_int_equal(run.asked, 0);
		assert_int_equal(in_use(), 0);
		expect_plain(&run, 1);
		end(&run);
	}
}

static void a_large_window_is_had_until_the_decoder_is_freed(void **state)
{
	AUTO_BUF struct buf data = BUF_INIT(ROOM);
	struct err err = ERR_INIT;
	struct run run;

	(void)state;
	add_frame(&data, 27);
	begin(&run, COMPRESSION_ZSTD);
	assert_int_equal(feed(&run, &data, &err), 0);
	assert_int_equal(run.asked, 1);
	assert_int_equal(in_use(), 128 * MIB);
	expect_plain(&run, 1);
	assert_true(decoder_at_end(run.decoder));
	end(&run);
}

/* Two that wait for more while they have some would wait for ever. */
static void who_needs_a_larger_one_gives_back_what_it_has(void **state)
{
	AUTO_BUF struct buf data = BUF_INIT(ROOM);
	struct err err = ERR_INIT;
	struct run run;

	(void)state;
	add_frame(&data, 20);
	add_frame(&data, 24);
	add_frame(&data, 22);
	add_frame(&data, 24);
	add_frame(&data, 25);
	begin(&run, COMPRESSION_ZSTD);
	assert_int_equal(feed(&run, &data, &err), 0);
	assert_int_equal(run.asked, 2);
	assert_int_equal(run.in_use, 0);
	assert_int_equal(in_use(), 32 * MIB);
	expect_plain(&run, 5);
	end(&run);
}

static void xz_asks_once(void **state)
{
	AUTO_BUF struct buf data = BUF_INIT(ROOM);
	struct err err = ERR_INIT;
	struct run run;

	(void)state;
	add_xz(&data, 1 * MIB);
	add_xz(&data, 16 * MIB);
	add_xz(&data, 64 * MIB);
	begin(&run, COMPRESSION_XZ);
	assert_int_equal(feed(&run, &data, &err), 0);
	assert_int_equal(run.asked, 1);
	assert_int_equal(in_use(), XZ_WINDOW_MAX * MIB);
	expect_plain(&run, 3);
	assert_true(decoder_at_end(run.decoder));
	end(&run);
}

static void what_is_too_large_is_refused_without_a_turn(void **state)
{
	AUTO_BUF struct buf zstd = BUF_INIT(ROOM), xz = BUF_INIT(ROOM);
	const struct buf *streams[] = {&zstd, &xz};
	enum compression kinds[] = {COMPRESSION_ZSTD, COMPRESSION_XZ};
	struct err err = ERR_INIT;
	struct run run;

	(void)state;
	add_frame(&zstd, 28);
	add_xz(&xz, 256 * MIB);
	for (size_t i = 0; i < 2; i++) {
		begin(&run, kinds[i]);
		assert_int_equal(feed(&run, streams[i], &err), -EINVAL);
		assert_int_equal(run.asked, 0);
		end(&run);
	}
}

static void what_is_not_ready_has_no_turn(void **state)
{
	AUTO_BUF struct buf data = BUF_INIT(ROOM);
	struct err err = ERR_INIT;
	struct run run;

	(void)state;
	add_frame(&data, 27);
	begin(&run, COMPRESSION_ZSTD);
	run.refusal = -ECANCELED;
	assert_int_equal(feed(&run, &data, &err), -ECANCELED);
	assert_int_equal(in_use(), 0);
	assert_int_equal(run.out.len, 0);
	end(&run);
}

static void an_interrupted_one_ends(void **state)
{
	AUTO_BUF struct buf data = BUF_INIT(ROOM);
	struct err err = ERR_INIT;
	struct task task;
	struct run run;

	(void)state;
	assert_int_equal(windows_take(&windows_of_layers, MIB, &err), 0);
	add_frame(&data, 27);
	begin(&run, COMPRESSION_ZSTD);
	task_begin(&task);
	task_interrupt(&task);
	assert_int_equal(feed(&run, &data, &err), -EINTR);
	task_end(&task);
	windows_give(&windows_of_layers, MIB);
	end(&run);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_small_window_needs_no_turn),
	    cmocka_unit_test(a_large_window_is_had_until_the_decoder_is_freed),
	    cmocka_unit_test(who_needs_a_larger_one_gives_back_what_it_has),
	    cmocka_unit_test(xz_asks_once),
	    cmocka_unit_test(what_is_too_large_is_refused_without_a_turn),
	    cmocka_unit_test(what_is_not_ready_has_no_turn),
	    cmocka_unit_test(an_interrupted_one_ends),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
