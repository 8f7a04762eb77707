/* SPDX-License-Identifier: Apache-2.0 */
/* Where the store gets an image's blobs from: its repository. */
#ifndef IMAGE_ORIGIN_H
#define IMAGE_ORIGIN_H

#include "image/images.h"
#include "store/store.h"

/* To be taken by the store. */
int origin_source(struct image *image, struct store_source *out,
    struct err *err);

#endif
