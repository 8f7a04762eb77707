/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which blobs of this registry hold which uncompressed layer: learned from
 * every image whose manifest and config were seen, and kept across mounts, so
 * that a push need not compress again, let alone send, what is there.
 *
 * It is a hint and never believed: a blob that it names is looked for before it
 * is used, and those who pull compare the diff_id.
 */
#ifndef IMAGE_LAYERS_H
#define IMAGE_LAYERS_H

#include <stdbool.h>

#include "base/err.h"
#include "image/images.h"
#include "layer/annotations.h"
#include "oci/reference.h"

enum { LAYER_BLOBS_MAX = 8 }; /* places remembered for one layer */

/* A blob that holds a layer, and a repository where it was seen. */
struct layer_blob {
	struct digest digest;
	uint64_t size;
	char media_type[128];
	char repository[REPOSITORY_MAX + 1];
	/* Of the tar in it, if that is another one than the layer. */
	struct digest diff_id;
	struct layer_annotations annotations;
};

/*
 * Up to LAYER_BLOBS_MAX blobs that hold a layer, those of `repository` first,
 * then the latest; how many. `layer` is a diff_id, or the digest of a blob:
 * then the result says where that one was seen.
 */
int layers_find(struct images *images, const char *repository,
    const struct digest *layer, struct layer_blob out[LAYER_BLOBS_MAX],
    struct err *err);

/* Remembers one. Failures to write it down are not errors. */
void layers_learn(struct images *images, const struct digest *diff_id,
    const struct layer_blob *blob);

/* Remembers all of an image's layers, of which config (NULL: an artifact's)
 * gives the diff_ids. */
void layers_learn_image(const struct image *image, const struct config *config);

#endif
