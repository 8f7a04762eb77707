/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What layers make when they lie on top of each other: image-spec layer.md,
 * "Applying Changesets", as an overlay shows it, where devices 0/0 are
 * whiteouts, too. Or a single layer as it is, its whiteouts among its files.
 *
 * A name is settled as soon as the layers that decide it are known, from the
 * top down: those below it need not have been read. Once all are known the tree
 * is kept in a file and mapped, as their indexes are.
 */
#ifndef LAYER_TREE_H
#define LAYER_TREE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "layer/layer.h"

struct tree;

/* The layers (borrowed), the lowest first. */
int tree_new(struct store *store, struct layer *const *layers, size_t count,
    struct tree **out, struct err *err);

/* One layer (borrowed) alone, with its whiteouts. */
int tree_new_layer(struct layer *layer, struct tree **out, struct err *err);

/* Counted, from any thread: the last put frees it. put of NULL does nothing. */
struct tree *tree_get(struct tree *tree);
void tree_put(struct tree *tree);

DEFINE_CLEANUP(struct tree *, tree_put);

/* What a name means. */
struct tree_item {
	struct layer *layer; /* borrowed from the tree; its index is known */
	uint32_t entry;      /* the one with the attributes, its own link */
	uint32_t links;
	uint32_t own_links; /* as many as in its layer alone */
	uint32_t mode;      /* as in struct stat */
	uint32_t place;     /* in the tree, for tree_find(); 0: not known */
	/* The tree does not show all attributes that it has in its layer. */
	bool hides_xattrs;
};

/*
 * What stands at a path: components with one slash between them, "" for the
 * root. -ENOENT; errors as layer_await(). A symbolic link is what it is, and a
 * path does not lead through one. in: what stands at the path without its last
 * component, if the caller knows it (else NULL); it is not looked up again.
 *
 * What is damaged in the cache is made again first, here and in tree_list().
 */
int tree_find(struct tree *tree, const struct tree_item *in, const char *path,
    struct tree_item *out, struct err *err);

/* The same as far as it is known without waiting: 1, or 0. -EUCLEAN where it is
 * damaged, and tree_find() would wait. */
int tree_known(struct tree *tree, const char *path, struct tree_item *out,
    struct err *err);

/* Whether it is of no layers, and so has not even a root. */
bool tree_is_empty(const struct tree *tree);

/* Whether all of the tree is known: nothing waits any more. */
bool tree_is_settled(const struct tree *tree);

/*
 * The names in the directory at a path, in the order in which their bytes stand
 * in the layers. each() returns 0, or -errno, which ends it.
 */
int tree_list(struct tree *tree, const char *path,
    int (*each)(void *arg, const char *name, const struct tree_item *item,
	struct err *err),
    void *arg, struct err *err);

/* Begins to fetch all layers' blobs, in the background. */
void tree_prefetch(struct tree *tree);

#endif
