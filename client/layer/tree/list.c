/* SPDX-License-Identifier: Apache-2.0 */
/* Listing directories of trees. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "state.h"

/* A name of a directory, while it is listed. */
struct listed {
	const char *name;
	struct tree_item item;
	uint32_t layer, entry; /* where the name stands */
};

struct dir_list {
	struct listed *names;
	size_t count;
	struct arena texts;
};

static void list_release(struct dir_list *list)
{
	free(list->names);
	arena_release(&list->texts);
	*list = (struct dir_list){0};
}

static int list_reserve(struct dir_list *list, size_t count, struct err *err)
{
	list->names = calloc(count + 1, sizeof(*list->names));
	return list->names ? 0 : err_nomem(err);
}

/* Adds a name that is in that place; there is room. */
static int list_add(struct dir_list *list, const char *name, uint32_t layer,
    uint32_t entry, const struct tree_item *item, struct err *err)
{
	struct listed *next = &list->names[list->count];

	*next = (struct listed){arena_strdup(&list->texts, name), *item, layer,
	    entry};
	if (!next->name)
		return err_nomem(err);
	list->count++;
	return 0;
}

static int by_place(const void *one, const void *two)
{
	const struct listed *a = one, *b = two;

	if (a->layer != b->layer)
		return a->layer < b->layer ? -1 : 1;
	return a->entry < b->entry ? -1 : 1;
}

/* A child of a directory of the merged tree. */
static int add_merged(struct tree *tree, const struct merged *merged,
    uint32_t number, struct dir_list *out, struct err *err)
{
	const struct merged_stack stack = tree_stack(tree);
	char name[LAYER_NAME_SIZE];
	struct merged_node node;
	struct layer_entry entry;
	struct tree_item item;
	int r = merged_node(merged, &stack, number, &node, name, err);

	if (r == 0)
		r = tree_item_merged(tree, &node, number, &item, &entry, err);
	return r < 0 ? r
		     : list_add(out, name, node.name_layer, node.name_entry,
			   &item, err);
}

static int list_merged(struct tree *tree, const char *path,
    struct dir_list *out, struct err *err)
{
	const struct merged *merged = tree->merged;
	const struct merged_stack stack = tree_stack(tree);
	struct merged_node dir;
	uint32_t number;
	int r = merged_find(merged, &stack, path, &dir, &number, err);

	if (r <= 0)
		return r < 0 ? r : tree_no_such_name(path, err);
	r = list_reserve(out, dir.child_count, err);
	for (uint32_t i = 0; r == 0 && i < dir.child_count; i++)
		r = add_merged(tree, merged, dir.first_child + i, out, err);
	return r;
}

static int list_alone(struct tree *tree, const struct layer_index *index,
    const char *path, struct dir_list *out, struct err *err)
{
	struct layer_entry dir;
	uint32_t number;
	int r = tree_find_alone(index, path, &number, err);

	if (r == 0)
		r = layer_index_entry(index, number, &dir, err);
	if (r == 0)
		r = list_reserve(out, dir.child_count, err);
	for (uint32_t i = 0; r == 0 && i < dir.child_count; i++) {
		char name[LAYER_NAME_SIZE];
		struct tree_item item;
		uint32_t child;

		r = layer_index_child(index, &dir, i, &child, name, err);
		if (r == 0)
			r = tree_item_alone(tree, index, child, &item, err);
		if (r == 0)
			r = list_add(out, name, 0, child, &item, err);
	}
	return r;
}

/* Adds a name of a directory to which layers below add nothing. 1; 0 where they
 * have a say in what it means. */
static int add_settled(struct tree *tree,
    const struct layer_index *const *indexes, size_t lowest,
    const struct meaning *dir, const struct candidate *candidate,
    struct dir_list *out, struct err *err)
{
	CLEANUP(meaning_release) struct meaning meaning = {0};
	const struct part *part = &candidate->part;
	struct tree_item item;
	int r = stack_child(indexes, dir, candidate->name,
	    strlen(candidate->name), &meaning, err);

	if (r < 0)
		return r;
	if (meaning.count == 0)
		return 1;
	r = tree_settled_item(tree, indexes, lowest, &meaning, &item, err);
	if (r <= 0)
		return r;
	r = list_add(out, candidate->name, part->layer, part->entry, &item,
	    err);
	return r < 0 ? r : 1;
}

static int list_dir(struct tree *tree, const struct layer_index *const *indexes,
    size_t lowest, const struct meaning *dir, struct dir_list *out,
    struct err *err)
{
	CLEANUP(candidates_release) struct candidates names = {0};
	int r = stack_names(indexes, dir, &names, err);

	if (r == 0)
		r = list_reserve(out, names.count, err);
	if (r < 0)
		return r;
	r = 1;
	for (size_t i = 0; r == 1 && i < names.count; i++)
		r = add_settled(tree, indexes, lowest, dir, &names.list[i], out,
		    err);
	return r;
}

/* A directory that hides all that is below it is listed without those layers.
 */
static int list_settled(const struct question *question, struct tree *tree,
    const struct layer_index *const *indexes, size_t lowest, struct err *err)
{
	CLEANUP(meaning_release) struct meaning dir = {0};
	struct dir_list *list = question->out;
	int r =
	    stack_find(indexes, lowest, tree->count, question->path, &dir, err);

	if (r < 0 || meaning_names_open(&dir))
		return r;
	if (!dir.is_dir || dir.count == 0)
		return tree_no_such_name(question->path, err);
	r = list_dir(tree, indexes, lowest, &dir, list, err);
	if (r <= 0)
		list_release(list);
	return r;
}

static int collect(struct tree *tree, const char *path, struct dir_list *list,
    struct err *err)
{
	AUTO_FREE const struct layer_index **indexes = tree_indexes(tree);
	const struct question question = {list_settled, false, path, list};
	int r;

	if (!indexes)
		return err_nomem(err);
	r = tree_ask(tree, indexes, &question, err);
	if (r != 0)
		return r < 0 ? r : 0;
	return tree->alone ? list_alone(tree, indexes[0], path, list, err)
			   : list_merged(tree, path, list, err);
}

int tree_list(struct tree *tree, const char *path,
    int (*each)(void *arg, const char *name, const struct tree_item *item,
	struct err *err),
    void *arg, struct err *err)
{
	CLEANUP(list_release) struct dir_list list = {0};
	size_t tries = 0;
	int r;

	if (tree->count == 0)
		return 0;
	do {
		list_release(&list);
		r = collect(tree, path, &list, err);
	} while (tree_mended(tree, &r, &tries, err));
	if (r < 0)
		return r;
	qsort(list.names, list.count, sizeof(*list.names), by_place);
	for (size_t i = 0; r == 0 && i < list.count; i++)
		r = each(arg, list.names[i].name, &list.names[i].item, err);
	return r;
}
