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
#include "index/pile.h"
#include "merged.h"
#include "stack.h"

/* A directory whose children are still to come. */
struct merge_dir {
	uint32_t node;
	struct meaning meaning;
};

struct merge {
	const struct merged_stack *stack;
	uint32_t salt;
	/* How many nodes there can be: each has a name that a layer has. */
	uint64_t most;
	struct pile nodes; /* struct merged_node each */
	struct buf is_dir; /* a byte each, by node */
	struct buf dirs;   /* struct merge_dir each, in the order of nodes */
	size_t dirs_done;  /* of them */
	uint32_t **links;  /* by layer and entry: names of that file */
};

/* Until the next one is added. */
static struct merged_node *node_at(struct merge *merge, uint32_t node)
{
	return pile_at(&merge->nodes, node * sizeof(struct merged_node),
	    sizeof(struct merged_node));
}

static size_t dir_count(const struct merge *merge)
{
	return merge->dirs.len / sizeof(struct merge_dir);
}

static struct merge_dir *dir_at(struct merge *merge, size_t i)
{
	return (struct merge_dir *)(void *)merge->dirs.data + i;
}

static uint32_t node_count(const struct merge *merge)
{
	return (uint32_t)(merge->nodes.len / sizeof(struct merged_node));
}

static void merge_release(struct merge *merge)
{
	for (size_t i = merge->dirs_done; i < dir_count(merge); i++)
		meaning_release(&dir_at(merge, i)->meaning);
	for (size_t i = 0; merge->links && i < merge->stack->count; i++)
		free(merge->links[i]);
	free(merge->links);
	pile_release(&merge->nodes);
	buf_release(&merge->is_dir);
	buf_release(&merge->dirs);
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

/* Takes the meaning of the last node, if it is a directory. */
static int keep_meaning(struct merge *merge, struct meaning *meaning,
    struct err *err)
{
	const struct merge_dir dir = {node_count(merge) - 1, *meaning};
	int r;

	if (!meaning->is_dir)
		return 0;
	r = buf_add(&merge->dirs, &dir, sizeof(dir), err);
	if (r == 0)
		*meaning = (struct meaning){0};
	return r;
}

static int set_name(const struct merge *merge,
    const struct candidate *candidate, struct merged_node *node,
    struct err *err)
{
	const struct part *part = &candidate->part;
	struct layer_entry entry;
	int r = layer_index_entry(merge->stack->layers[part->layer],
	    part->entry, &entry, err);

	if (r < 0)
		return r;
	node->name_layer = part->layer;
	node->name_entry = part->entry;
	node->name = entry.name;
	node->name_check = merged_name_check(candidate->name, merge->salt);
	return 0;
}

static int add_node(struct merge *merge, uint32_t parent,
    const struct candidate *candidate, struct meaning *meaning, struct err *err)
{
	struct merged_node node = {.parent = parent};
	struct layer_entry entry;
	struct part part = {0};
	size_t ignored;
	char is_dir;
	int r = meaning_attributes(merge->stack->layers, meaning, &part, &entry,
	    err);

	if (r == 0 && !meaning->is_dir)
		r = follow(merge, &part, &entry, err);
	node.layer = part.layer;
	node.entry = part.entry;
	if (r == 0 && node_count(merge) == merge->most)
		r = err_set(err, EIO, "layers that do not make a tree");
	if (r == 0)
		r = set_name(merge, candidate, &node, err);
	if (r < 0)
		return r;
	is_dir = S_ISDIR(entry.mode);
	r = buf_add(&merge->is_dir, &is_dir, 1, err);
	if (r == 0)
		r = pile_add(&merge->nodes, &node, sizeof(node), &ignored, err);
	return r < 0 ? r : keep_meaning(merge, meaning, err);
}

/* The children of the next directory, whose meaning is done with then. */
static int add_children(struct merge *merge, struct err *err)
{
	const struct merge_dir *next = dir_at(merge, merge->dirs_done++);
	CLEANUP(meaning_release) struct meaning dir = next->meaning;
	CLEANUP(candidates_release) struct candidates names = {0};
	uint32_t parent = next->node;
	uint32_t first = node_count(merge);
	int r;

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
	return merge->is_dir.data[node];
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

int merged_write(const struct merged_stack *stack, const char *dir, int fd,
    struct err *err)
{
	CLEANUP(merge_release)
	struct merge merge = {.stack = stack,
	    .salt = merged_salt(stack),
	    .most = names_in(stack),
	    .is_dir = BUF_INIT(SIZE_MAX / 2),
	    .dirs = BUF_INIT(SIZE_MAX / 2)};
	int r;

	pile_init(&merge.nodes, dir, SIZE_MAX / 2);
	r = add_root(&merge, err);
	while (r == 0 && merge.dirs_done < dir_count(&merge))
		r = add_children(&merge, err);
	if (r == 0)
		r = count_links(&merge, err);
	return r < 0 ? r : merged_put(stack, &merge.nodes, fd, err);
}
