/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Making the tree of a stack of layers: directory by directory from the root,
 * so that a directory's children stand together.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/buf.h"
#include "merged.h"
#include "stack.h"

struct merge {
	const struct layer_index *const *layers;
	size_t count;
	struct buf nodes;    /* struct merged_node each */
	struct buf meanings; /* struct meaning of each directory, by node */
	uint32_t **links;    /* by layer and entry: names of that file */
};

static struct merged_node *node_at(struct merge *merge, uint32_t node)
{
	return (struct merged_node *)(void *)merge->nodes.data + node;
}

static struct meaning *meaning_at(struct merge *merge, uint32_t node)
{
	return (struct meaning *)(void *)merge->meanings.data + node;
}

static uint32_t node_count(const struct merge *merge)
{
	return (uint32_t)(merge->nodes.len / sizeof(struct merged_node));
}

static void merge_release(struct merge *merge)
{
	for (uint32_t i = 0; i < merge->meanings.len / sizeof(struct meaning);
	     i++)
		meaning_release(meaning_at(merge, i));
	for (size_t i = 0; merge->links && i < merge->count; i++)
		free(merge->links[i]);
	free(merge->links);
	buf_release(&merge->nodes);
	buf_release(&merge->meanings);
}

/* A hard link's file, which may be in a layer below. */
static int follow(struct merge *merge, struct part *part, struct err *err)
{
	const struct layer_entry *entry =
	    layer_index_entry(merge->layers[part->layer], part->entry);
	CLEANUP(meaning_release) struct meaning found = {0};
	int r;

	part->entry = entry->link;
	if (!(entry->flags & LAYER_DANGLING))
		return 0;
	r = stack_find(merge->layers, 0, part->layer,
	    layer_index_target(merge->layers[part->layer], part->entry), &found,
	    err);
	if (r < 0 || found.count == 0 || found.is_dir)
		return r; /* who reads it is told */
	*part = found.parts[0];
	return follow(merge, part, err);
}

static int add_node(struct merge *merge, uint32_t parent,
    const struct candidate *candidate, struct meaning *meaning, struct err *err)
{
	struct part part = meaning_attributes(merge->layers, meaning);
	struct merged_node node = {.name_layer = candidate->part.layer,
	    .name_entry = candidate->part.entry,
	    .parent = parent};
	int r = meaning->is_dir ? 0 : follow(merge, &part, err);

	node.layer = part.layer;
	node.entry = part.entry;
	if (r == 0)
		r = buf_add(&merge->nodes, &node, sizeof(node), err);
	if (!meaning->is_dir)
		meaning_release(meaning);
	if (r == 0)
		r = buf_add(&merge->meanings, meaning, sizeof(*meaning), err);
	if (r == 0)
		*meaning = (struct meaning){0}; /* the list's now */
	return r;
}

/* The children of a directory, whose meaning is done with then. */
static int add_children(struct merge *merge, uint32_t parent, struct err *err)
{
	CLEANUP(meaning_release)
	struct meaning dir = *meaning_at(merge, parent);
	AUTO_FREE struct candidate *names = NULL;
	uint32_t first = node_count(merge);
	size_t count;
	int r;

	*meaning_at(merge, parent) = (struct meaning){0};
	r = stack_names(merge->layers, &dir, &names, &count, err);
	for (size_t i = 0; r == 0 && i < count; i++) {
		CLEANUP(meaning_release) struct meaning child = {0};
		const char *name = names[i].name;

		r = stack_child(merge->layers, &dir, name, strlen(name), &child,
		    err);
		if (r == 0 && child.count > 0)
			r = add_node(merge, parent, &names[i], &child, err);
	}
	node_at(merge, parent)->first_child = first;
	node_at(merge, parent)->child_count = node_count(merge) - first;
	return r;
}

static int add_root(struct merge *merge, struct err *err)
{
	const struct candidate root = {"",
	    {(uint32_t)merge->count - 1, LAYER_ROOT}};
	CLEANUP(meaning_release) struct meaning meaning = {0};
	int r = stack_root(merge->layers, 0, merge->count, &meaning, err);

	return r < 0 ? r : add_node(merge, MERGED_ROOT, &root, &meaning, err);
}

static const struct layer_entry *entry_of(const struct merge *merge,
    const struct merged_node *node)
{
	return layer_index_entry(merge->layers[node->layer], node->entry);
}

static uint32_t *links_of(struct merge *merge, const struct merged_node *node)
{
	uint32_t **list = &merge->links[node->layer];

	if (!*list)
		*list = calloc(layer_index_count(merge->layers[node->layer]),
		    sizeof(**list));
	return *list ? &(*list)[node->entry] : NULL;
}

/* A file's names in this tree, a directory's directories. */
static int count_links(struct merge *merge, struct err *err)
{
	merge->links = calloc(merge->count, sizeof(*merge->links));
	if (!merge->links)
		return err_nomem(err);
	for (uint32_t i = 0; i < node_count(merge); i++) {
		struct merged_node *node = node_at(merge, i);
		uint32_t *links;

		if (S_ISDIR(entry_of(merge, node)->mode)) {
			node->links += 2;
			if (i != MERGED_ROOT)
				node_at(merge, node->parent)->links++;
			continue;
		}
		links = links_of(merge, node);
		if (!links)
			return err_nomem(err);
		++*links;
	}
	for (uint32_t i = 0; i < node_count(merge); i++) {
		struct merged_node *node = node_at(merge, i);

		if (!S_ISDIR(entry_of(merge, node)->mode))
			node->links = *links_of(merge, node);
	}
	return 0;
}

int merged_write(const struct layer_index *const *layers, size_t count, int fd,
    struct err *err)
{
	CLEANUP(merge_release)
	struct merge merge = {.layers = layers,
	    .count = count,
	    .nodes = BUF_INIT(SIZE_MAX / 2),
	    .meanings = BUF_INIT(SIZE_MAX / 2)};
	int r = add_root(&merge, err);

	for (uint32_t i = 0; r == 0 && i < node_count(&merge); i++) {
		if (meaning_at(&merge, i)->is_dir)
			r = add_children(&merge, i, err);
	}
	if (r == 0)
		r = count_links(&merge, err);
	if (r < 0)
		return r;
	return merged_put(fd, merge.nodes.data, node_count(&merge), err);
}
