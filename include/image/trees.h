/* SPDX-License-Identifier: Apache-2.0 */
/* Root file systems of images, and what is in their layers. */
#ifndef IMAGE_TREES_H
#define IMAGE_TREES_H

#include "image/images.h"
#include "layer/tree.h"

/* The image's root file system; it must not be an index. Reads nothing. To be
 * given back with tree_put(). */
int image_tree(struct image *image, struct tree **out, struct err *err);

/* The entries of one of its layers, counted from 0. */
int image_layer_tree(struct image *image, size_t layer, struct tree **out,
    struct err *err);

/* The layer that an entry of its manifest is, the image being one of layers
 * (manifest_is_image()). Reads nothing. To be given back with layer_put(). */
int image_layer(struct image *image, size_t layer, struct layer **out,
    struct err *err);

#endif
