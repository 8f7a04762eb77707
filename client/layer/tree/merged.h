/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The tree that a stack of layers makes, all of which are known: made once,
 * kept in a file, and mapped. What is asked of it is a copy, as of an index; it
 * is -EUCLEAN where the file is damaged, or an index to which it leads.
 */
#ifndef LAYER_MERGED_H
#define LAYER_MERGED_H

#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "index/pile.h"
#include "layer/index.h"

enum { MERGED_ROOT = 0 };

/* The last characters are the version: any change is another one. */
#define MERGED_MAGIC "rfstre04"

/* A file is a head, then the nodes. The salt is of the indexes, in their order.
 */
struct merged_head {
	uint64_t nodes;
	uint32_t salt, unused;
};

/* As in the file. Children follow one another, sorted by name. */
struct merged_node {
	uint32_t name_layer, name_entry; /* where its name is */
	uint32_t name, name_check;       /* in that index's heap */
	uint32_t layer, entry;           /* and its attributes and data */
	uint32_t first_child, child_count;
	uint32_t links;
	uint32_t parent;
	uint32_t check;
};

struct merged;

/* The indexes of a stack of layers, the lowest first. */
struct merged_stack {
	const struct layer_index *const *layers;
	size_t count;
};

/* How large the tree of the layers is at most. */
uint64_t merged_size_max(const struct merged_stack *stack);

/* Makes the tree of the layers and writes it to an empty file. dir: where it
 * keeps what is too much for memory. */
int merged_write(const struct merged_stack *stack, const char *dir, int fd,
    struct err *err);

/* The tree of those layers. Takes fd, also on failure. -EBADMSG: it is damaged,
 * or of other layers; -ESTALE: it is of another version. */
int merged_open(const struct merged_stack *stack, int fd, struct merged **out,
    struct err *err);
void merged_close(struct merged *merged);

DEFINE_CLEANUP(struct merged *, merged_close);

/* Whether somebody has read what was never written, and whether that is the
 * file that is mapped. */
bool merged_is_damaged(const struct merged *merged);
bool merged_is_of(const struct merged *merged, int fd);

/* Keeps another one (taken) as long as it: somebody may still be reading it. */
void merged_keep(struct merged *merged, struct merged *before);

/* A node, whose layers are in the stack, and its name, if it is asked for. */
int merged_node(const struct merged *merged, const struct merged_stack *stack,
    uint32_t number, struct merged_node *out, char *name, struct err *err);

/* The node at a path as tree_find() has it, and its number: 1, or 0. */
int merged_find(const struct merged *merged, const struct merged_stack *stack,
    const char *path, struct merged_node *out, uint32_t *number,
    struct err *err);

/* The same of a name (len bytes) in a directory, whose node is replaced. */
int merged_find_child(const struct merged *merged,
    const struct merged_stack *stack, const char *name, size_t len,
    struct merged_node *node, uint32_t *number, struct err *err);

/* The salt of the trees of those layers. */
uint32_t merged_salt(const struct merged_stack *stack);

/* The check of a node's name, in trees of that salt. */
uint32_t merged_name_check(const char *name, uint32_t salt);

/* For merge.c: fills in the nodes' own checks and writes them to an empty file.
 */
int merged_put(const struct merged_stack *stack, struct pile *nodes, int fd,
    struct err *err);

#endif
