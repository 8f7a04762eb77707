/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rm -r of an image. It goes through the directory depth first and removes the
 * image at the very end, when it would have read the names in all layers. So a
 * process that tries to remove a part of an image whose directory it has open
 * is known for what it does: where that is refused, it gets no list of what is
 * further down, and where it is allowed, an empty one. Nobody else sees any of
 * that, and nothing is gone before the last step, which is rmdir() of the tag.
 */
#ifndef FS_REMOVING_H
#define FS_REMOVING_H

#include "node/node.h"
#include "node/view.h"

/* view unlink() and rmdir() of a part of an image: -EPERM, or 0 where the whole
 * is being removed. */
int removing_part(struct node *image_dir, const char *name, struct err *err);

/* What the caller, whose new handle it is, does to the image in which its
 * directory lies. The handle says so from now on. */
enum removing removing_opened(struct handle *handle);

#endif
