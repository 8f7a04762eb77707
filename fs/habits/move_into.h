/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mv into the directory of an image, which it does where the new name is that
 * of an image: what is moved there, under its own name, takes the image's tag.
 *
 *	rename(NEW, TAG/NEW, RENAME_NOREPLACE)   EEXIST, which is noted
 *	stat(TAG/NEW)                            finds the image, to be replaced
 *	rename(NEW, TAG/NEW)                     takes the tag
 */
#ifndef FS_MOVE_INTO_H
#define FS_MOVE_INTO_H

#include <stdbool.h>

#include "node/node.h"

/* rename() into a directory, with the flags of renameat2(2): 0 where it is not
 * an image's, or may be. -EPERM under another name; -EEXIST with
 * RENAME_NOREPLACE, with which mv always tries first. */
int move_into_check(const struct node *dir, const char *name,
    const char *to_name, unsigned flags, struct err *err);

/* Whether the caller has just been told so of that name. It then looks for what
 * is there, to find out whether it may be replaced: the image is. */
bool move_into_is_tried(const struct node *dir, const char *name);

#endif
