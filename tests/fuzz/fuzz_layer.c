/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Layers: any bytes that the walker takes for a tar give an index, whose
 * entries make a tree, each found by its name, and whose addresses are in the
 * stream; and what the layer makes on top of itself has the same files.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "builder.h"
#include "fuzz.h"
#include "merged.h"
#include "stack.h"

static int take_entry(void *arg, const struct tar_entry *entry, struct err *err)
{
	return builder_add(arg, entry, err);
}

/* The index of what is before the first error. *whole: there is none. */
static struct layer_index *make_index(const uint8_t *data, size_t size,
    bool *whole)
{
	CLEANUP(builder_free_p) struct builder *builder = NULL;
	CLEANUP(tar_walker_free_p) struct tar_walker *walker = NULL;
	struct tar_handler handler = {.entry = take_entry};
	struct layer_facts facts = {.stream_size = size};
	struct layer_index *index;
	struct err err = ERR_INIT;
	int fd = memfd_create("index", MFD_CLOEXEC), r;

	if (builder_new(&builder, &err) < 0)
		abort();
	handler.arg = builder;
	if (tar_walker_new(&handler, &walker, &err) < 0)
		abort();
	r = tar_walker_feed(walker, data, size, NULL, &err);
	*whole = r == 1 || (r == 0 && tar_walker_between(walker));
	if (builder_write(builder, &facts, fd, &err) < 0 ||
	    layer_index_open(fd, &index, &err) < 0)
		abort();
	return index;
}

static void check_name(const char *name)
{
	size_t len = strlen(name);

	if (len == 0 || len > 255 || strchr(name, '/') || !strcmp(name, ".") ||
	    !strcmp(name, ".."))
		abort();
}

static void check_child(const struct layer_index *index, uint32_t dir,
    uint32_t child, const char *before)
{
	const char *name;
	uint32_t found;

	if (child >= layer_index_count(index) ||
	    layer_index_entry(index, child)->parent != dir)
		abort();
	name = layer_index_name(index, child);
	check_name(name);
	if (before && strcmp(before, name) >= 0)
		abort();
	if (!layer_index_find(index, dir, name, strlen(name), &found) ||
	    found != child)
		abort();
}

/* Of the names of all directories: how many there are of each file. */
static void check_tree(const struct layer_index *index, uint32_t *names)
{
	for (uint32_t dir = 0; dir < layer_index_count(index); dir++) {
		uint32_t count;
		const uint32_t *children =
		    layer_index_children(index, dir, &count);

		if (count > 0 && !S_ISDIR(layer_index_entry(index, dir)->mode))
			abort();
		for (uint32_t i = 0; i < count; i++) {
			check_child(index, dir, children[i],
			    i ? layer_index_name(index, children[i - 1])
			      : NULL);
			names[layer_index_entry(index, children[i])->link]++;
		}
	}
}

/* Parents come before what is in them: no way up is a circle. */
static void check_parents(const struct layer_index *index)
{
	for (uint32_t i = 1; i < layer_index_count(index); i++) {
		const struct layer_entry *entry = layer_index_entry(index, i);
		const struct layer_entry *parent =
		    layer_index_entry(index, entry->parent);

		if (entry->parent >= i || !S_ISDIR(parent->mode))
			abort();
	}
}

/* Its pieces, in order and inside of it: how much of it is stored. */
static uint64_t stored_size(const struct layer_index *index,
    const struct layer_entry *entry)
{
	const struct layer_extent *extents = layer_index_extents(index, entry);
	uint64_t end = 0, stored = 0;

	if (!(entry->flags & LAYER_SPARSE))
		return entry->size;
	for (uint32_t i = 0; i < entry->extent_count; i++) {
		if (extents[i].offset < end || extents[i].size == 0 ||
		    extents[i].offset > entry->size ||
		    extents[i].size > entry->size - extents[i].offset)
			abort();
		end = extents[i].offset + extents[i].size;
		stored += extents[i].size;
	}
	return stored;
}

static void check_entry(const struct layer_index *index, uint32_t number)
{
	const struct layer_entry *entry = layer_index_entry(index, number);
	const char *name;
	const void *value;
	uint32_t cursor = 0, len;
	uint64_t sum = 0;

	if (entry->link > number ||
	    layer_index_entry(index, entry->link)->link != entry->link)
		abort();
	if (S_ISLNK(entry->mode) &&
	    strlen(layer_index_target(index, number)) != entry->size)
		abort();
	/* All of it is there to be read. */
	while (layer_index_xattr(index, number, &cursor, &name, &value, &len))
		for (uint32_t i = 0; i < len; i++)
			sum += ((const uint8_t *)value)[i] + strlen(name);
	if (sum == UINT64_MAX)
		abort();
}

/* What a file has is in the stream. */
static void check_addresses(const struct layer_index *index)
{
	uint64_t end = layer_index_facts(index)->stream_size;

	for (uint32_t i = 0; i < layer_index_count(index); i++) {
		const struct layer_entry *entry = layer_index_entry(index, i);

		if (S_ISREG(entry->mode) &&
		    (entry->data > end ||
			stored_size(index, entry) > end - entry->data))
			abort();
	}
}

static void check_links(const struct layer_index *index, const uint32_t *names)
{
	for (uint32_t i = 0; i < layer_index_count(index); i++) {
		const struct layer_entry *entry = layer_index_entry(index, i);

		if (!S_ISDIR(entry->mode) && names[i] > 0 &&
		    names[i] != entry->links)
			abort();
	}
}

/* Twice the same layer is the layer, as a tree has it. */
static void check_merged(const struct layer_index *index)
{
	const struct layer_index *const layers[] = {index, index};
	struct merged *one, *two;
	struct err err = ERR_INIT;
	int fds[] = {memfd_create("one", MFD_CLOEXEC),
	    memfd_create("two", MFD_CLOEXEC)};
	uint32_t nodes = 0;

	if (merged_write(layers, 1, fds[0], &err) < 0 ||
	    merged_write(layers, 2, fds[1], &err) < 0 ||
	    merged_open(fds[0], &one, &err) < 0 ||
	    merged_open(fds[1], &two, &err) < 0)
		abort();
	for (uint32_t i = 0; i <= nodes; i++) {
		const struct merged_node *node = merged_node(one, i);

		if (strcmp(merged_name(one, layers, i),
			merged_name(two, layers, i)) != 0 ||
		    node->child_count != merged_node(two, i)->child_count)
			abort();
		nodes += node->child_count;
	}
	merged_close(one);
	merged_close(two);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	bool whole;
	struct layer_index *index = make_index(data, size, &whole);
	uint32_t *names = calloc(layer_index_count(index), sizeof(*names));

	if (!names)
		abort();
	check_parents(index);
	check_tree(index, names);
	for (uint32_t i = 0; i < layer_index_count(index); i++)
		check_entry(index, i);
	check_links(index, names);
	check_merged(index);
	if (whole)
		check_addresses(index);
	free(names);
	layer_index_close(index);
	return 0;
}
