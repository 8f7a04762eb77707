/* SPDX-License-Identifier: Apache-2.0 */
/* Files that are printed whenever a program opens them. */
#ifndef FS_CONTROL_SNAPSHOT_H
#define FS_CONTROL_SNAPSHOT_H

#include "node/nodes.h"

/* What such a file is printed of. */
struct snapshot_text {
	int (*print)(void *arg, struct buf *out, struct err *err);
	void *arg;
	void (*free)(void *arg); /* with the node; NULL: arg is borrowed */
};

/* Its node, of a key (taken). The text is taken, also on failure. *out is
 * held. */
int snapshot_node(struct node *dir, const char *name, char *key,
    const struct snapshot_text *text, struct node **out, struct err *err);

#endif
