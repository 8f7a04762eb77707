/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of an image say of it in their attributes. */
#ifndef FS_IMAGE_INFO_H
#define FS_IMAGE_INFO_H

#include <sys/stat.h>

#include "image/images.h"
#include "xattr.h"

/* The config's `created` as the times of out, where there is one. Reads the
 * config, at most once an image; what fails leaves out as it is. */
void image_stat_time(struct image *image, struct stat *out);

/* user.oci.* of an image directory: of the manifest that it names, and the
 * platform and date of the one that is shown (may be NULL). */
int image_add_xattrs(struct image *top, struct image *shown, struct xattrs *out,
    struct err *err);

#endif
