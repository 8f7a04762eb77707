/* SPDX-License-Identifier: Apache-2.0 */
/* Which layers of a tree have to be known for what, and who waits for them. */
#include <stdlib.h>
#include <string.h>

#include "base/lock.h"
#include "keep_merged.h"
#include "tree_state.h"

const struct layer_index **tree_indexes(const struct tree *tree)
{
	return calloc(tree->count + 1, sizeof(const struct layer_index *));
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

size_t tree_known_from(struct tree *tree, const struct layer_index **indexes,
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

/* Makes or finds the merged tree; all indexes are there. */
static int settle(struct tree *tree, const struct layer_index *const *indexes,
    struct err *err)
{
	CLEANUP(merged_close_p) struct merged *merged = NULL;
	int r;

	if (tree->merged)
		return 0;
	r = merged_get(tree->store, tree->layers, indexes, tree->count, &merged,
	    err);
	if (r < 0)
		return r;
	SCOPED_LOCK(&tree->lock);
	if (tree->merged)
		return 0;
	memcpy(tree->indexes, indexes, tree->count * sizeof(*indexes));
	tree->merged = steal(&merged);
	return 0;
}

/* Waits until a question is settled, or all layers are known. */
static int await(struct tree *tree, const struct layer_index **indexes,
    const struct question *question, struct err *err)
{
	size_t lowest = tree->count;

	for (;;) {
		int r;

		lowest = tree_known_from(tree, indexes, lowest);
		if (lowest == 0)
			return 0;
		r = question->settled(question, tree, indexes, lowest, err);
		if (r == 0)
			r = layer_await(tree->layers[lowest - 1],
			    &indexes[lowest - 1], err);
		if (r != 0)
			return r;
	}
}

int tree_ask(struct tree *tree, const struct layer_index **indexes,
    const struct question *question, struct err *err)
{
	int r;

	if (tree_known_from(tree, indexes, tree->count) > 0) {
		r = want_all(tree, err);
		if (r < 0)
			return r;
		r = await(tree, indexes, question, err);
		unwant_all(tree);
		if (r != 0)
			return r;
	}
	return tree->alone ? 0 : settle(tree, indexes, err);
}
