/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An image under another name, of its source or of another one: no layer
 * travels that is there, or that the registry can take from the repository that
 * has it.
 */
#ifndef IMAGE_COPY_H
#define IMAGE_COPY_H

#include "base/err.h"
#include "image/images.h"
#include "image/push.h"

/*
 * Puts an image or index, bytes as they are, into a repository, its own or
 * another, under target's tag (untagged: by its digest only). Whatever it names
 * is there first: in another repository its blobs are mounted across, or else
 * (always in another source) fetched and sent, and of an index all of its
 * manifests that the image's source has.
 * Errors as source_manifest_put() and blob_read().
 */
int image_copy(struct image *image, const struct tag_ref *target,
    struct err *err);

/* The last step of it: the manifest alone, all that it names is there. */
int image_put_tag(struct image *image, const struct tag_ref *target,
    struct err *err);

/* Only what a manifest in the target's repository would name: the blobs of an
 * image and, of an index, all below it. */
int image_bring(struct image *image, const struct tag_ref *target,
    struct err *err);

/* One blob of the image's repository. */
int image_bring_blob(struct image *image, const struct descriptor *blob,
    const struct tag_ref *target, struct err *err);

#endif
