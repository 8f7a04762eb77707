/* SPDX-License-Identifier: Apache-2.0 */
/* The nodes of what stands in the directory of an image. */
#ifndef FS_PART_NODES_H
#define FS_PART_NODES_H

#include "grammar/image_parts.h"
#include "image/images.h"
#include "node/node.h"

/* What the directory is to files that are written in it (view.h). */
struct write_place part_nodes_write_place(const struct node *dir);

/* The node of an entry of `dir` that is present; top, shown as in struct
 * image_part. *out is held. */
int part_nodes_make(const struct image_part *part, struct node *dir,
    struct image *top, struct image *shown, struct node **out, struct err *err);

#endif
