/* SPDX-License-Identifier: Apache-2.0 */
/* What the files that are written into a mirror need of its state. */
#ifndef FS_MIRROR_PARTS_H
#define FS_MIRROR_PARTS_H

#include <stdbool.h>

#include "oci/digest.h"
#include "target.h"

struct mount;

/* Bytes of that digest have been copied to a file of that name. */
void mirror_note_manifest(struct mount *mount, const char *path,
    const char *name, const struct digest *digest);

/* The image that it has become; false: it has not yet. */
bool mirror_image(struct mount *mount, const char *path, struct digest *out);

/* image.tar is complete, by the caller. */
void mirror_done(struct mount *mount, const char *path,
    const struct digest *image);

/* image.tar, and the other files of an image (target.h); detail is the path of
 * the mirror. */
extern const struct upload_kind upload_mirror;
extern const struct upload_kind upload_mirror_part;

#endif
