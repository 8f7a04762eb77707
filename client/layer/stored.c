/* SPDX-License-Identifier: Apache-2.0 */
/* Layers' blobs as they are stored, read by the spans that vouch for them. */
#include <string.h>

#include "state.h"

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
	const struct layer_span *spans;
	uint64_t end = 0;
	uint32_t count;

	if (!index || layer_index_facts(index)->vouching != LAYER_BY_SPANS)
		return false;
	spans = layer_index_spans(index, &count);
	/* Two may share a byte, where one ends in the middle of it. */
	for (uint32_t i = 0; i < count && spans[i].in <= end; i++)
		end = spans[i].in + spans[i].in_len;
	return end == layer->size;
}

uint64_t layer_cached(struct layer *layer)
{
	return parts_cached(layer->parts);
}

/* The span with that byte of the blob. */
static uint32_t span_at(const struct layer_span *spans, uint32_t count,
    uint64_t off)
{
	uint32_t first = 0;

	while (count > 1) {
		uint32_t half = count / 2;

		if (spans[first + half].in <= off) {
			first += half;
			count -= half;
		} else {
			count = half;
		}
	}
	return first;
}

/* How much is worth fetching for who reads there: as much as was read in order
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
	uint32_t count;
	const struct layer_span *spans =
	    layer_index_spans(layer->index, &count);
	uint32_t number = span_at(spans, count, off);
	uint64_t skip = off - spans[number].in;
	uint64_t left = spans[number].in_len - skip;
	int r = span_get_stored(layer->table->spans, layer, number, window,
	    &stored, err);

	if (r < 0)
		return r;
	if (len > left)
		len = (size_t)left;
	memcpy(data, decoded_data(stored) + skip, len);
	return (ssize_t)len;
}

ssize_t layer_read_stored(struct layer *layer, void *data, size_t len,
    uint64_t off, struct err *err)
{
	uint64_t window;
	size_t done = 0;

	if (off >= layer->size)
		return 0;
	if (len > layer->size - off)
		len = (size_t)(layer->size - off);
	window = window_at(layer, off, len);
	while (done < len) {
		ssize_t n = read_span(layer, (uint8_t *)data + done, len - done,
		    off + done, window, err);

		if (n < 0)
			return n;
		done += (size_t)n;
	}
	return (ssize_t)done;
}
