/* SPDX-License-Identifier: Apache-2.0 */
/* What views/image.c needs of image directories, beside nodes.h. */
#ifndef FS_IMAGE_NODE_H
#define FS_IMAGE_NODE_H

#include "view.h"

/* As in struct view_ops. */
void image_node_free(struct node *node);
int image_node_stat(struct node *node, struct stat *out, struct err *err);

#endif
