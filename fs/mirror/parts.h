/* SPDX-License-Identifier: Apache-2.0 */
/* The files that are written into a mirror (mirror.h). */
#ifndef FS_MIRROR_PARTS_H
#define FS_MIRROR_PARTS_H

#include "base/err.h"
#include "node/intent.h"
#include "node/node.h"

/* What a file becomes that is written into a mirror: 1, or 0 if the directory
 * is not one, or the name is not that of an image's file. */
int mirror_intent(struct node *dir, const char *name, struct write_intent *out,
    struct err *err);

/* The image.tar of one that is done: 1, 0. */
int mirror_lookup(struct node *dir, const char *name, struct node **out,
    struct err *err);

/* image.tar, and the other files of an image (intent.h); detail is the path of
 * the mirror. */
extern const struct write_kind write_mirror;
extern const struct write_kind write_mirror_part;

#endif
