/* SPDX-License-Identifier: Apache-2.0 */
/* Symbolic links by which tags are made. */
#ifndef FS_TAG_LINK_H
#define FS_TAG_LINK_H

#include "node/nodes.h"

/* A symbolic link that was made: it exists until it is looked up again. */
int link_node(struct mount_source *source, const char *target,
    struct node **out, struct err *err);

#endif
