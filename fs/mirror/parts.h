/* SPDX-License-Identifier: Apache-2.0 */
/* The files that are written into a mirror (mirror.h). */
#ifndef FS_MIRROR_PARTS_H
#define FS_MIRROR_PARTS_H

#include "base/err.h"
#include "node/intent.h"
#include "node/node.h"

/* Whether the directory is a mirror, and the name that of an image's file that
 * is written into it: as what (view.h). */
bool mirror_write_place(struct node *dir, const char *name,
    struct write_place *out);

/* The image.tar of one that is done: 1, 0. */
int mirror_lookup(struct node *dir, const char *name, struct node **out,
    struct err *err);

#endif
