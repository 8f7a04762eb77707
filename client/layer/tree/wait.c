/* SPDX-License-Identifier: Apache-2.0 */
/* Which layers of a tree have to be known for what, and who waits for them. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/lock.h"
#include "base/log.h"
#include "keep_merged.h"
#include "layers/kept_index.h"
#include "layers/state.h"
#include "state.h"

const struct layer_index **tree_indexes(const struct tree *tree)
{
	return calloc(tree->count + 1, sizeof(const struct layer_index *));
}

struct merged_stack tree_stack(const struct tree *tree)
{
	return (struct merged_stack){tree->indexes, tree->count};
}

/* How many layers below the one that is waited for are made beside it. */
enum { BESIDE = 4 };

/* Wants the layers from a number up that are not wanted yet, the highest first:
 * it decides most names. *from is the lowest that is wanted. */
static int want_from(struct tree *tree, size_t number, size_t *from,
    struct err *err)
{
	while (*from > number) {
		int r = layer_want(tree->layers[*from - 1], err);

		if (r < 0)
			return r;
		--*from;
	}
	return 0;
}

static void unwant_from(struct tree *tree, size_t from)
{
	for (size_t i = from; i < tree->count; i++)
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
	const struct merged_stack stack = {indexes, tree->count};
	CLEANUP(merged_close_p) struct merged *merged = NULL;
	int r;

	if (tree->merged)
		return 0;
	r = merged_get(tree->store, tree->layers, &stack, NULL, &merged, err);
	if (r < 0)
		return r;
	SCOPED_LOCK(&tree->lock);
	if (tree->merged)
		return 0;
	memcpy(tree->indexes, indexes, tree->count * sizeof(*indexes));
	tree->merged = steal(&merged);
	return 0;
}

/* One name may be settled before the lowest layers have a say in it; all of a
 * directory hardly ever. */
static size_t lowest_of_use(const struct question *question, size_t lowest)
{
	return question->is_one_name && lowest > 1 + BESIDE
		   ? lowest - 1 - BESIDE
		   : 0;
}

/* Waits until a question is settled, or all layers are known. *from is the
 * lowest layer that is wanted. */
static int await(struct tree *tree, const struct layer_index **indexes,
    const struct question *question, size_t *from, struct err *err)
{
	size_t lowest = tree->count;

	for (;;) {
		int r;

		lowest = tree_known_from(tree, indexes, lowest);
		if (lowest == 0)
			return 0;
		r = question->settled(question, tree, indexes, lowest, err);
		if (r == 0)
			r = want_from(tree, lowest_of_use(question, lowest),
			    from, err);
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
	size_t from = tree->count;
	int r;

	if (tree_known_from(tree, indexes, tree->count) > 0) {
		r = await(tree, indexes, question, &from, err);
		unwant_from(tree, from);
		if (r != 0)
			return r;
	}
	return tree->alone ? 0 : settle(tree, indexes, err);
}

/* Whether it was replaced, and not by another thread. */
static bool replace(struct tree *tree, struct merged *damaged,
    struct merged **fresh)
{
	SCOPED_LOCK(&tree->lock);
	if (tree->merged != damaged)
		return false;
	merged_keep(*fresh, damaged);
	tree->merged = steal(fresh);
	return true;
}

/* Replaces a merged tree that was found damaged. */
static int mend_merged(struct tree *tree, struct err *err)
{
	const struct merged_stack stack = tree_stack(tree);
	struct merged *damaged = tree->merged;
	CLEANUP(merged_close_p) struct merged *fresh = NULL;
	int r;

	if (!damaged || !merged_is_damaged(damaged))
		return 0;
	task_will_wait();
	r = merged_get(tree->store, tree->layers, &stack, damaged, &fresh, err);
	if (r == 0 && replace(tree, damaged, &fresh))
		log_warn("the tree of an image's %zu layers was damaged in the "
			 "cache, and was made again",
		    tree->count);
	return r;
}

static int mend_layers(struct tree *tree, struct err *err)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < tree->count; i++) {
		if (layer_index_known(tree->layers[i]) &&
		    !layer_is_right(tree->layers[i]))
			r = layer_mend(tree->layers[i], err);
	}
	return r;
}

bool tree_mended(struct tree *tree, int *r, size_t *tries, struct err *err)
{
	/* Any of the files may be damaged, and each is found alone. */
	if (*r != -EUCLEAN || *tries > tree->count)
		return false;
	++*tries;
	*r = mend_layers(tree, err);
	if (*r == 0)
		*r = mend_merged(tree, err);
	if (*r == 0)
		*err = (struct err)ERR_INIT;
	/* Where a tree is made the next index is found. */
	return *r == 0 || *r == -EUCLEAN;
}
