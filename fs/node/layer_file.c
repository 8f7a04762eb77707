/* SPDX-License-Identifier: Apache-2.0 */
/* The nodes of what stands in a tree and is no directory. */
#include "layer_file.h"

#include <stdlib.h>

#include "base/container.h"
#include "nodes.h"

struct layer_file *to_layer_file(struct node *node)
{
	return container_of(node, struct layer_file, node);
}

struct node *layer_file_new(struct mount_source *source, struct layer *layer,
    uint32_t entry, char *key)
{
	struct layer_file *file = calloc(1, sizeof(*file));

	if (!file) {
		free(key);
		return NULL;
	}
	node_init(&file->node, source, NODE_LAYER_FILE, key, 0, TTL_FOREVER);
	file->layer = key ? layer_get(layer) : layer;
	file->entry = entry;
	return &file->node;
}

void layer_file_free(struct node *node)
{
	/* node_free() has freed the key: the place tells. */
	if (!node->place)
		layer_put(to_layer_file(node)->layer);
	free(node);
}
