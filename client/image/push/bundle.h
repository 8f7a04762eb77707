/* SPDX-License-Identifier: Apache-2.0 */
/* Archives of several images, each of which goes where its name says. */
#ifndef IMAGE_PUSH_BUNDLE_H
#define IMAGE_PUSH_BUNDLE_H

#include "archive/reader.h"
#include "image/push.h"

/*
 * Pushes all images of a complete archive: 1, or 0 where it is the bundle's tag
 * that the archive becomes, and nothing was done. Where an image is not of the
 * directory, or has no name, -EINVAL before anything is pushed.
 */
int push_bundle_images(const struct push_bundle *bundle,
    struct archive_reader *reader, struct err *err);

#endif
