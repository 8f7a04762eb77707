/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The decoders: any input that is whole gives the same in pieces, and what is
 * between two checkpoints gives alone what it gave with the rest.
 */
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "fuzz.h"
#include "stream/checkpoint.h"

enum {
	PLAIN_MAX = 1 << 20,
	POINTS_MAX = 64,
	DISTANCE = 1000,
	PIECE = 61,
};

struct point {
	struct checkpoint at;
	uint8_t window[CHECKPOINT_WINDOW];
};

struct run {
	struct sink sink;
	struct buf plain;
	struct point *points; /* NULL: without */
	size_t count;
	int result;
};

static int keep(struct sink *sink, const void *data, size_t len,
    struct err *err)
{
	return buf_add(&((struct run *)sink)->plain, data, len, err);
}

static int found(void *arg, const struct checkpoint *at, struct err *err)
{
	struct run *run = arg;
	struct point *point = &run->points[run->count];

	(void)err;
	if (at->out != run->plain.len || at->bits > 7 ||
	    at->window_len > CHECKPOINT_WINDOW)
		abort();
	if (run->count == POINTS_MAX)
		return 0;
	point->at = *at;
	point->at.window = point->window;
	if (at->window_len)
		memcpy(point->window, at->window, at->window_len);
	run->count++;
	return 0;
}

static void decode(struct run *run, enum compression compression,
    const uint8_t *data, size_t size, size_t piece)
{
	CLEANUP(decoder_free_p) struct decoder *decoder = NULL;
	struct err err = ERR_INIT;

	run->sink.write = keep;
	run->plain = BUF_INIT(PLAIN_MAX);
	if (decoder_new(compression, &run->sink, PLAIN_MAX, &decoder, &err) < 0)
		abort();
	if (run->points)
		decoder_mark(decoder, DISTANCE, found, run);
	for (size_t done = 0; run->result == 0 && done < size; done += piece) {
		size_t n = size - done < piece ? size - done : piece;

		run->result = decoder_write(decoder, data + done, n, &err);
	}
	if (run->result == 0 && !decoder_at_end(decoder))
		run->result = 1;
}

/* To the next point or to the end. Of a stream that is damaged further on, it
 * need not be decoded: what is behind the span is looked at as well. */
static void check_span(const struct run *run, enum compression compression,
    size_t i, const uint8_t *data, size_t size)
{
	const struct checkpoint *from = &run->points[i].at;
	size_t in_len = size - from->in, out_len = run->plain.len - from->out;
	AUTO_FREE uint8_t *out = NULL;
	struct err err = ERR_INIT;
	int r;

	if (i + 1 < run->count) {
		const struct checkpoint *end = &run->points[i + 1].at;

		in_len = end->in - from->in + (end->bits > 0);
		out_len = end->out - from->out;
	}
	out = malloc(out_len + 1);
	r = checkpoint_decode(compression, from, data + from->in, in_len, out,
	    out_len, &err);
	if (r < 0 && run->result >= 0)
		abort();
	if (r == 0 && out_len &&
	    memcmp(out, run->plain.data + from->out, out_len) != 0)
		abort();
}

static bool same(const struct buf *a, const struct buf *b)
{
	return a->len == b->len &&
	       (a->len == 0 || memcmp(a->data, b->data, a->len) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	enum compression compression = compression_sniff(data, size);
	AUTO_FREE struct point *points = malloc(POINTS_MAX * sizeof(*points));
	struct run whole = {.points = NULL}, pieces = {.points = points};

	if (compression == COMPRESSION_NONE)
		return 0;
	decode(&whole, compression, data, size, size);
	decode(&pieces, compression, data, size, PIECE);
	/* Not by the errno: damage can be seen before or after it is known
	 * that there is too much. */
	if ((whole.result < 0) != (pieces.result < 0))
		abort();
	/* What is cut off can be short of its last bytes. */
	if (whole.result == 0 && !same(&whole.plain, &pieces.plain))
		abort();
	for (size_t i = 0; i < pieces.count; i++)
		check_span(&pieces, compression, i, data, size);
	buf_release(&whole.plain);
	buf_release(&pieces.plain);
	return 0;
}
