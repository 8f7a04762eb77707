/* SPDX-License-Identifier: Apache-2.0 */
/* Listing directories of trees. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "tree_state.h"

/* A name of a directory, while it is listed. */
struct listed {
	const char *name;
	struct tree_item item;
	uint32_t layer, entry; /* where the name stands */
};

struct list {
	struct listed *names;
	size_t count;
};

static void list_release(struct list *list)
{
	free(list->names);
	*list = (struct list){0};
}

static int list_reserve(struct list *list, size_t count, struct err *err)
{
	list->names = calloc(count + 1, sizeof(*list->names));
	return list->names ? 0 : err_nomem(err);
}

static int by_place(const void *one, const void *two)
{
	const struct listed *a = one, *b = two;

	if (a->layer != b->layer)
		return a->layer < b->layer ? -1 : 1;
	return a->entry < b->entry ? -1 : 1;
}

static int list_merged(struct tree *tree, const char *path, struct list *out,
    struct err *err)
{
	const struct merged_node *dir;
	uint32_t number;

	if (!merged_find(tree->merged, tree->indexes, path, &number))
		return tree_no_such_name(path, err);
	dir = merged_node(tree->merged, number);
	if (list_reserve(out, dir->child_count, err) < 0)
		return -err->code;
	for (uint32_t i = 0; i < dir->child_count; i++) {
		uint32_t child = dir->first_child + i;
		const struct merged_node *node =
		    merged_node(tree->merged, child);

		out->names[out->count++] =
		    (struct listed){merged_name(tree->merged, tree->indexes,
					child),
			tree_item(tree, node->layer, node->entry, node->links),
			node->name_layer, node->name_entry};
	}
	return 0;
}

static int list_alone(struct tree *tree, const struct layer_index *index,
    const char *path, struct list *out, struct err *err)
{
	const uint32_t *children;
	uint32_t dir, count;
	int r = tree_find_alone(index, path, &dir, err);

	if (r < 0)
		return r;
	children = layer_index_children(index, dir, &count);
	r = list_reserve(out, count, err);
	for (uint32_t i = 0; r == 0 && i < count; i++)
		out->names[out->count++] =
		    (struct listed){layer_index_name(index, children[i]),
			tree_item_alone(tree, index, children[i]), 0,
			children[i]};
	return r;
}

/* Adds a name of a directory to which layers below add nothing. 1; 0 where they
 * have a say in what it means. */
static int add_settled(struct tree *tree,
    const struct layer_index *const *indexes, size_t lowest,
    const struct meaning *dir, const struct candidate *candidate,
    struct list *out, struct err *err)
{
	CLEANUP(meaning_release) struct meaning meaning = {0};
	struct listed *name = &out->names[out->count];
	int r = stack_child(indexes, dir, candidate->name,
	    strlen(candidate->name), &meaning, err);

	if (r < 0)
		return r;
	if (meaning.count == 0)
		return 1;
	*name = (struct listed){.name = candidate->name,
	    .layer = candidate->part.layer,
	    .entry = candidate->part.entry};
	out->count++;
	return tree_settled_item(tree, indexes, lowest, &meaning, &name->item);
}

static int list_dir(struct tree *tree, const struct layer_index *const *indexes,
    size_t lowest, const struct meaning *dir, struct list *out, struct err *err)
{
	AUTO_FREE struct candidate *names = NULL;
	size_t count;
	int r = stack_names(indexes, dir, &names, &count, err);

	if (r == 0)
		r = list_reserve(out, count, err);
	if (r < 0)
		return r;
	r = 1;
	for (size_t i = 0; r == 1 && i < count; i++)
		r = add_settled(tree, indexes, lowest, dir, &names[i], out,
		    err);
	return r;
}

/* A directory that hides all that is below it is listed without those layers.
 */
static int list_settled(const struct question *question, struct tree *tree,
    const struct layer_index *const *indexes, size_t lowest, struct err *err)
{
	CLEANUP(meaning_release) struct meaning dir = {0};
	struct list *list = question->out;
	int r =
	    stack_find(indexes, lowest, tree->count, question->path, &dir, err);

	if (r < 0 || dir.open)
		return r;
	if (!dir.is_dir || dir.count == 0)
		return tree_no_such_name(question->path, err);
	r = list_dir(tree, indexes, lowest, &dir, list, err);
	if (r <= 0)
		list_release(list);
	return r;
}

int tree_list(struct tree *tree, const char *path,
    int (*each)(void *arg, const char *name, const struct tree_item *item,
	struct err *err),
    void *arg, struct err *err)
{
	AUTO_FREE const struct layer_index **indexes = tree_indexes(tree);
	CLEANUP(list_release) struct list list = {0};
	const struct question question = {list_settled, false, path, &list};
	int r;

	if (!indexes)
		return err_nomem(err);
	if (tree->count == 0)
		return 0;
	r = tree_ask(tree, indexes, &question, err);
	if (r == 0)
		r = tree->alone ? list_alone(tree, indexes[0], path, &list, err)
				: list_merged(tree, path, &list, err);
	if (r < 0)
		return r;
	qsort(list.names, list.count, sizeof(*list.names), by_place);
	r = 0;
	for (size_t i = 0; r == 0 && i < list.count; i++)
		r = each(arg, list.names[i].name, &list.names[i].item, err);
	return r;
}
