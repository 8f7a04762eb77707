/* SPDX-License-Identifier: Apache-2.0 */
#include "damage_fixture.h"

static int say_entry(const struct layer_index *index,
    const struct layer_entry *entry, struct buf *out, struct err *err)
{
	AUTO_FREE char *target = NULL;
	int r = buf_add(out, entry, offsetof(struct layer_entry, check), err);

	if (r == 0)
		r = layer_index_target(index, entry, &target, err);
	if (r == 0)
		r = buf_addstr(out, target, err);
	if (r == 0)
		r = layer_index_xattrs(index, entry, out, err);
	for (uint32_t i = 0; r == 0 && i < entry->extent_count; i++) {
		struct layer_extent extent;

		r = layer_index_extent(index, entry, i, &extent, err);
		if (r == 0)
			r = buf_addf(out, err, "%llu+%llu",
			    (unsigned long long)extent.offset,
			    (unsigned long long)extent.size);
	}
	return r;
}

static int say_children(const struct layer_index *index, uint32_t number,
    const struct layer_entry *dir, struct buf *out, struct err *err)
{
	int r = 0;

	for (uint32_t i = 0; r >= 0 && i < dir->child_count; i++) {
		char name[LAYER_NAME_SIZE];
		uint32_t child, found = 0;

		r = layer_index_child(index, dir, i, &child, name, err);
		if (r == 0)
			r = layer_index_find(index, number, name, strlen(name),
			    &found, err);
		if (r >= 0)
			r = buf_addf(out, err, "%s=%u,%u;", name, child, found);
	}
	return r;
}

static int say_span(const struct layer_index *index, uint32_t number,
    struct buf *out, struct err *err)
{
	AUTO_FREE char *window = malloc(WINDOW_ROOM);
	struct layer_span span, same;
	uint32_t found;
	int r = layer_index_span(index, number, &span, err);

	if (r == 0)
		r = layer_index_span_at(index, span.out, &found, &same, err);
	if (r == 0)
		r = buf_add(out, &same, sizeof(same), err);
	if (r == 0)
		r = layer_index_window(index, &span, window, WINDOW_ROOM, err);
	return r <= 0 ? r : buf_add(out, window, (size_t)r, err);
}

int say_index(const struct layer_index *index, struct buf *out, struct err *err)
{
	uint32_t found;
	int r = layer_index_find(index, LAYER_ROOT, "no such name", 12, &found,
	    err);

	for (uint32_t i = 0; r >= 0 && i < layer_index_count(index); i++) {
		struct layer_entry entry;

		r = layer_index_entry(index, i, &entry, err);
		if (r == 0)
			r = say_entry(index, &entry, out, err);
		if (r == 0)
			r = say_children(index, i, &entry, out, err);
	}
	for (uint32_t i = 0; r >= 0 && i < layer_index_spans(index); i++)
		r = say_span(index, i, out, err);
	return r < 0 ? r : 0;
}

int say_merged(const struct merged *merged, const struct merged_stack *stack,
    struct buf *out, struct err *err)
{
	struct merged_node node;
	uint32_t last = 0, number;
	int r = merged_find(merged, stack, "no/such", &node, &number, err);

	for (uint32_t i = 0; r >= 0 && i <= last; i++) {
		char name[LAYER_NAME_SIZE];

		r = merged_node(merged, stack, i, &node, name, err);
		if (r == 0)
			r = buf_addf(out, err, "%s:%u,%u,%u,%u;", name,
			    node.layer, node.entry, node.links, node.parent);
		last += node.child_count;
	}
	return r < 0 ? r : 0;
}
