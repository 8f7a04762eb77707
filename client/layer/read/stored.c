/* SPDX-License-Identifier: Apache-2.0 */
/* Layers' blobs as they are stored, read by the spans that vouch for them. */
#include <errno.h>
#include <string.h>

#include "layers/state.h"

enum {
	/* One request's bytes, of a reader who goes on. */
	WINDOW_MAX = 8 << 20,
	/* The kernel reads ahead with several requests, which come in any
	 * order. */
	STRAY_MAX = 1 << 20,
};

bool layer_is_vouched(struct layer *layer)
{
	const struct layer_index *index = layer_index_known(layer);
	uint64_t end = 0;

	if (!index || layer_index_facts(index)->vouching != LAYER_BY_SPANS)
		return false;
	for (uint32_t i = 0; i < layer_index_spans(index); i++) {
		struct layer_span span;

		/* Two may share a byte, where one ends in the middle of it. */
		if (layer_index_span(index, i, &span, ERR_IGNORE) < 0 ||
		    span.in > end)
			return false;
		end = span.in + span.in_len;
	}
	return end == layer->size;
}

uint64_t layer_cached(struct layer *layer)
{
	return parts_cached(layer->parts);
}

/* The span with that byte of the blob, and its number. */
static int span_at(const struct layer *layer, uint64_t off, uint32_t *number,
    struct layer_span *out, struct err *err)
{
	uint32_t count = layer_index_spans(layer->index);
	int r = 0;

	*number = 0;
	while (r == 0 && count > 1) {
		uint32_t half = count / 2;

		r = layer_index_span(layer->index, *number + half, out, err);
		if (r == 0 && out->in <= off) {
			*number += half;
			count -= half;
		} else {
			count = half;
		}
	}
	return r < 0 ? r : layer_index_span(layer->index, *number, out, err);
}

/* How much is worth fetching for a reader there: as much as was read in order
 * before. */
static uint64_t window_at(struct layer *layer, uint64_t off, size_t len)
{
	uint64_t next = atomic_load(&layer->stored_next);
	uint64_t start = atomic_load(&layer->stored_start);

	if (off < start || off > next + STRAY_MAX || off + STRAY_MAX < next) {
		atomic_store(&layer->stored_start, off);
		atomic_store(&layer->stored_next, off + len);
		return 0;
	}
	if (off + len > next)
		atomic_store(&layer->stored_next, off + len);
	return off - start < WINDOW_MAX ? off - start : WINDOW_MAX;
}

/* The bytes of one span: how many, or an error. */
static ssize_t read_span(struct layer *layer, void *data, size_t len,
    uint64_t off, uint64_t window, struct err *err)
{
	CLEANUP(decoded_put_p) struct decoded *stored = NULL;
	struct layer_span span;
	uint32_t number;
	uint64_t skip;
	int r = span_at(layer, off, &number, &span, err);

	if (r < 0)
		return r;
	skip = off - span.in;
	if (skip >= span.in_len)
		return err_set(err, EIO,
		    "%s: its index does not have byte %llu", layer->title,
		    (unsigned long long)off);
	r = span_get_stored(layer->table->spans, layer, number, &span, window,
	    &stored, err);
	if (r < 0)
		return r;
	if (len > span.in_len - skip)
		len = (size_t)(span.in_len - skip);
	memcpy(data, decoded_data(stored) + skip, len);
	return (ssize_t)len;
}

static int read_spans(struct layer *layer, uint8_t *data, size_t len,
    uint64_t off, uint64_t window, struct err *err)
{
	size_t done = 0;

	while (done < len) {
		ssize_t n = read_span(layer, data + done, len - done,
		    off + done, window, err);

		if (n < 0)
			return (int)n;
		done += (size_t)n;
	}
	return 0;
}

ssize_t layer_read_stored(struct layer *layer, void *data, size_t len,
    uint64_t off, struct err *err)
{
	uint64_t window;
	int r;

	if (off >= layer->size)
		return 0;
	if (len > layer->size - off)
		len = (size_t)(layer->size - off);
	window = window_at(layer, off, len);
	r = read_spans(layer, data, len, off, window, err);
	if (layer_mended(layer, &r, err))
		r = read_spans(layer, data, len, off, window, err);
	return r < 0 ? r : (ssize_t)len;
}
