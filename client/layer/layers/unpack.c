/* SPDX-License-Identifier: Apache-2.0 */
/* Fetching, verifying and decoding one span. */
#include "unpack.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "index/limits.h"
#include "state.h"
#include "store/parts.h"
#include "stream/checkpoint.h"

static int compare(const struct layer *layer, const struct layer_span *span,
    const void *data, size_t len, struct err *err)
{
	struct digest digest;
	int r = digest_of(DIGEST_SHA256, data, len, &digest, err);

	if (r < 0)
		return r;
	if (memcmp(digest.bytes, span->sha256, sizeof(span->sha256)) == 0)
		return 0;
	return err_set(err, EBADMSG,
	    "%s: the bytes from %llu on are not those of their digest",
	    layer->title, (unsigned long long)span->in);
}

static int decode(const struct layer *layer, const struct layer_span *span,
    const uint8_t *in, uint8_t *out, struct err *err)
{
	uint8_t window[CHECKPOINT_WINDOW];
	struct checkpoint from = {.in = span->in,
	    .out = span->out,
	    .bits = span->bits,
	    .at_member = span->flags & SPAN_AT_MEMBER,
	    .window = window};
	int r =
	    layer_index_window(layer->index, span, window, sizeof(window), err);

	if (r < 0)
		return r;
	from.window_len = (size_t)r;
	r = checkpoint_decode(layer_index_facts(layer->index)->compression,
	    &from, in, span->in_len, out, span->out_len, err);
	if (r == -EINVAL)
		err->code = EBADMSG;
	return r < 0 ? err_wrap(err, "%s: the bytes from %llu on", layer->title,
			   (unsigned long long)span->in)
		     : 0;
}

/* The same where other bytes come first that are not the span's. */
static int decode_behind(const struct layer *layer,
    const struct layer_span *span, const uint8_t *in, uint8_t *out,
    struct err *err)
{
	struct layer_span all = *span;
	struct buffers *buffers = layer->table->buffers;
	uint8_t *data;
	int r;

	if (span->skip == 0)
		return decode(layer, span, in, out, err);
	all.out_len += span->skip;
	data = buffers_take(buffers, all.out_len);
	if (!data)
		return err_nomem(err);
	r = decode(layer, &all, in, data, err);
	if (r == 0)
		memcpy(out, data + span->skip, span->out_len);
	buffers_give(buffers, data, all.out_len);
	return r;
}

/* out: NULL where nothing is to be decoded. */
static int unpack_once(struct layer *layer, const struct layer_span *span,
    uint64_t window, uint8_t *in, uint8_t *out, struct err *err)
{
	bool by_chunks =
	    layer_index_facts(layer->index)->vouching == LAYER_BY_CHUNKS;
	int r =
	    parts_read(layer->parts, in, span->in_len, span->in, window, err);

	/* What was never vouched for is not decoded, if it can be helped. */
	if (r >= 0 && !by_chunks)
		r = compare(layer, span, in, span->in_len, err);
	if (r >= 0 && out)
		r = decode_behind(layer, span, in, out, err);
	if (r >= 0 && by_chunks)
		r = compare(layer, span, out, span->out_len, err);
	return r < 0 ? r : 0;
}

static int unpack_into(struct layer *layer, const struct layer_span *span,
    uint64_t window, uint8_t *in, uint8_t *out, struct err *err)
{
	struct err first = ERR_INIT;
	int r = unpack_once(layer, span, window, in, out, &first);

	if (r == -EBADMSG) {
		log_warn("%s: they are fetched again", first.msg);
		parts_drop(layer->parts, span->in, span->in_len);
		return unpack_once(layer, span, window, in, out, err);
	}
	if (r < 0)
		*err = first;
	return r;
}

int unpack_span(struct layer *layer, const struct layer_span *span,
    uint64_t window, uint8_t *out, struct err *err)
{
	struct buffers *buffers = layer->table->buffers;
	uint8_t *in;
	int r;

	if (span->flags & SPAN_ZEROS) {
		memset(out, 0, span->out_len);
		return 0;
	}
	in = buffers_take(buffers, span->in_len);
	if (!in)
		return err_nomem(err);
	r = unpack_into(layer, span, window, in, out, err);
	buffers_give(buffers, in, span->in_len);
	return r;
}

int unpack_stored(struct layer *layer, const struct layer_span *span,
    uint64_t window, uint8_t *out, struct err *err)
{
	return unpack_into(layer, span, window, out, NULL, err);
}
