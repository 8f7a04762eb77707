/* SPDX-License-Identifier: Apache-2.0 */
/* The end of a push: what a complete archive holds becomes the tag. */
#ifndef IMAGE_PUSH_CONTENTS_H
#define IMAGE_PUSH_CONTENTS_H

#include "archive/contents.h"
#include "archive/reader.h"
#include "layer.h"
#include "layer/plain.h"

/*
 * Waits for the layers, some of which may not have started, then puts config
 * and manifests, the tag last. tree: the archive's own, for one that is a root
 * file system. name: what the archive calls the image; NULL: the one with the
 * tag is meant. *out is what the tag names now.
 */
int push_contents(struct push_layers *set, struct archive_reader *reader,
    struct layer_plain *tree, const char *name, struct digest *out,
    struct err *err);

/* The same for an OCI layout: its blobs and manifests as they are. */
int push_oci(struct push_layers *set, const struct archive_reader *reader,
    const struct archive_contents *contents, struct err *err);

#endif
