/* SPDX-License-Identifier: Apache-2.0 */
/* What the makers of nodes share. */
#include "nodes.h"

#include <string.h>

void node_init(struct node *node, struct mount_source *source,
    enum node_kind kind, char *key, double names_ttl, double attr_ttl)
{
	node->mount = source->mount;
	node->source = source;
	node->kind = kind;
	node->view = node->mount->views[kind];
	node->key = key;
	node->names_ttl = names_ttl;
	node->attr_ttl = attr_ttl;
}

void node_init_in(struct node *node, struct node *parent, const char *name,
    enum node_kind kind, char *key, double names_ttl, double attr_ttl)
{
	node_init(node, parent->source, kind, key, names_ttl, attr_ttl);
	node->parent = parent;
	node->name = strdup(name);
}
