/* SPDX-License-Identifier: Apache-2.0 */
/* Trees: what a path means in them. */
#include "layer/tree.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "tree_state.h"

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

struct tree_item tree_item(struct tree *tree, uint32_t layer, uint32_t entry,
    uint32_t links)
{
	return (struct tree_item){tree->layers[layer], entry, links};
}

int tree_no_such_name(const char *path, struct err *err)
{
	return err_set(err, ENOENT, "%s: no such name", path);
}

static int find_merged(struct tree *tree, const char *path,
    struct tree_item *out, struct err *err)
{
	const struct merged_node *node;
	const struct layer_index *index;
	char text[DIGEST_TEXT_SIZE];
	uint32_t number;

	if (!merged_find(tree->merged, tree->indexes, path, &number))
		return tree_no_such_name(path, err);
	node = merged_node(tree->merged, number);
	index = tree->indexes[node->layer];
	if (layer_index_entry(index, node->entry)->flags & LAYER_DANGLING)
		return err_set(err, EIO,
		    "layer %s: %s is a hard link to %s, which is not there",
		    digest_format(layer_digest(tree->layers[node->layer]),
			text),
		    path, layer_index_target(index, node->entry));
	*out = tree_item(tree, node->layer, node->entry, node->links);
	return 0;
}

int tree_find_alone(const struct layer_index *index, const char *path,
    uint32_t *out, struct err *err)
{
	const char *rest = path;

	*out = LAYER_ROOT;
	while (*rest) {
		size_t len = strcspn(rest, "/");

		if (!layer_index_find(index, *out, rest, len, out))
			return tree_no_such_name(path, err);
		rest += len;
		rest += *rest == '/';
	}
	return 0;
}

struct tree_item tree_item_alone(struct tree *tree,
    const struct layer_index *index, uint32_t entry)
{
	uint32_t link = layer_index_entry(index, entry)->link;

	return tree_item(tree, 0, link, layer_index_entry(index, link)->links);
}

/* Whether layers above the lowest known one settle how many names a file has:
 * one that is linked may be hidden, or linked to, elsewhere. */
static bool links_settled(const struct tree *tree,
    const struct layer_index *const *indexes, size_t lowest,
    const struct layer_entry *entry)
{
	for (size_t i = lowest; i < tree->count; i++) {
		if (layer_index_facts(indexes[i])->has_dangling)
			return false;
	}
	return entry->links == 1;
}

int tree_settled_item(struct tree *tree,
    const struct layer_index *const *indexes, size_t lowest,
    const struct meaning *meaning, struct tree_item *out)
{
	const struct part part = meaning_attributes(indexes, meaning);
	const struct layer_entry *entry =
	    layer_index_entry(indexes[part.layer], part.entry);

	/* How many directories are in one nobody knows yet. */
	*out = tree_item(tree, part.layer, part.entry, 1);
	if (meaning->is_dir)
		return !(meaning->open && entry->flags & LAYER_IMPLIED);
	return entry->link == part.entry &&
	       links_settled(tree, indexes, lowest, entry);
}

static int find_settled(const struct question *question, struct tree *tree,
    const struct layer_index *const *indexes, size_t lowest, struct err *err)
{
	CLEANUP(meaning_release) struct meaning meaning = {0};
	int r = stack_find(indexes, lowest, tree->count, question->path,
	    &meaning, err);

	if (r < 0)
		return r;
	if (meaning.count == 0)
		return meaning.open ? 0
				    : tree_no_such_name(question->path, err);
	return tree_settled_item(tree, indexes, lowest, &meaning,
	    question->out);
}

int tree_find(struct tree *tree, const char *path, struct tree_item *out,
    struct err *err)
{
	const struct question question = {find_settled, true, path, out};
	AUTO_FREE const struct layer_index **indexes = NULL;
	uint32_t entry;
	int r;

	if (tree->count == 0)
		return tree_no_such_name(path, err);
	if (tree->merged)
		return find_merged(tree, path, out, err);
	indexes = tree_indexes(tree);
	if (!indexes)
		return err_nomem(err);
	r = tree_ask(tree, indexes, &question, err);
	if (r != 0)
		return r < 0 ? r : 0;
	if (!tree->alone)
		return find_merged(tree, path, out, err);
	r = tree_find_alone(indexes[0], path, &entry, err);
	if (r == 0)
		*out = tree_item_alone(tree, indexes[0], entry);
	return r;
}

int tree_known(struct tree *tree, const char *path, struct tree_item *out)
{
	const struct question question = {find_settled, true, path, out};
	AUTO_FREE const struct layer_index **indexes = NULL;
	struct err none = ERR_INIT;
	uint32_t entry;

	if (tree->count == 0)
		return 0;
	if (tree->merged)
		return find_merged(tree, path, out, &none) == 0;
	indexes = tree_indexes(tree);
	if (!indexes || tree_known_from(tree, indexes, tree->count) > 0)
		return 0;
	if (!tree->alone)
		return find_settled(&question, tree, indexes, 0, &none) == 1;
	if (tree_find_alone(indexes[0], path, &entry, &none) < 0)
		return 0;
	*out = tree_item_alone(tree, indexes[0], entry);
	return 1;
}

bool tree_is_empty(const struct tree *tree)
{
	return tree->count == 0;
}

bool tree_is_settled(const struct tree *tree)
{
	return tree->alone ? layer_index_known(tree->layers[0]) != NULL
			   : tree->merged != NULL;
}

void tree_prefetch(struct tree *tree)
{
	for (size_t i = tree->count; i-- > 0;)
		layer_prefetch(tree->layers[i]);
}
