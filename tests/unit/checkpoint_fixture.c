/* SPDX-License-Identifier: Apache-2.0 */
#include "checkpoint_fixture.h"

void marked_free(struct marked **marked)
{
	for (size_t i = 0; i < (*marked)->count; i++)
		free((*marked)->points[i].window);
	buf_release(&(*marked)->plain);
	free(*marked);
}

int keep(struct sink *sink, const void *data, size_t len, struct err *err)
{
	return buf_add(&((struct marked *)sink)->plain, data, len, err);
}

static void check_window(const struct marked *marked,
    const struct checkpoint *at)
{
	const uint8_t *plain = (const uint8_t *)marked->plain.data;

	assert_true(at->bits < 8);
	if (at->at_member) {
		assert_int_equal(at->window_len, 0);
		assert_int_equal(at->bits, 0);
		return;
	}
	assert_int_equal(marked->compression, COMPRESSION_GZIP);
	assert_true(at->window_len <= CHECKPOINT_WINDOW);
	assert_memory_equal(at->window, plain + at->out - at->window_len,
	    at->window_len);
}

static int found(void *arg, const struct checkpoint *at, struct err *err)
{
	struct marked *marked = arg;
	struct point *point = &marked->points[marked->count];

	(void)err;
	assert_true(marked->count < POINTS_MAX);
	assert_int_equal(at->out, marked->plain.len);
	if (marked->count == 0) {
		assert_true(at->at_member && at->in == 0 && at->out == 0);
	} else {
		const struct checkpoint *last = &point[-1].at;

		assert_true(at->in >= last->in);
		assert_true(at->out - last->out >= marked->distance);
	}
	check_window(marked, at);
	point->at = *at;
	/* To the byte, so that a sanitizer sees who reads past it. */
	point->window = malloc(at->window_len ? at->window_len : 1);
	if (at->window_len)
		memcpy(point->window, at->window, at->window_len);
	point->at.window = point->window;
	marked->count++;
	return 0;
}

struct marked *marked_new(enum compression compression, const struct buf *data,
    uint64_t distance)
{
	struct marked *marked = calloc(1, sizeof(*marked));

	marked->sink.write = keep;
	marked->compression = compression;
	marked->distance = distance;
	marked->data = (const uint8_t *)data->data;
	marked->len = data->len;
	marked->plain = BUF_INIT(STREAM_MAX);
	return marked;
}

int feed(struct marked *marked, size_t piece, unsigned seed, struct err *err)
{
	CLEANUP(decoder_free_p) struct decoder *decoder = NULL;
	int r = decoder_new(marked->compression, &marked->sink, STREAM_MAX,
	    &decoder, err);

	assert_int_equal(r, 0);
	decoder_mark(decoder, marked->distance, found, marked);
	for (size_t done = 0, n; r == 0 && done < marked->len; done += n) {
		n = seed ? (size_t)rand_r(&seed) % piece + 1 : piece;
		if (n > marked->len - done)
			n = marked->len - done;
		r = decoder_write(decoder, marked->data + done, n, err);
	}
	assert_true(r < 0 || decoder_at_end(decoder));
	return r;
}

struct marked *mark(enum compression compression, const struct buf *data,
    uint64_t distance, size_t piece, unsigned seed)
{
	struct marked *marked = marked_new(compression, data, distance);
	struct err err = ERR_INIT;

	if (feed(marked, piece, seed, &err) < 0)
		fail_msg("%s", err.msg);
	return marked;
}

void span_free(struct span *span)
{
	free(span->in);
	free(span->out);
}

struct span span_of(const struct marked *marked, size_t i)
{
	const struct checkpoint *at = &marked->points[i].at;
	struct span span = {.from = at,
	    .plain = (const uint8_t *)marked->plain.data + at->out};

	if (i + 1 < marked->count) {
		const struct checkpoint *end = &marked->points[i + 1].at;

		span.in_len = end->in - at->in + (end->bits > 0);
		span.size = end->out - at->out;
	} else {
		span.in_len = marked->len - at->in;
		span.size = marked->plain.len - at->out;
	}
	span.in = malloc(span.in_len);
	memcpy(span.in, marked->data + at->in, span.in_len);
	span.out = malloc(span.size + 1);
	return span;
}

int decode(const struct marked *marked, struct span *span, size_t size)
{
	struct err err = ERR_INIT;
	int r = checkpoint_decode(marked->compression, span->from, span->in,
	    span->in_len, span->out, size, &err);

	assert_int_equal(r, -err.code);
	return r;
}
