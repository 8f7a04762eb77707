/* SPDX-License-Identifier: Apache-2.0 */
/* Chunks that are too large to be held in memory. */
#include "large.h"

#include <errno.h>
#include <stdatomic.h>
#include <string.h>

#include "limits.h"
#include "state.h"

enum { PIECE = 256 << 10, WINDOW = 8 << 20 };

bool large_is(const struct layer_span *span)
{
	return (uint64_t)span->skip + span->out_len > SPAN_OUT_MAX &&
	       !(span->flags & SPAN_ZEROS);
}

/* Where the store gets a chunk from. The store keeps it longer than layers
 * last, and layers keep chunks: it does not hold the layer. */
struct chunk {
	struct parts *parts; /* of the layer's blob */
	enum compression compression;
	struct layer_span span;
	atomic_bool wrong; /* what it gave: who wants more asks another */
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

/* How much of a chunk was read. */
struct progress {
	const struct chunk *chunk;
	uint64_t done;
};

/* The next piece: its length, or an error. */
static int read_piece(struct progress *progress, uint8_t *piece,
    struct err *err)
{
	const struct chunk *chunk = progress->chunk;
	uint64_t left = chunk->span.in_len - progress->done;
	size_t len = left < PIECE ? (size_t)left : PIECE;
	int r = parts_read(chunk->parts, piece, len,
	    chunk->span.in + progress->done, WINDOW, err);

	progress->done += len;
	return r < 0 ? r : (int)len;
}

/* Fetches the rest: a decoder with a large window does not wait for the
 * network. */
static int await_rest(void *arg, struct err *err)
{
	struct progress rest = *(const struct progress *)arg;
	AUTO_FREE uint8_t *piece = malloc(PIECE);
	int r = piece ? 0 : err_nomem(err);

	while (r >= 0 && rest.done < rest.chunk->span.in_len)
		r = read_piece(&rest, piece, err);
	return r < 0 ? r : 0;
}

static int decode(const struct chunk *chunk, struct excerpt *excerpt,
    struct err *err)
{
	struct progress progress = {chunk, 0};
	AUTO_FREE uint8_t *piece = malloc(PIECE);
	CLEANUP(decoder_free_p) struct decoder *decoder = NULL;
	int r;

	if (!piece)
		return err_nomem(err);
	r = decoder_new(chunk->compression, &excerpt->sink, UINT64_MAX,
	    &decoder, err);
	if (r == 0)
		decoder_share(decoder, &windows_of_fetches, await_rest,
		    &progress);
	while (
	    r == 0 && excerpt->left > 0 && progress.done < chunk->span.in_len) {
		r = read_piece(&progress, piece, err);
		if (r >= 0)
			r = decoder_write(decoder, piece, (size_t)r, err);
	}
	return r < 0 ? r : 0;
}

/* What was fetched is wrong, or the index is. */
static int is_wrong(struct chunk *chunk, struct err *err)
{
	const struct layer_span *span = &chunk->span;

	parts_drop(chunk->parts, span->in, span->in_len);
	atomic_store(&chunk->wrong, true);
	return err_set(err, EBADMSG,
	    "the bytes from %llu on do not decode to what they should",
	    (unsigned long long)span->in);
}

static int fetch(void *arg, const struct digest *digest, uint64_t offset,
    uint64_t len, struct sink *sink, struct err *err)
{
	struct chunk *chunk = arg;
	const struct layer_span *span = &chunk->span;
	struct excerpt excerpt = {.sink = {take},
	    .out = sink,
	    .skip = span->skip + offset,
	    .left = len ? len : span->out_len - offset};
	int r;

	(void)digest;
	if (atomic_load(&chunk->wrong))
		return is_wrong(chunk, err);
	r = decode(chunk, &excerpt, err);
	if (r == -EINVAL || (r == 0 && excerpt.left > 0))
		return is_wrong(chunk, err);
	return r;
}

static void release(void *arg)
{
	struct chunk *chunk = arg;

	parts_put(chunk->parts);
	free(chunk);
}

static int new_chunk(struct layer *layer, const struct layer_span *span,
    struct chunk **out, struct err *err)
{
	const struct store_source source = origins_source(layer->origins);
	AUTO_FREE struct chunk *chunk = malloc(sizeof(*chunk));
	int r;

	if (!chunk) {
		source.release(source.arg);
		return err_nomem(err);
	}
	chunk->compression = layer_index_facts(layer->index)->compression;
	chunk->span = *span;
	atomic_init(&chunk->wrong, false);
	r = store_parts(layer->table->store, &layer->digest, layer->size,
	    &source, &chunk->parts, err);
	if (r == 0)
		*out = steal(&chunk);
	return r;
}

static int open_chunk(struct layer *layer, const struct layer_span *span,
    struct blob **out, struct err *err)
{
	struct store_source source = {fetch, release, NULL, NULL};
	struct digest digest = {.algorithm = DIGEST_SHA256};
	struct chunk *chunk = NULL;
	int r = new_chunk(layer, span, &chunk, err);

	if (r < 0)
		return r;
	source.arg = chunk;
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

static int read_once(struct layer *layer, uint32_t number,
    const struct layer_span *span, void *data, size_t len, uint64_t off,
    struct err *err)
{
	CLEANUP(blob_put_p) struct blob *blob = take_last(layer, number);
	ssize_t n;

	if (!blob && open_chunk(layer, span, &blob, err) < 0)
		return -err->code;
	n = blob_read_verified(blob, data, len, off, err);
	if (n >= 0)
		keep_last(layer, number, steal(&blob));
	return n < 0 ? (int)n : 0;
}

int large_read(struct layer *layer, uint32_t number,
    const struct layer_span *span, void *data, size_t len, uint64_t off,
    struct err *err)
{
	struct err first = ERR_INIT;
	int r = read_once(layer, number, span, data, len, off, &first);

	if (r == -EBADMSG) {
		/* What it was decoded from is not to be kept either. */
		parts_drop(layer->parts, span->in, span->in_len);
		return read_once(layer, number, span, data, len, off, err);
	}
	if (r < 0)
		*err = first;
	return r;
}
