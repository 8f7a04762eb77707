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

#include "../unit/merged_read.h"
#include "base/buf.h"
#include "build/builder.h"
#include "fuzz.h"
#include "tree/stack.h"

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
	struct layer_facts facts = {.blob = {.algorithm = DIGEST_SHA256},
	    .stream_size = size};
	struct layer_index *index;
	struct err err = ERR_INIT;
	int fd = memfd_create("index", MFD_CLOEXEC), r;

	if (builder_new("/tmp", &builder, &err) < 0)
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
    const struct child *child, const char *before)
{
	uint32_t found;

	if (child->entry >= layer_index_count(index) ||
	    entry_in(index, child->entry).parent != dir)
		abort();
	check_name(child->name);
	if (strcmp(before, child->name) >= 0)
		abort();
	if (!find_in(index, dir, child->name, strlen(child->name), &found) ||
	    found != child->entry)
		abort();
}

/* Of the names of all directories: how many there are of each file. */
static void check_tree(const struct layer_index *index, uint32_t *names)
{
	for (uint32_t dir = 0; dir < layer_index_count(index); dir++) {
		const struct layer_entry entry = entry_in(index, dir);
		struct child before = {.name = ""};

		if (entry.child_count > 0 && !S_ISDIR(entry.mode))
			abort();
		for (uint32_t i = 0; i < entry.child_count; i++) {
			const struct child child = child_in(index, dir, i);

			check_child(index, dir, &child, before.name);
			names[entry_in(index, child.entry).link]++;
			before = child;
		}
	}
}

/* Parents come before what is in them: no way up is a circle. */
static void check_parents(const struct layer_index *index)
{
	for (uint32_t i = 1; i < layer_index_count(index); i++) {
		const struct layer_entry entry = entry_in(index, i);

		if (entry.parent >= i ||
		    !S_ISDIR(entry_in(index, entry.parent).mode))
			abort();
	}
}

/* Its pieces, in order and inside of it: how much of it is stored. */
static uint64_t stored_size(const struct layer_index *index,
    const struct layer_entry *entry)
{
	uint64_t end = 0, stored = 0;

	if (!(entry->flags & LAYER_SPARSE))
		return entry->size;
	for (uint32_t i = 0; i < entry->extent_count; i++) {
		const struct layer_extent extent = extent_in(index, entry, i);

		if (extent.offset < end || extent.size == 0 ||
		    extent.offset > entry->size ||
		    extent.size > entry->size - extent.offset)
			abort();
		end = extent.offset + extent.size;
		stored += extent.size;
	}
	return stored;
}

static void check_entry(const struct layer_index *index, uint32_t number)
{
	const struct layer_entry entry = entry_in(index, number);
	AUTO_BUF struct buf xattrs = BUF_INIT(2 * TAR_EXTENDED_MAX);
	const char *name;
	const void *value;
	size_t cursor = 0;
	uint32_t len;
	uint64_t sum = 0;

	if (entry.link > number ||
	    entry_in(index, entry.link).link != entry.link)
		abort();
	if (S_ISLNK(entry.mode) &&
	    strlen(target_in(index, number).text) != entry.size)
		abort();
	/* All of it is there to be read. */
	xattrs_in(index, number, &xattrs);
	while (layer_next_xattr(&xattrs, &cursor, &name, &value, &len))
		for (uint32_t i = 0; i < len; i++)
			sum += ((const uint8_t *)value)[i] + strlen(name);
	if (sum == UINT64_MAX || cursor != xattrs.len)
		abort();
}

/* What a file has is in the stream. */
static void check_addresses(const struct layer_index *index)
{
	uint64_t end = layer_index_facts(index)->stream_size;

	for (uint32_t i = 0; i < layer_index_count(index); i++) {
		const struct layer_entry entry = entry_in(index, i);

		if (S_ISREG(entry.mode) &&
		    (entry.data > end ||
			stored_size(index, &entry) > end - entry.data))
			abort();
	}
}

static void check_links(const struct layer_index *index, const uint32_t *names)
{
	for (uint32_t i = 0; i < layer_index_count(index); i++) {
		const struct layer_entry entry = entry_in(index, i);

		if (!S_ISDIR(entry.mode) && names[i] > 0 &&
		    names[i] != entry.links)
			abort();
	}
}

/* Twice the same layer is the layer, as a tree has it. */
static void check_merged(const struct layer_index *index)
{
	const struct layer_index *const layers[] = {index, index};
	const struct merged_stack single = {layers, 1}, twice = {layers, 2};
	struct merged *one, *two;
	struct err err = ERR_INIT;
	int fds[] = {memfd_create("one", MFD_CLOEXEC),
	    memfd_create("two", MFD_CLOEXEC)};
	uint32_t nodes = 0;

	if (merged_write(&single, "/tmp", fds[0], &err) < 0 ||
	    merged_write(&twice, "/tmp", fds[1], &err) < 0 ||
	    merged_open(&single, fds[0], &one, &err) < 0 ||
	    merged_open(&twice, fds[1], &two, &err) < 0)
		abort();
	for (uint32_t i = 0; i <= nodes; i++) {
		const struct named_node a = node_in(one, &single, i);
		const struct named_node b = node_in(two, &twice, i);

		if (strcmp(a.name, b.name) != 0 ||
		    a.node.child_count != b.node.child_count)
			abort();
		nodes += a.node.child_count;
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
