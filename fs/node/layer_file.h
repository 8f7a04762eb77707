/* SPDX-License-Identifier: Apache-2.0 */
/* The nodes of what stands in a tree and is no directory: files, links,
 * devices. */
#ifndef FS_LAYER_FILE_H
#define FS_LAYER_FILE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "layer/layer.h"
#include "node.h"

struct layer_file {
	struct node node;
	struct layer *layer; /* held if the node has a key */
	uint32_t entry;
	/* 0: all is as in its layer. */
	uint32_t links;
	bool hides_xattrs;
	/* The number of the root of the tree in which it was found last, or 0.
	 */
	atomic_uint_least64_t tree;
};

/* The file of a NODE_LAYER_FILE, which the node is. */
struct layer_file *to_layer_file(struct node *node);

/* A node that is in no table yet; the layer is borrowed where there is no key,
 * else held. key is taken, also on failure, which is NULL. */
struct node *layer_file_new(struct mount_source *source, struct layer *layer,
    uint32_t entry, char *key);

/* As in struct view_ops. */
void layer_file_free(struct node *node);

#endif
