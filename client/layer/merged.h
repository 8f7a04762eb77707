/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The tree that a stack of layers makes, all of which are known: made once,
 * kept in a file, and mapped.
 */
#ifndef LAYER_MERGED_H
#define LAYER_MERGED_H

#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "layer/index.h"

enum { MERGED_ROOT = 0 };

/* As in the file. Children stand together, sorted by name. */
struct merged_node {
	uint32_t name_layer, name_entry; /* where its name stands */
	uint32_t layer, entry;           /* and its attributes and data */
	uint32_t first_child, child_count;
	uint32_t links;
	uint32_t parent;
};

struct merged;

/* Writes a tree's nodes to an empty file; merge.c makes them. */
int merged_put(int fd, const void *nodes, uint32_t count, struct err *err);

/* Makes the tree of the layers, the lowest first, and writes it. */
int merged_write(const struct layer_index *const *layers, size_t count, int fd,
    struct err *err);

/* Takes fd, also on failure. -EBADMSG: not whole, or of another version. */
int merged_open(int fd, struct merged **out, struct err *err);
void merged_close(struct merged *merged);

DEFINE_CLEANUP(struct merged *, merged_close);

const struct merged_node *merged_node(const struct merged *merged,
    uint32_t node);
const char *merged_name(const struct merged *merged,
    const struct layer_index *const *layers, uint32_t node);

/* The node at a path as tree_find() has it: 1, or 0. */
int merged_find(const struct merged *merged,
    const struct layer_index *const *layers, const char *path, uint32_t *out);

#endif
