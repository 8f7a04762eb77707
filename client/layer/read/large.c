/* SPDX-License-Identifier: Apache-2.0 */
/* Chunks that are too large to be held in memory. */
#include "large.h"

#include <errno.h>
#include <string.h>

#include "index/limits.h"
#include "layers/excerpt.h"
#include "layers/state.h"

bool large_is(const struct layer_span *span)
{
	return (uint64_t)span->skip + span->out_len > SPAN_OUT_MAX &&
	       !(span->flags & SPAN_ZEROS);
}

static int open_chunk(struct layer *layer, const struct layer_span *span,
    struct blob **out, struct err *err)
{
	const struct excerpt_range range = {span->in, span->in_len, span->skip,
	    span->out_len};
	struct digest digest = {.algorithm = DIGEST_SHA256};

	memcpy(digest.bytes, span->sha256, sizeof(span->sha256));
	return excerpt_open(layer, &range, &digest, out, err);
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

	if (r == -EBADMSG || r == -EILSEQ) {
		/* What it was decoded from is not to be kept either. */
		parts_drop(layer->parts, span->in, span->in_len);
		return read_once(layer, number, span, data, len, off, err);
	}
	if (r < 0)
		*err = first;
	return r;
}
