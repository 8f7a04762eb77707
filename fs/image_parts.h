/* SPDX-License-Identifier: Apache-2.0 */
/* What stands in the directory of an image. */
#ifndef FS_IMAGE_PARTS_H
#define FS_IMAGE_PARTS_H

#include <stdbool.h>
#include <sys/stat.h>

#include "image/images.h"
#include "node.h"
#include "target.h"

/* Its size is that of all manifests of an index, which nobody wants to read for
 * a list of names. */
#define IMAGE_TAR "image.tar"

/* One entry. The directory's own manifest is `top`, an index maybe; `shown` the
 * one of the mount's platform, NULL if an index has none. of_images: each image
 * has it. */
struct image_part {
	const char *name;
	mode_t mode;
	bool (*present)(const struct image *top, const struct image *shown);
	int (*node)(struct node *dir, struct image *top, struct image *shown,
	    struct node **out, struct err *err);
	bool of_images;
};

/* In the order in which they are listed; one without a name ends them. */
extern const struct image_part image_parts[];

/* What a file of that name becomes that is written, or moved, into a tag's
 * directory; NULL: nothing, it is a scratch file. */
const struct upload_kind *image_part_kind(const char *name);

/* NULL: there is none of that name. */
const struct image_part *image_part_find(const char *name);

#endif
