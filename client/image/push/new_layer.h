/* SPDX-License-Identifier: Apache-2.0 */
/* A layer that goes on top of an image. */
#ifndef IMAGE_NEW_LAYER_H
#define IMAGE_NEW_LAYER_H

#include "image/push.h"
#include "image/spool.h"
#include "layer/writer.h"

struct new_layer {
	struct layer_written blob;
	struct annotation annotations[LAYER_ANNOTATIONS_MAX];
	struct descriptor descriptor; /* of that, in what is above */
	struct digest diff_id;
	const char *name; /* borrowed */
	int64_t created;  /* seconds since 1970 */
};

/*
 * Brings the tar in the spool to the target's repository, compressed if it was
 * not. image_type is the media type of the manifest that will name it. -EINVAL
 * for what is no tar, or none that has ended.
 */
int new_layer_bring(struct new_layer *layer, const struct tag_ref *target,
    struct spool *spool, const char *name, const char *image_type,
    struct err *err);

/* The config of the image with the layer. */
int new_layer_config(const struct new_layer *layer, const struct buf *before,
    struct buf *out, struct err *err);

#endif
