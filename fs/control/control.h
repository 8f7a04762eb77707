/* SPDX-License-Identifier: Apache-2.0 */
/* The nodes of .registryfs. */
#ifndef FS_CONTROL_CONTROL_H
#define FS_CONTROL_CONTROL_H

#include "node/nodes.h"

/* Whether the name in the directory is .registryfs, at the mount point. */
bool control_is_at(const struct node *dir, const char *name);

/* .registryfs, by that name in the root. */
int control_node(struct node *root, const char *name, struct node **out,
    struct err *err);

/* The directory of searches, by its name in .registryfs. */
int search_node(struct node *control, const char *name, struct node **out,
    struct err *err);

/* The journal's file of now. */
int events_node(struct node *dir, const char *name, struct node **out,
    struct err *err);
uint64_t events_node_number(struct mount *mount);

#endif
