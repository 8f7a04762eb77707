/* SPDX-License-Identifier: Apache-2.0 */
/* Trees: which layers have to be known for what, and who waits for them. */
#include "layer/tree.h"

#include <errno.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/stat.h>

#include "base/lock.h"
#include "base/log.h"
#include "keep_merged.h"
#include "stack.h"

struct tree {
	atomic_uint refs;
	struct store *store;
	struct layer **layers; /* held */
	size_t count;
	bool alone; /* one layer, with its whiteouts */

	/* Once all are known, and constant from then on: the indexes first. */
	const struct layer_index **indexes;
	struct merged *_Atomic merged;
	pthread_mutex_t lock; /* who sets them */
};

static int new_tree(struct layer *const *layers, size_t count,
    struct tree **out, struct err *err)
{
	CLEANUP(tree_put_p) struct tree *tree = calloc(1, sizeof(*tree));

	if (!tree)
		return err_nomem(err);
	atomic_init(&tree->refs, 1);
	pthread_mutex_init(&tree->lock, NULL);
	tree->layers = calloc(count + 1, sizeof(*tree->layers));
	tree->indexes = calloc(count + 1, sizeof(*tree->indexes));
	if (!tree->layers || !tree->indexes)
		return err_nomem(err);
	for (size_t i = 0; i < count; i++)
		tree->layers[tree->count++] = layer_get(layers[i]);
	*out = steal(&tree);
	return 0;
}

int tree_new(struct store *store, struct layer *const *layers, size_t count,
    struct tree **out, struct err *err)
{
	int r = new_tree(layers, count, out, err);

	if (r == 0)
		(*out)->store = store;
	return r;
}

int tree_new_layer(struct layer *layer, struct tree **out, struct err *err)
{
	int r = new_tree(&layer, 1, out, err);

	if (r == 0)
		(*out)->alone = true;
	return r;
}

struct tree *tree_get(struct tree *tree)
{
	atomic_fetch_add(&tree->refs, 1);
	return tree;
}

void tree_put(struct tree *tree)
{
	if (!tree || atomic_fetch_sub(&tree->refs, 1) > 1)
		return;
	if (tree->merged)
		merged_close(tree->merged);
	for (size_t i = 0; i < tree->count; i++)
		layer_put(tree->layers[i]);
	pthread_mutex_destroy(&tree->lock);
	free(tree->layers);
	free(tree->indexes);
	free(tree);
}

/* Wants every layer, the highest first: it decides most names. */
static int want_all(struct tree *tree, struct err *err)
{
	for (size_t i = tree->count; i-- > 0;) {
		int r = layer_want(tree->layers[i], err);

		if (r < 0) {
			while (++i < tree->count)
				layer_unwant(tree->layers[i]);
			return r;
		}
	}
	return 0;
}

static void unwant_all(struct tree *tree)
{
	for (size_t i = 0; i < tree->count; i++)
		layer_unwant(tree->layers[i]);
}

/* Fills in the indexes that are known, from the top down to the first that is
 * not: the number of the lowest. */
static size_t known_from(struct tree *tree, const struct layer_index **indexes,
    size_t lowest)
{
	while (lowest > 0) {
		indexes[lowest - 1] =
		    layer_index_known(tree->layers[lowest - 1]);
		if (!indexes[lowest - 1])
			break;
		lowest--;
	}
	return lowest;
}

static struct tree_item make_item(struct tree *tree, uint32_t layer,
    uint32_t entry, uint32_t links)
{
	return (struct tree_item){tree->layers[layer], entry, links};
}

static int no_such_name(const char *path, struct err *err)
{
	return err_set(err, ENOENT, "%s: no such name", path);
}

/* Makes or finds the merged tree; all indexes are there. */
static int settle(struct tree *tree, const struct layer_index *const *indexes,
    struct err *err)
{
	CLEANUP(merged_close_p) struct merged *merged = NULL;
	int r;

	if (tree->merged)
		return 0;
	r = merged_get(tree->store, indexes, tree->count, &merged, err);
	if (r < 0)
		return r;
	SCOPED_LOCK(&tree->lock);
	if (tree->merged)
		return 0;
	memcpy(tree->indexes, indexes, tree->count * sizeof(*indexes));
	tree->merged = steal(&merged);
	return 0;
}

static int find_merged(struct tree *tree, const char *path,
    struct tree_item *out, struct err *err)
{
	const struct merged_node *node;
	uint32_t number;

	if (!merged_find(tree->merged, tree->indexes, path, &number))
		return no_such_name(path, err);
	node = merged_node(tree->merged, number);
	*out = make_item(tree, node->layer, node->entry, node->links);
	return 0;
}

/* In a layer alone. */
static int find_alone(const struct layer_index *index, const char *path,
    uint32_t *out, struct err *err)
{
	const char *rest = path;

	*out = LAYER_ROOT;
	while (*rest) {
		size_t len = strcspn(rest, "/");

		if (!layer_index_find(index, *out, rest, len, out))
			return no_such_name(path, err);
		rest += len;
		rest += *rest == '/';
	}
	return 0;
}

static struct tree_item item_alone(struct tree *tree,
    const struct layer_index *index, uint32_t entry)
{
	uint32_t link = layer_index_entry(index, entry)->link;

	return make_item(tree, 0, link, layer_index_entry(index, link)->links);
}

/*
 * Whether layers above the lowest known one settle how many names a file has:
 * one that is linked may be hidden, or linked to, elsewhere.
 */
static bool links_settled(const struct layer_index *const *indexes,
    size_t lowest, size_t count, const struct layer_entry *entry)
{
	for (size_t i = lowest; i < count; i++) {
		if (layer_index_facts(indexes[i])->has_dangling)
			return false;
	}
	return entry->links == 1;
}

/* What the layers from the lowest known one up say of a path: 1 with what is
 * there, 0 where those below have a say in it, -ENOENT. */
static int decide(struct tree *tree, const struct layer_index *const *indexes,
    size_t lowest, const char *path, struct tree_item *out, struct err *err)
{
	CLEANUP(meaning_release) struct meaning meaning = {0};
	const struct layer_entry *entry;
	struct part part;
	int r = stack_find(indexes, lowest, tree->count, path, &meaning, err);

	if (r < 0)
		return r;
	if (meaning.count == 0)
		return meaning.open ? 0 : no_such_name(path, err);
	part = meaning_attributes(indexes, &meaning);
	entry = layer_index_entry(indexes[part.layer], part.entry);
	if (meaning.is_dir) {
		/* How many directories are in it nobody knows yet. */
		*out = make_item(tree, part.layer, part.entry, 1);
		return !(meaning.open && entry->flags & LAYER_IMPLIED);
	}
	*out = make_item(tree, part.layer, part.entry, 1);
	return entry->link == part.entry &&
	       links_settled(indexes, lowest, tree->count, entry);
}

/* Waits until path is settled, or (NULL) all layers are known. */
static int await(struct tree *tree, const struct layer_index **indexes,
    const char *path, struct tree_item *out, struct err *err)
{
	size_t lowest = tree->count;

	for (;;) {
		int r = 0;

		lowest = known_from(tree, indexes, lowest);
		if (lowest == 0)
			return 0;
		if (path)
			r = decide(tree, indexes, lowest, path, out, err);
		if (r == 0)
			r = layer_await(tree->layers[lowest - 1],
			    &indexes[lowest - 1], err);
		if (r != 0)
			return r;
	}
}

/* 1 where path was settled early, 0 when all indexes are there. */
static int get_indexes(struct tree *tree, const struct layer_index **indexes,
    const char *path, struct tree_item *out, struct err *err)
{
	int r;

	if (known_from(tree, indexes, tree->count) > 0) {
		r = want_all(tree, err);
		if (r < 0)
			return r;
		r = await(tree, indexes, path, out, err);
		unwant_all(tree);
		if (r != 0)
			return r;
	}
	return tree->alone ? 0 : settle(tree, indexes, err);
}

static const struct layer_index **index_list(const struct tree *tree)
{
	return calloc(tree->count + 1, sizeof(const struct layer_index *));
}

int tree_find(struct tree *tree, const char *path, struct tree_item *out,
    struct err *err)
{
	AUTO_FREE const struct layer_index **indexes = NULL;
	uint32_t entry;
	int r;

	if (tree->count == 0)
		return no_such_name(path, err);
	if (tree->merged)
		return find_merged(tree, path, out, err);
	indexes = index_list(tree);
	if (!indexes)
		return err_nomem(err);
	r = get_indexes(tree, indexes, tree->alone ? NULL : path, out, err);
	if (r != 0)
		return r < 0 ? r : 0;
	if (!tree->alone)
		return find_merged(tree, path, out, err);
	r = find_alone(indexes[0], path, &entry, err);
	if (r == 0)
		*out = item_alone(tree, indexes[0], entry);
	return r;
}

int tree_known(struct tree *tree, const char *path, struct tree_item *out)
{
	AUTO_FREE const struct layer_index **indexes = index_list(tree);
	struct err none = ERR_INIT;

	if (!indexes || tree->count == 0 ||
	    known_from(tree, indexes, tree->count) > 0)
		return 0;
	return tree_find(tree, path, out, &none) == 0;
}

/* A name of a directory, while it is listed. */
struct listed {
	const char *name;
	struct tree_item item;
	uint32_t layer, entry; /* where the name stands */
};

static int by_place(const void *one, const void *two)
{
	const struct listed *a = one, *b = two;

	if (a->layer != b->layer)
		return a->layer < b->layer ? -1 : 1;
	return a->entry < b->entry ? -1 : 1;
}

static int list_merged(struct tree *tree, const char *path, struct listed **out,
    size_t *count, struct err *err)
{
	const struct merged_node *dir;
	uint32_t number;

	if (!merged_find(tree->merged, tree->indexes, path, &number))
		return no_such_name(path, err);
	dir = merged_node(tree->merged, number);
	*out = calloc(dir->child_count + 1, sizeof(**out));
	if (!*out)
		return err_nomem(err);
	for (uint32_t i = 0; i < dir->child_count; i++) {
		const struct merged_node *node =
		    merged_node(tree->merged, dir->first_child + i);

		(*out)[i] =
		    (struct listed){merged_name(tree->merged, tree->indexes,
					dir->first_child + i),
			make_item(tree, node->layer, node->entry, node->links),
			node->name_layer, node->name_entry};
	}
	*count = dir->child_count;
	return 0;
}

static int list_alone(struct tree *tree, const struct layer_index *index,
    const char *path, struct listed **out, size_t *count, struct err *err)
{
	const uint32_t *children;
	uint32_t dir, number;
	int r = find_alone(index, path, &dir, err);

	if (r < 0)
		return r;
	children = layer_index_children(index, dir, &number);
	*out = calloc((size_t)number + 1, sizeof(**out));
	if (!*out)
		return err_nomem(err);
	for (uint32_t i = 0; i < number; i++)
		(*out)[i] =
		    (struct listed){layer_index_name(index, children[i]),
			item_alone(tree, index, children[i]), 0, children[i]};
	*count = number;
	return 0;
}

int tree_list(struct tree *tree, const char *path,
    int (*each)(void *arg, const char *name, const struct tree_item *item,
	struct err *err),
    void *arg, struct err *err)
{
	AUTO_FREE const struct layer_index **indexes = index_list(tree);
	AUTO_FREE struct listed *list = NULL;
	size_t count = 0;
	int r;

	if (!indexes)
		return err_nomem(err);
	if (tree->count == 0)
		return 0;
	r = get_indexes(tree, indexes, NULL, NULL, err);
	if (r == 0)
		r = tree->alone
			? list_alone(tree, indexes[0], path, &list, &count, err)
			: list_merged(tree, path, &list, &count, err);
	if (r < 0)
		return r;
	qsort(list, count, sizeof(*list), by_place);
	for (size_t i = 0; r == 0 && i < count; i++)
		r = each(arg, list[i].name, &list[i].item, err);
	return r;
}

void tree_prefetch(struct tree *tree)
{
	for (size_t i = tree->count; i-- > 0;)
		layer_prefetch(tree->layers[i]);
}
