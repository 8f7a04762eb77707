/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Places: layers whose files the kernel knows. Such a file's number says which
 * layer and which entry it is, so there is no node for it but while an
 * operation works on it: of a million files only their count is kept, for each
 * place.
 *
 *	bit 63  62 ……………… 24  23 …………… 0
 *	   0     the place       the entry
 */
#ifndef FS_PLACE_H
#define FS_PLACE_H

#include "layer/layer.h"
#include "node.h"

/* A node of an entry of a layer (borrowed) of a source's images, whose index is
 * there. Held; NULL: out of memory. */
struct node *place_node(struct mount_source *source, struct layer *layer,
    uint32_t entry);

/* Its layer's files were found last in the tree with that root. */
void place_found_in(struct node *node, const struct node *root);

/* The number that it (usually) has. */
uint64_t place_number(struct mount *mount, struct layer *layer, uint32_t entry);

/* For node.c: the node of a number that the kernel has; NULL: none. */
struct node *place_find(struct node_table *table, uint64_t ino);

/* For node.c: one hold less; whether it was the last of the node, which the
 * caller then frees. It passes the node's place to place_unused() before, under
 * the same lock, the table's. */
bool place_drop(struct node *node);

/* For node.c: the kernel has looked a node up once more, or has forgotten a
 * number n times. Under the table's lock; what place_forget() returns is to be
 * given to place_free() without it. */
void place_looked_up(struct node *node);
struct place *place_forget(struct node_table *table, uint64_t ino, uint64_t n);

/* Takes a place that nothing needs any more out of the table, for place_free()
 * without the lock; NULL if it is needed. Under the table's lock. */
struct place *place_unused(struct node_table *table, struct place *place);

/* NULL does nothing. */
void place_free(struct place *place);

/* All of them, when the table goes. */
void places_free(struct node_table *table);

#endif
