/* SPDX-License-Identifier: Apache-2.0 */
/* An image gets another name, in its repository or in another one. */
#ifndef FS_COPYING_H
#define FS_COPYING_H

#include "image/images.h"
#include "mount.h"

/* image_copy(), and with the mount's option what refers to the image, which in
 * its own repository is there already. */
int copy_image(const struct mount *mount, struct image *image,
    const char *repository, const char *tag, struct err *err);

#endif
