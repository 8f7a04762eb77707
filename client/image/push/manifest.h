/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A push's configs and manifests. What was put is kept in the store, so that
 * looking at the image asks nothing.
 */
#ifndef IMAGE_PUSH_MANIFEST_H
#define IMAGE_PUSH_MANIFEST_H

#include <stdbool.h>
#include <stddef.h>

#include "archive/contents.h"
#include "blob.h"
#include "layer.h"

/* Sends a config of that digest, unless the registry has it, and keeps it in
 * the store. Errors as push_blob_put(). */
int push_config_put(const struct tag_ref *target, const void *data, size_t len,
    const struct digest *digest, struct err *err);

/* reference: the tag, or a digest's text. What refers to a subject comes on the
 * subject's list. */
int push_manifest_put(const struct tag_ref *target, const char *reference,
    const struct archive_manifest *manifest, struct err *err);

/* The one that the push is about: under the tag, if it has one. */
int push_manifest_put_last(const struct tag_ref *target,
    const struct archive_manifest *manifest, struct err *err);

/* Of a layer in a manifest of Docker's media types, or of OCI's. */
struct descriptor push_layer_descriptor(const struct layer_written *blob,
    bool docker, struct annotation room[LAYER_ANNOTATIONS_MAX]);

/* What the manifest of an image is made of. */
struct push_image {
	bool docker; /* Docker's media types, else OCI's */
	const char *config;
	size_t config_len;
	struct push_layer **layers;
	size_t layer_count;
};

/* Makes it, and puts config and manifest under the tag. *out: its digest. */
int push_image_put(const struct tag_ref *target, const struct push_image *image,
    struct digest *out, struct err *err);

#endif
