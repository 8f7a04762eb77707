/* SPDX-License-Identifier: Apache-2.0 */
/* Reading files of layers. */
#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "ahead.h"
#include "large.h"
#include "layers/kept_stream.h"
#include "layers/state.h"

static size_t least(size_t a, uint64_t b)
{
	return b < a ? (size_t)b : a;
}

/* All of it is verified before. Nobody else has one that was damaged since it
 * was kept, and what one is decoded from may have come wrong: it is decoded
 * again, once. */
static ssize_t read_verified(struct layer *layer, struct blob *blob,
    uint8_t *data, size_t len, uint64_t at, struct err *err)
{
	struct err reason = ERR_INIT;
	ssize_t n = blob_read_verified(blob, data, len, at, &reason);
	int r = 0;

	if (n == -ENOLINK) {
		layer_lose_stream(layer, blob);
		r = layer_await_stream(layer, &blob, err);
	} else if (n == -EBADMSG || n == -EILSEQ) {
		parts_drop(layer->parts, 0, layer->size);
		r = layer_decode_stream(layer, err);
	} else {
		if (n < 0)
			*err = reason;
		return n;
	}
	return r < 0 ? r : blob_read_verified(blob, data, len, at, err);
}

/* Where a stream is vouched for as a whole. */
static int read_stream(struct layer *layer, uint8_t *data, size_t len,
    uint64_t at, struct err *err)
{
	struct blob *blob;
	ssize_t n;
	int r = layer_await_stream(layer, &blob, err);

	if (r < 0)
		return r;
	n = read_verified(layer, blob, data, len, at, err);
	if (n < 0)
		return (int)n;
	if ((size_t)n < len)
		return err_set(err, EIO,
		    "%s: the layer's tar is cut off before byte %llu",
		    layer->title, (unsigned long long)(at + (uint64_t)n));
	return 0;
}

static int not_known(struct err *err)
{
	return err_set(err, EAGAIN, "not in memory");
}

/* until: the address to which the reader will probably go on. */
static int read_span(struct layer *layer, uint32_t number,
    const struct layer_span *span, uint8_t *data, size_t len, uint64_t off,
    uint64_t until, bool known, struct err *err)
{
	CLEANUP(decoded_put_p) struct decoded *decoded = NULL;
	struct span_cache *spans = layer->table->spans;
	int r;

	if (large_is(span))
		return known ? not_known(err)
			     : large_read(layer, number, span, data, len, off,
				   err);
	if (known) {
		r = span_find(spans, layer, number, &decoded, err);
		/* What is missed is read in the other way, which notes it. */
		if (r == 0)
			ahead_window(layer, number, span, until);
	} else {
		r = span_get(spans, layer, number, span,
		    ahead_window(layer, number, span, until), &decoded, err);
	}
	if (r == 0)
		memcpy(data, decoded_data(decoded) + off, len);
	return r;
}

static int read_spans(struct layer *layer, uint8_t *data, size_t len,
    uint64_t at, uint64_t until, bool known, struct err *err)
{
	while (len > 0) {
		struct layer_span span;
		uint32_t number;
		size_t now;
		int r =
		    layer_index_span_at(layer->index, at, &number, &span, err);

		if (r < 0)
			return err_wrap(err, "%s", layer->title);
		now = least(len, span.out + span.out_len - at);
		r = read_span(layer, number, &span, data, now, at - span.out,
		    until, known, err);
		if (r < 0)
			return r;
		data += now;
		at += now;
		len -= now;
	}
	return 0;
}

static int read_at(struct layer *layer, uint8_t *data, size_t len, uint64_t at,
    uint64_t until, bool known, struct err *err)
{
	const struct layer_facts *facts = layer_index_facts(layer->index);

	if (facts->vouching != LAYER_BY_STREAM)
		return read_spans(layer, data, len, at, until, known, err);
	return known ? not_known(err) : read_stream(layer, data, len, at, err);
}

/* The pieces of a sparse file; what is between them is zeros. */
static int read_sparse(struct layer *layer, const struct layer_entry *entry,
    uint8_t *data, size_t len, uint64_t off, bool known, struct err *err)
{
	uint64_t at = entry->data;
	int r = 0;

	memset(data, 0, len);
	for (uint32_t i = 0; r == 0 && i < entry->extent_count; i++) {
		struct layer_extent extent;
		uint64_t start, end;

		r = layer_index_extent(layer->index, entry, i, &extent, err);
		if (r < 0)
			return r;
		start = extent.offset < off ? off : extent.offset;
		end = extent.offset + extent.size;
		if (end > off + len)
			end = off + len;
		if (start < end)
			r = read_at(layer, data + (start - off),
			    (size_t)(end - start), at + (start - extent.offset),
			    at + extent.size, known, err);
		at += extent.size;
	}
	return r;
}

static int leads_nowhere(struct layer *layer, const struct layer_entry *entry,
    struct err *err)
{
	AUTO_FREE char *target = NULL;
	int r = layer_index_target(layer->index, entry, &target, err);

	return r < 0 ? r
		     : err_set(err, EIO,
			   "%s: a hard link to %s, which is not there",
			   layer->title, target);
}

/* known: of what is in memory alone. */
static ssize_t read_file(struct layer *layer, uint32_t number, void *data,
    size_t len, uint64_t off, bool known, struct err *err)
{
	struct layer_entry entry;
	int r = layer_index_entry(layer->index, number, &entry, err);

	if (r < 0)
		return r;
	if (entry.flags & LAYER_DANGLING)
		return leads_nowhere(layer, &entry, err);
	if (!S_ISREG(entry.mode))
		return err_set(err, EINVAL, "%s: no file", layer->title);
	if (off >= entry.size || len == 0)
		return 0;
	len = least(len, entry.size - off);
	if (entry.flags & LAYER_SPARSE)
		r = read_sparse(layer, &entry, data, len, off, known, err);
	else
		r = read_at(layer, data, len, entry.data + off,
		    entry.data + entry.size, known, err);
	if (r < 0)
		return r;
	if (off == 0 && !(entry.flags & LAYER_SPARSE))
		ahead_of_file(layer, &entry, len);
	return (ssize_t)len;
}

ssize_t layer_read(struct layer *layer, uint32_t entry, void *data, size_t len,
    uint64_t off, struct err *err)
{
	ssize_t n = read_file(layer, entry, data, len, off, false, err);
	int r = n < 0 ? (int)n : 0;

	if (layer_mended(layer, &r, err))
		return read_file(layer, entry, data, len, off, false, err);
	return r < 0 ? r : n;
}

ssize_t layer_read_known(struct layer *layer, uint32_t entry, void *data,
    size_t len, uint64_t off, struct err *err)
{
	return read_file(layer, entry, data, len, off, true, err);
}
