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
	const struct merged_stack *stack;
	/* How many nodes there can be: each has a name that a layer has. */
	uint64_t most;
	struct buf nodes;    /* struct merged_node each */
	struct buf names;    /* const char * each, by node */
	struct buf modes;    /* mode_t each, by node */
	struct buf meanings; /* struct meaning of each directory, by node */
	struct arena texts;  /* of names */
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
	for (size_t i = 0; merge->links && i < merge->stack->count; i++)
		free(merge->links[i]);
	free(merge->links);
	arena_release(&merge->texts);
	buf_release(&merge->nodes);
	buf_release(&merge->names);
	buf_release(&merge->modes);
	buf_release(&merge->meanings);
}

/* A hard link's file, which may be in a layer below; *entry is the link's, then
 * the file's. */
static int follow(struct merge *merge, struct part *part,
    struct layer_entry *entry, struct err *err)
{
	const struct layer_index *const *layers = merge->stack->layers;
	CLEANUP(meaning_release) struct meaning found = {0};
	AUTO_FREE char *target = NULL;
	int r;

	part->entry = entry->link;
	r = layer_index_entry(layers[part->layer], part->entry, entry, err);
	if (r < 0 || !(entry->flags & LAYER_DANGLING))
		return r;
	r = layer_index_target(layers[part->layer], entry, &target, err);
	if (r == 0)
		r = stack_find(layers, 0, part->layer, target, &found, err);
	if (r < 0 || found.count == 0 || found.is_dir)
		return r; /* those who read it are told */
	*part = found.parts[0];
	r = layer_index_entry(layers[part->layer], part->entry, entry, err);
	return r < 0 ? r : follow(merge, part, entry, err);
}

/* Takes the meaning of what is in a directory. */
static int keep_meaning(struct merge *merge, struct meaning *meaning,
    struct err *err)
{
	int r;

	if (!meaning->is_dir)
		meaning_release(meaning);
	r = buf_add(&merge->meanings, meaning, sizeof(*meaning), err);
	if (r == 0)
		*meaning = (struct meaning){0};
	return r;
}

static int keep_name(struct merge *merge, const struct candidate *candidate,
    struct merged_node *node, struct err *err)
{
	const struct part *part = &candidate->part;
	const char *name = arena_strdup(&merge->texts, candidate->name);
	struct layer_entry entry;
	int r = layer_index_entry(merge->stack->layers[part->layer],
	    part->entry, &entry, err);

	if (r < 0)
		return r;
	if (!name)
		return err_nomem(err);
	node->name_layer = part->layer;
	node->name_entry = part->entry;
	node->name = entry.name;
	return buf_add(&merge->names, &name, sizeof(name), err);
}

static int add_node(struct merge *merge, uint32_t parent,
    const struct candidate *candidate, struct meaning *meaning, struct err *err)
{
	struct merged_node node = {.parent = parent};
	struct layer_entry entry;
	struct part part = {0};
	int r = meaning_attributes(merge->stack->layers, meaning, &part, &entry,
	    err);

	if (r == 0 && !meaning->is_dir)
		r = follow(merge, &part, &entry, err);
	node.layer = part.layer;
	node.entry = part.entry;
	if (r == 0 && node_count(merge) == merge->most)
		r = err_set(err, EIO, "layers that do not make a tree");
	if (r == 0)
		r = keep_name(merge, candidate, &node, err);
	if (r == 0)
		r = buf_add(&merge->modes, &entry.mode, sizeof(entry.mode),
		    err);
	if (r == 0)
		r = buf_add(&merge->nodes, &node, sizeof(node), err);
	return r < 0 ? r : keep_meaning(merge, meaning, err);
}

/* The children of a directory, whose meaning is done with then. */
static int add_children(struct merge *merge, uint32_t parent, struct err *err)
{
	CLEANUP(meaning_release)
	struct meaning dir = *meaning_at(merge, parent);
	CLEANUP(candidates_release) struct candidates names = {0};
	uint32_t first = node_count(merge);
	int r;

	*meaning_at(merge, parent) = (struct meaning){0};
	r = stack_names(merge->stack->layers, &dir, &names, err);
	for (size_t i = 0; r == 0 && i < names.count; i++) {
		CLEANUP(meaning_release) struct meaning child = {0};
		const char *name = names.list[i].name;

		r = stack_child(merge->stack->layers, &dir, name, strlen(name),
		    &child, err);
		if (r == 0 && child.count > 0)
			r = add_node(merge, parent, &names.list[i], &child,
			    err);
	}
	node_at(merge, parent)->first_child = first;
	node_at(merge, parent)->child_count = node_count(merge) - first;
	return r;
}

static int add_root(struct merge *merge, struct err *err)
{
	const struct candidate root = {"",
	    {(uint32_t)merge->stack->count - 1, LAYER_ROOT}};
	CLEANUP(meaning_release) struct meaning meaning = {0};
	int r = stack_root(merge->stack->layers, 0, merge->stack->count,
	    &meaning, err);

	return r < 0 ? r : add_node(merge, MERGED_ROOT, &root, &meaning, err);
}

static bool is_dir(const struct merge *merge, uint32_t node)
{
	return S_ISDIR(((const uint32_t *)(void *)merge->modes.data)[node]);
}

static uint32_t *links_of(struct merge *merge, const struct merged_node *node)
{
	uint32_t **list = &merge->links[node->layer];

	if (!*list)
		*list =
		    calloc(layer_index_count(merge->stack->layers[node->layer]),
			sizeof(**list));
	return *list ? &(*list)[node->entry] : NULL;
}

/* A file's names in this tree, a directory's directories. */
static int count_links(struct merge *merge, struct err *err)
{
	merge->links = calloc(merge->stack->count, sizeof(*merge->links));
	if (!merge->links)
		return err_nomem(err);
	for (uint32_t i = 0; i < node_count(merge); i++) {
		struct merged_node *node = node_at(merge, i);
		uint32_t *links;

		if (is_dir(merge, i)) {
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

		if (!is_dir(merge, i))
			node->links = *links_of(merge, node);
	}
	return 0;
}

static uint64_t names_in(const struct merged_stack *stack)
{
	uint64_t count = 0;

	for (size_t i = 0; i < stack->count; i++)
		count += layer_index_count(stack->layers[i]);
	return count;
}

int merged_write(const struct merged_stack *stack, int fd, struct err *err)
{
	CLEANUP(merge_release)
	struct merge merge = {.stack = stack,
	    .most = names_in(stack),
	    .nodes = BUF_INIT(SIZE_MAX / 2),
	    .names = BUF_INIT(SIZE_MAX / 2),
	    .modes = BUF_INIT(SIZE_MAX / 2),
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
	return merged_put(stack, node_at(&merge, 0),
	    (const char *const *)(void *)merge.names.data, node_count(&merge),
	    fd, err);
}
