/* SPDX-License-Identifier: Apache-2.0 */
/* Reading files of layers. */
#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "ahead.h"
#include "large.h"
#include "state.h"

static size_t least(size_t a, uint64_t b)
{
	return b < a ? (size_t)b : a;
}

/* Where a stream is kept whole it is read when all of it was verified. Nobody
 * else has one that was damaged since: it is decoded again, once. */
static int read_stream(struct layer *layer, uint8_t *data, size_t len,
    uint64_t at, struct err *err)
{
	struct err reason = ERR_INIT;
	struct blob *blob;
	ssize_t n;
	int r = layer_await_stream(layer, &blob, err);

	if (r < 0)
		return r;
	n = blob_read(blob, data, len, at, &reason);
	if (n == -ENOLINK) {
		layer_lose_stream(layer, blob);
		r = layer_await_stream(layer, &blob, err);
		if (r == 0)
			n = blob_read(blob, data, len, at, &reason);
	}
	if (r == 0 && n < 0)
		*err = reason;
	return r < 0 || n < 0 ? -err->code : 0;
}

static int not_known(struct err *err)
{
	return err_set(err, EAGAIN, "not in memory");
}

/* until: the address to which the reader will probably go on. */
static int read_span(struct layer *layer, uint32_t number, uint8_t *data,
    size_t len, uint64_t off, uint64_t until, bool known, struct err *err)
{
	CLEANUP(decoded_put_p) struct decoded *decoded = NULL;
	struct span_cache *spans = layer->table->spans;
	int r;

	if (large_is(layer, number))
		return known ? not_known(err)
			     : large_read(layer, number, data, len, off, err);
	if (known) {
		r = span_find(spans, layer, number, &decoded, err);
		/* What is missed is read in the other way, which notes it. */
		if (r == 0)
			ahead_window(layer, number, until);
	} else {
		r = span_get(spans, layer, number,
		    ahead_window(layer, number, until), &decoded, err);
	}
	if (r == 0)
		memcpy(data, decoded_data(decoded) + off, len);
	return r;
}

static int read_spans(struct layer *layer, uint8_t *data, size_t len,
    uint64_t at, uint64_t until, bool known, struct err *err)
{
	uint32_t count;
	const struct layer_span *spans =
	    layer_index_spans(layer->index, &count);
	uint32_t number = layer_index_span_at(layer->index, at);

	for (; len > 0 && number < count; number++) {
		const struct layer_span *span = &spans[number];
		size_t now = least(len, span->out + span->out_len - at);
		int r = read_span(layer, number, data, now, at - span->out,
		    until, known, err);

		if (r < 0)
			return r;
		data += now;
		at += now;
		len -= now;
	}
	return len > 0 ? err_set(err, EIO, "%s: no byte %llu in its index",
			     layer->title, (unsigned long long)at)
		       : 0;
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
	const struct layer_extent *extents =
	    layer_index_extents(layer->index, entry);
	uint64_t at = entry->data;
	int r = 0;

	memset(data, 0, len);
	for (uint32_t i = 0; r == 0 && i < entry->extent_count; i++) {
		uint64_t start = extents[i].offset;
		uint64_t end = start + extents[i].size;

		if (start < off)
			start = off;
		if (end > off + len)
			end = off + len;
		if (start < end)
			r = read_at(layer, data + (start - off),
			    (size_t)(end - start),
			    at + (start - extents[i].offset),
			    at + extents[i].size, known, err);
		at += extents[i].size;
	}
	return r;
}

/* known: of what is in memory alone. */
static ssize_t read_file(struct layer *layer, uint32_t number, void *data,
    size_t len, uint64_t off, bool known, struct err *err)
{
	const struct layer_entry *entry =
	    layer_index_entry(layer->index, number);
	int r;

	if (entry->flags & LAYER_DANGLING)
		return err_set(err, EIO,
		    "%s: a hard link to %s, which is not there", layer->title,
		    layer_index_target(layer->index, number));
	if (!S_ISREG(entry->mode))
		return err_set(err, EINVAL, "%s: no file", layer->title);
	if (off >= entry->size || len == 0)
		return 0;
	len = least(len, entry->size - off);
	if (entry->flags & LAYER_SPARSE)
		r = read_sparse(layer, entry, data, len, off, known, err);
	else
		r = read_at(layer, data, len, entry->data + off,
		    entry->data + entry->size, known, err);
	if (r < 0)
		return r;
	if (off == 0 && !(entry->flags & LAYER_SPARSE))
		ahead_of_file(layer, entry, len);
	return (ssize_t)len;
}

ssize_t layer_read(struct layer *layer, uint32_t entry, void *data, size_t len,
    uint64_t off, struct err *err)
{
	return read_file(layer, entry, data, len, off, false, err);
}

ssize_t layer_read_known(struct layer *layer, uint32_t entry, void *data,
    size_t len, uint64_t off, struct err *err)
{
	return read_file(layer, entry, data, len, off, true, err);
}

/* The first piece of a sparse file that ends behind off, or the count. */
static uint32_t extent_behind(const struct layer_extent *extents,
    uint32_t count, uint64_t off)
{
	uint32_t i = 0;

	while (i < count && extents[i].offset + extents[i].size <= off)
		i++;
	return i;
}

/* Pieces that touch are one. */
static uint64_t data_end(const struct layer_extent *extents, uint32_t count,
    uint32_t i)
{
	while (i + 1 < count &&
	       extents[i].offset + extents[i].size == extents[i + 1].offset)
		i++;
	return extents[i].offset + extents[i].size;
}

int layer_seek(struct layer *layer, uint32_t number, uint64_t off, bool hole,
    uint64_t *out, struct err *err)
{
	const struct layer_entry *entry =
	    layer_index_entry(layer->index, number);
	const struct layer_extent *extents =
	    layer_index_extents(layer->index, entry);
	uint32_t count = entry->extent_count, i;

	if (off >= entry->size)
		return err_set(err, ENXIO, "behind the file's end");
	if (!(entry->flags & LAYER_SPARSE)) {
		*out = hole ? entry->size : off;
		return 0;
	}
	i = extent_behind(extents, count, off);
	if (!hole && i == count)
		return err_set(err, ENXIO, "nothing but a hole is left");
	if (!hole)
		*out = extents[i].offset > off ? extents[i].offset : off;
	else if (i == count || extents[i].offset > off)
		*out = off;
	else
		*out = data_end(extents, count, i);
	return 0;
}
