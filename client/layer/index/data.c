/* SPDX-License-Identifier: Apache-2.0 */
/* Reading an index where it is mapped: what is in the heap, and where the bytes
 * of files are. */
#include <errno.h>
#include <string.h>

#include "limits.h"
#include "state.h"
#include "window.h"

/* Copies a block with its size and its check. */
static bool copy_block(const struct layer_index *index, uint32_t at,
    uint32_t *size, struct buf *out, struct err *err)
{
	struct records block;

	if (at >= index->heap_size ||
	    !mapped_copy(index->file, index->heap + at, size, sizeof(*size)) ||
	    *size > BLOCK_MAX)
		return false;
	block = block_records(index->salt, *size);
	if (block.size > index->heap_size - at ||
	    buf_reserve(out, block.size, err) < 0)
		return false;
	out->len = block.size;
	return mapped_copy(index->file, index->heap + at, out->data,
		   block.size) &&
	       records_is_right(&block, at, out->data, NULL) &&
	       memcmp(out->data, size, sizeof(*size)) == 0;
}

int layer_index_block(const struct layer_index *index, uint32_t at,
    struct buf *out, struct err *err)
{
	AUTO_BUF struct buf block = BUF_INIT(SIZE_MAX / 2);
	struct err failure = ERR_INIT;
	uint32_t size;

	if (at == HEAP_NOTHING)
		return 0;
	if (copy_block(index, at, &size, &block, &failure))
		return buf_add(out, block.data + BLOCK_SIZE_BYTES, size, err);
	if (failure.code == 0)
		return layer_index_set_damaged(index, err);
	*err = failure;
	return -err->code;
}

int layer_index_target(const struct layer_index *index,
    const struct layer_entry *entry, char **out, struct err *err)
{
	AUTO_BUF struct buf text = BUF_INIT(BLOCK_MAX);
	int r = layer_index_block(index, entry->target, &text, err);

	if (r < 0)
		return r;
	*out = strdup(buf_str(&text));
	return *out ? 0 : err_nomem(err);
}

int layer_index_xattrs(const struct layer_index *index,
    const struct layer_entry *entry, struct buf *out, struct err *err)
{
	return layer_index_block(index, entry->xattrs, out, err);
}

bool layer_next_xattr(const struct buf *xattrs, size_t *cursor,
    const char **name, const void **value, uint32_t *len)
{
	const char *data = buf_str(xattrs);
	size_t at = *cursor;

	*name = data + at;
	at += strnlen(data + at, xattrs->len - at) + 1;
	if (at > xattrs->len || xattrs->len - at < sizeof(*len))
		return false;
	memcpy(len, data + at, sizeof(*len));
	at += sizeof(*len);
	if (*len > xattrs->len - at)
		return false;
	*value = data + at;
	*cursor = at + *len;
	return true;
}

static bool starts_with_one_of(const char *name, const char *const *starts)
{
	while (*starts && strncmp(name, *starts, strlen(*starts)) != 0)
		starts++;
	return *starts != NULL;
}

bool layer_xattr_is_hidden(const char *name)
{
	static const char *const overlay[] = {"trusted.overlay.",
	    "user.overlay.", NULL};
	/* xattr(7) */
	static const char *const spaces[] = {"user.", "trusted.", "security.",
	    "system.", NULL};

	return starts_with_one_of(name, overlay) ||
	       !starts_with_one_of(name, spaces);
}

int layer_index_extent(const struct layer_index *index,
    const struct layer_entry *entry, uint32_t i, struct layer_extent *out,
    struct err *err)
{
	uint64_t number = (uint64_t)entry->first_extent + i;

	if (records_copy(&index->extents, number, out) &&
	    records_is_right(&index->extents, number, out, NULL) &&
	    out->offset <= entry->size &&
	    out->size <= entry->size - out->offset)
		return 0;
	return layer_index_set_damaged(index, err);
}

uint32_t layer_index_spans(const struct layer_index *index)
{
	return (uint32_t)index->spans.count;
}

/* Whether it is somewhere, and can be held in memory, or decoded into the
 * store. */
static bool is_sane(const struct layer_facts *facts,
    const struct layer_span *span)
{
	uint64_t out_len = (uint64_t)span->skip + span->out_len;
	bool is_large = out_len > SPAN_OUT_MAX;

	if (span->bits > 7 || span->out_len == 0 ||
	    span->out > facts->stream_size ||
	    span->out_len > facts->stream_size - span->out)
		return false;
	if (span->flags & SPAN_ZEROS)
		return !is_large;
	return span->in <= facts->blob_size &&
	       span->in_len <= facts->blob_size - span->in &&
	       (is_large ? out_len <= CHUNK_MAX : span->in_len <= SPAN_IN_MAX);
}

int layer_index_span(const struct layer_index *index, uint32_t number,
    struct layer_span *out, struct err *err)
{
	if (records_copy(&index->spans, number, out) &&
	    records_is_right(&index->spans, number, out, NULL) &&
	    is_sane(&index->facts, out))
		return 0;
	return layer_index_set_damaged(index, err);
}

/* The last span that begins at the address or before it. The one that is found
 * is compared with its check, which makes the way to it right, too: spans do
 * not overlap. */
static uint32_t search(const struct layer_index *index, uint64_t address)
{
	uint32_t low = 0, high = layer_index_spans(index);

	while (high - low > 1) {
		uint32_t middle = low + (high - low) / 2;
		struct layer_span span;

		if (records_copy(&index->spans, middle, &span) &&
		    span.out <= address)
			low = middle;
		else
			high = middle;
	}
	return low;
}

int layer_index_span_at(const struct layer_index *index, uint64_t address,
    uint32_t *number, struct layer_span *out, struct err *err)
{
	*number = search(index, address);
	if (layer_index_spans(index) == 0 ||
	    address >= index->facts.stream_size)
		return err_set(err, EIO,
		    "the layer's tar is cut off before byte %llu",
		    (unsigned long long)address);
	if (layer_index_span(index, *number, out, err) < 0)
		return -err->code;
	if (address < out->out || address - out->out >= out->out_len)
		return layer_index_set_damaged(index, err);
	return 0;
}

int layer_index_window(const struct layer_index *index,
    const struct layer_span *span, void *out, size_t size, struct err *err)
{
	AUTO_BUF struct buf packed = BUF_INIT(BLOCK_MAX);
	int r;

	if (span->window == HEAP_NOTHING)
		return 0;
	r = layer_index_block(index, span->window, &packed, err);
	if (r == 0)
		r = window_unpack(packed.data, packed.len, out, size, err);
	return r == -EBADMSG ? layer_index_set_damaged(index, err) : r;
}
