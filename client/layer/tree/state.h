/* SPDX-License-Identifier: Apache-2.0 */
/* What a tree consists of, and how its layers are waited for. */
#ifndef LAYER_TREE_STATE_H
#define LAYER_TREE_STATE_H

#include <pthread.h>
#include <stdatomic.h>

#include "layer/tree.h"
#include "merged.h"
#include "stack.h"

struct tree {
	atomic_uint refs;
	struct store *store;
	struct layer **layers; /* held */
	size_t count;
	bool alone; /* one layer, with its whiteouts */

	/* Once all are known, the indexes first. They are constant from then
	 * on; the merged tree is replaced where it is damaged. */
	const struct layer_index **indexes;
	struct merged *_Atomic merged;
	pthread_mutex_t lock; /* of those who set them */
};

/* Looks whether the layers from the lowest known one up settle something: 1,
 * 0 where those below have a say in it, or -errno. */
struct question {
	int (*settled)(const struct question *question, struct tree *tree,
	    const struct layer_index *const *indexes, size_t lowest,
	    struct err *err);
	bool is_one_name;
	const char *path;
	void *out;
};

/* Room for the indexes of all layers: NULL, out of memory. The caller frees it.
 */
const struct layer_index **tree_indexes(const struct tree *tree);

/* Fills in the indexes that are known, from the top down to the first that is
 * not: the number of the lowest. */
size_t tree_known_from(struct tree *tree, const struct layer_index **indexes,
    size_t lowest);

/* Waits for the layers that the question needs, the highest first: 1 where it
 * was settled early, 0 when all indexes are there (and, unless it is a layer
 * alone, the merged tree). */
int tree_ask(struct tree *tree, const struct layer_index **indexes,
    const struct question *question, struct err *err);

/* What something is, as far as the layers from the lowest known one up say: 1,
 * 0 where those below have a say in it, or -errno. */
int tree_settled_item(struct tree *tree,
    const struct layer_index *const *indexes, size_t lowest,
    const struct meaning *meaning, struct tree_item *out, struct err *err);

/* In a layer alone: the entry at a path, and what it is. -ENOENT. */
int tree_find_alone(const struct layer_index *index, const char *path,
    uint32_t *out, struct err *err);
int tree_item_alone(struct tree *tree, const struct layer_index *index,
    uint32_t number, struct tree_item *out, struct err *err);

/* What is at an entry of a layer, in a tree that has so many links to it; at a
 * node of the merged tree, and its entry. */
struct tree_item tree_item(struct tree *tree, const struct part *part,
    const struct layer_entry *entry, uint32_t links);
int tree_item_merged(struct tree *tree, const struct merged_node *node,
    uint32_t number, struct tree_item *out, struct layer_entry *entry,
    struct err *err);

/* Whether something is to be tried once more: it failed because a file of the
 * cache was damaged (*r is -EUCLEAN), which was made again. If not, *r and err
 * say why it failed. *tries is 0 at first. */
bool tree_mended(struct tree *tree, int *r, size_t *tries, struct err *err);

/* The indexes of a tree whose layers are all known. */
struct merged_stack tree_stack(const struct tree *tree);

int tree_no_such_name(const char *path, struct err *err);

#endif
