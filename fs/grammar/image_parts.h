/* SPDX-License-Identifier: Apache-2.0 */
/* What stands in the directory of an image. */
#ifndef FS_IMAGE_PARTS_H
#define FS_IMAGE_PARTS_H

#include <stdbool.h>
#include <sys/stat.h>

#include "image/images.h"
#include "intent.h"

/* Its size is that of all manifests of an index, which nobody wants to read for
 * a list of names. */
#define IMAGE_TAR "image.tar"

enum image_part_id {
	IMAGE_MANIFEST,
	IMAGE_CONFIG,
	IMAGE_INDEX,
	IMAGE_LAYERS,
	IMAGE_ROOTFS,
	IMAGE_FILES,
	IMAGE_PLATFORMS,
	IMAGE_REFERRERS,
	IMAGE_ARCHIVE,
	IMAGE_PARTS,
};

/* One entry. The directory's own manifest is `top`, an index maybe; `shown` the
 * one of the mount's platform, NULL if an index has none. of_images: each image
 * has it. */
struct image_part {
	enum image_part_id id;
	const char *name;
	mode_t mode; /* its type alone */
	bool (*present)(const struct image *top, const struct image *shown);
	enum write_effect effect;  /* of a file of that name */
	enum write_effect in_copy; /* of one in a copy of the image by files */
	bool of_images;
};

/* By their id, in which order they are listed. */
extern const struct image_part image_parts[IMAGE_PARTS];

/* NULL: there is none of that name. */
const struct image_part *image_part_find(const char *name);
/* Whether that is the part's name. */
bool image_part_is(const char *name, enum image_part_id id);

/* Texts about an image of layers, made when they are read: they are looked up,
 * and not listed, copied or written. */
enum image_text_id {
	IMAGE_HISTORY,
	IMAGE_HISTORY_JSON,
	IMAGE_DOCKERFILE,
	IMAGE_REPORT,
	IMAGE_FILES_TABLE,
	IMAGE_BADGE_SVG,
	IMAGE_BADGE_JSON,
	IMAGE_TEXTS,
};

/* Their names; and which one has a name, or IMAGE_TEXTS. */
extern const char *const image_texts[IMAGE_TEXTS];
enum image_text_id image_text_find(const char *name);

#endif
