/* SPDX-License-Identifier: Apache-2.0 */
/* What a layer says of its entries, beside their bytes. */
#include <errno.h>

#include "layers/state.h"

int layer_entry(struct layer *layer, uint32_t number, struct layer_entry *out,
    struct err *err)
{
	int r = layer_index_entry(layer->index, number, out, err);

	return layer_mended(layer, &r, err)
		   ? layer_index_entry(layer->index, number, out, err)
		   : r;
}

static int get_target(struct layer *layer, uint32_t number, char **out,
    struct err *err)
{
	struct layer_entry entry;
	int r = layer_index_entry(layer->index, number, &entry, err);

	return r < 0 ? r : layer_index_target(layer->index, &entry, out, err);
}

int layer_target(struct layer *layer, uint32_t number, char **out,
    struct err *err)
{
	int r = get_target(layer, number, out, err);

	return layer_mended(layer, &r, err)
		   ? get_target(layer, number, out, err)
		   : r;
}

static int get_xattrs(struct layer *layer, uint32_t number, struct buf *out,
    struct err *err)
{
	struct layer_entry entry;
	int r = layer_index_entry(layer->index, number, &entry, err);

	return r < 0 ? r : layer_index_xattrs(layer->index, &entry, out, err);
}

int layer_xattrs(struct layer *layer, uint32_t number, struct buf *out,
    struct err *err)
{
	int r = get_xattrs(layer, number, out, err);

	return layer_mended(layer, &r, err)
		   ? get_xattrs(layer, number, out, err)
		   : r;
}

static int get_stored(struct layer *layer, const struct layer_entry *entry,
    uint64_t *out, struct err *err)
{
	struct layer_extent extent;
	int r = 0;

	*out = entry->flags & LAYER_SPARSE ? 0 : entry->size;
	for (uint32_t i = 0; r == 0 && i < entry->extent_count; i++) {
		r = layer_index_extent(layer->index, entry, i, &extent, err);
		if (r == 0)
			*out += extent.size;
	}
	return r;
}

int layer_stored(struct layer *layer, const struct layer_entry *entry,
    uint64_t *out, struct err *err)
{
	int r = get_stored(layer, entry, out, err);

	return layer_mended(layer, &r, err) ? get_stored(layer, entry, out, err)
					    : r;
}

/* Pieces that touch are one. */
static int seek_sparse(struct layer *layer, const struct layer_entry *entry,
    uint64_t off, bool hole, uint64_t *out, struct err *err)
{
	*out = off;
	for (uint32_t i = 0; i < entry->extent_count; i++) {
		struct layer_extent extent;
		int r =
		    layer_index_extent(layer->index, entry, i, &extent, err);

		if (r < 0)
			return r;
		if (extent.offset + extent.size <= *out)
			continue;
		if (!hole && extent.offset > off)
			*out = extent.offset;
		if (!hole || extent.offset > *out)
			return 0;
		*out = extent.offset + extent.size;
	}
	return hole ? 0 : err_set(err, ENXIO, "nothing but a hole is left");
}

static int seek(struct layer *layer, uint32_t number, uint64_t off, bool hole,
    uint64_t *out, struct err *err)
{
	struct layer_entry entry;
	int r = layer_index_entry(layer->index, number, &entry, err);

	if (r < 0)
		return r;
	if (off >= entry.size)
		return err_set(err, ENXIO, "past the file's end");
	if (entry.flags & LAYER_SPARSE)
		return seek_sparse(layer, &entry, off, hole, out, err);
	*out = hole ? entry.size : off;
	return 0;
}

int layer_seek(struct layer *layer, uint32_t number, uint64_t off, bool hole,
    uint64_t *out, struct err *err)
{
	int r = seek(layer, number, off, hole, out, err);

	return layer_mended(layer, &r, err)
		   ? seek(layer, number, off, hole, out, err)
		   : r;
}
