/* SPDX-License-Identifier: Apache-2.0 */
/* Files that are printed whenever a program opens them. */
#ifndef FS_CONTROL_SNAPSHOT_H
#define FS_CONTROL_SNAPSHOT_H

#include "node/nodes.h"

typedef int snapshot_print(const struct node *node, struct buf *out,
    struct err *err);

/* What such a file is printed by, and of. */
struct snapshot_text {
	snapshot_print *print;
	void *arg;               /* for snapshot_arg() */
	void (*free)(void *arg); /* with the node; NULL: it is borrowed */
};

/* The node of one in a directory, by its key. The text's arg is taken, also on
 * failure. *out is held. */
int snapshot_node(struct node *dir, const char *name, const char *key,
    const struct snapshot_text *text, struct node **out, struct err *err);

/* What the text of such a node has to be printed of. */
void *snapshot_arg(const struct node *node);

#endif
