/* SPDX-License-Identifier: Apache-2.0 */
/* Chunks that are too large to be held in memory. */
#include "large.h"

#include <errno.h>
#include <string.h>

#include "limits.h"
#include "state.h"

enum { PIECE = 256 << 10, WINDOW = 8 << 20 };

static const struct layer_span *span_of(const struct layer *layer,
    uint32_t number)
{
	uint32_t count;

	return layer_index_spans(layer->index, &count) + number;
}

bool large_is(const struct layer *layer, uint32_t number)
{
	const struct layer_span *span = span_of(layer, number);

	return (uint64_t)span->skip + span->out_len > SPAN_OUT_MAX &&
	       !(span->flags & SPAN_ZEROS);
}

/* Where the store gets a chunk from. */
struct chunk {
	struct layer *layer; /* held */
	const struct layer_span *span;
};

/* Passes on what of the decoded bytes is asked for. */
struct excerpt {
	struct sink sink;
	struct sink *out;
	uint64_t skip, left;
};

static int take(struct sink *sink, const void *data, size_t len,
    struct err *err)
{
	struct excerpt *excerpt = (struct excerpt *)sink;
	const uint8_t *bytes = data;

	if (len <= excerpt->skip) {
		excerpt->skip -= len;
		return 0;
	}
	bytes += excerpt->skip;
	len -= excerpt->skip;
	excerpt->skip = 0;
	if (len > excerpt->left)
		len = (size_t)excerpt->left;
	excerpt->left -= len;
	return len > 0 ? sink_write(excerpt->out, bytes, len, err) : 0;
}

static int decode(const struct chunk *chunk, struct excerpt *excerpt,
    struct err *err)
{
	const struct layer_span *span = chunk->span;
	AUTO_FREE uint8_t *piece = malloc(PIECE);
	CLEANUP(decoder_free_p) struct decoder *decoder = NULL;
	uint64_t done = 0;
	int r;

	if (!piece)
		return err_nomem(err);
	r = decoder_new(layer_index_facts(chunk->layer->index)->compression,
	    &excerpt->sink, UINT64_MAX, &decoder, err);
	while (r == 0 && excerpt->left > 0 && done < span->in_len) {
		size_t len = span->in_len - done < PIECE
				 ? (size_t)(span->in_len - done)
				 : PIECE;

		r = parts_read(chunk->layer->parts, piece, len, span->in + done,
		    WINDOW, err);
		if (r >= 0)
			r = decoder_write(decoder, piece, len, err);
		done += len;
	}
	return r < 0 ? r : 0;
}

static int fetch(void *arg, const struct digest *digest, uint64_t offset,
    uint64_t len, struct sink *sink, struct err *err)
{
	const struct chunk *chunk = arg;
	const struct layer_span *span = chunk->span;
	struct excerpt excerpt = {.sink = {take},
	    .out = sink,
	    .skip = span->skip + offset,
	    .left = len ? len : span->out_len - offset};
	int r = decode(chunk, &excerpt, err);

	(void)digest;
	/* What was fetched may be what is wrong. */
	if (r < 0 || excerpt.left > 0)
		parts_drop(chunk->layer->parts, span->in, span->in_len);
	return r;
}

static void release(void *arg)
{
	struct chunk *chunk = arg;

	layer_put(chunk->layer);
	free(chunk);
}

static int open_chunk(struct layer *layer, const struct layer_span *span,
    struct blob **out, struct err *err)
{
	struct chunk *chunk = malloc(sizeof(*chunk));
	const struct store_source source = {fetch, release, chunk};
	struct digest digest = {.algorithm = DIGEST_SHA256};

	if (!chunk)
		return err_nomem(err);
	*chunk = (struct chunk){layer_get(layer), span};
	memcpy(digest.bytes, span->sha256, sizeof(span->sha256));
	return store_get(layer->table->store, &digest, span->out_len, &source,
	    out, err);
}

/* Takes the one that was read last, if it is that one. */
static struct blob *take_last(struct layer *layer, uint32_t number)
{
	struct blob *blob = NULL;

	monitor_enter(&layer->monitor);
	if (layer->large_span == number)
		blob = steal(&layer->large);
	monitor_leave(&layer->monitor);
	return blob;
}

static void keep_last(struct layer *layer, uint32_t number, struct blob *blob)
{
	struct blob *before;

	monitor_enter(&layer->monitor);
	before = layer->large;
	layer->large = blob;
	layer->large_span = number;
	monitor_leave(&layer->monitor);
	blob_put(before);
}

int large_read(struct layer *layer, uint32_t number, void *data, size_t len,
    uint64_t off, struct err *err)
{
	const struct layer_span *span = span_of(layer, number);
	CLEANUP(blob_put_p) struct blob *blob = take_last(layer, number);
	ssize_t n = 0;
	char last;

	if (!blob && open_chunk(layer, span, &blob, err) < 0)
		return -err->code;
	/* The last byte is there when the digest is right. */
	if (!blob_verified(blob))
		n = blob_read(blob, &last, 1, span->out_len - 1, err);
	if (n >= 0)
		n = blob_read(blob, data, len, off, err);
	if (n >= 0)
		keep_last(layer, number, steal(&blob));
	/* What the blob was decoded from is not to be kept either. */
	if (n == -EBADMSG)
		parts_drop(layer->parts, span->in, span->in_len);
	return n < 0 ? (int)n : 0;
}
