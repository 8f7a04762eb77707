/* SPDX-License-Identifier: Apache-2.0 */
#include "index_read.h"

int sound(int r, const struct err *err)
{
	if (r < 0) {
		fprintf(stderr, "an index that cannot be read: %s\n", err->msg);
		abort();
	}
	return r;
}

struct layer_entry entry_in(const struct layer_index *index, uint32_t number)
{
	struct err err = ERR_INIT;
	struct layer_entry entry;

	sound(layer_index_entry(index, number, &entry, &err), &err);
	return entry;
}

struct child child_in(const struct layer_index *index, uint32_t dir, uint32_t i)
{
	const struct layer_entry entry = entry_in(index, dir);
	struct err err = ERR_INIT;
	struct child child;

	sound(layer_index_child(index, &entry, i, &child.entry, child.name,
		  &err),
	    &err);
	return child;
}

bool find_in(const struct layer_index *index, uint32_t dir, const char *name,
    size_t len, uint32_t *out)
{
	struct err err = ERR_INIT;

	return sound(layer_index_find(index, dir, name, len, out, &err), &err);
}

uint32_t path_in(const struct layer_index *index, const char *path)
{
	uint32_t at = LAYER_ROOT;

	while (*path) {
		size_t len = strcspn(path, "/");

		if (!find_in(index, at, path, len, &at))
			return UINT32_MAX;
		path += len + (path[len] == '/');
	}
	return at;
}

struct target target_in(const struct layer_index *index, uint32_t number)
{
	const struct layer_entry entry = entry_in(index, number);
	AUTO_FREE char *text = NULL;
	struct err err = ERR_INIT;
	struct target target;

	sound(layer_index_target(index, &entry, &text, &err), &err);
	snprintf(target.text, sizeof(target.text), "%s", text);
	return target;
}

void xattrs_in(const struct layer_index *index, uint32_t number,
    struct buf *out)
{
	const struct layer_entry entry = entry_in(index, number);
	struct err err = ERR_INIT;

	sound(layer_index_xattrs(index, &entry, out, &err), &err);
}

struct layer_extent extent_in(const struct layer_index *index,
    const struct layer_entry *entry, uint32_t i)
{
	struct err err = ERR_INIT;
	struct layer_extent extent;

	sound(layer_index_extent(index, entry, i, &extent, &err), &err);
	return extent;
}

struct layer_span span_in(const struct layer_index *index, uint32_t number)
{
	struct err err = ERR_INIT;
	struct layer_span span;

	sound(layer_index_span(index, number, &span, &err), &err);
	return span;
}

uint32_t span_at(const struct layer_index *index, uint64_t address)
{
	struct err err = ERR_INIT;
	struct layer_span span;
	uint32_t number;

	sound(layer_index_span_at(index, address, &number, &span, &err), &err);
	return number;
}
