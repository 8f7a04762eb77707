/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What an image is made of, for people and for programs to look at: texts made
 * of its manifest, its config and what is known of its layers. Of the source
 * the config is read at most, and never a layer: what is not known without one
 * is said to be unknown.
 *
 * All are of an image of layers (manifest_is_image()), and fail as
 * image_config() does, or as buf_add().
 */
#ifndef IMAGE_INSPECT_H
#define IMAGE_INSPECT_H

#include <stdint.h>

#include "base/buf.h"
#include "image/images.h"

/* What its layers add up to. */
struct image_sizes {
	uint64_t layers;   /* bytes, as they are stored */
	uint64_t unpacked; /* bytes of their files; SIZE_UNKNOWN */
};

#define SIZE_UNKNOWN UINT64_MAX

/* The bytes of the files in one of its layers, those that others hide as well,
 * and a file of several names once; SIZE_UNKNOWN as long as the layer has no
 * index. */
uint64_t image_layer_unpacked(struct image *image, size_t layer);

/* Of all layers. */
struct image_sizes image_sizes(struct image *image);

/* Prints one of the texts. tag: the one by which the image was found, or
 * NULL. */
typedef int inspect_print(struct image *image, const char *tag, struct buf *out,
    struct err *err);

/*
 * A table for a terminal, a line a step of the build, the first one first: when
 * it was made, the size of its layer, as stored and unpacked (~: not known),
 * the number of the layer (-: it made none), and what was done. Where steps and
 * layers are not as many, nobody can say which made which: the layers follow in
 * lines of their own.
 */
inspect_print inspect_history;
/* The same for programs: texts as the config has them, sizes in bytes. */
inspect_print inspect_history_json;

/* The Dockerfile that those steps resemble. */
inspect_print inspect_dockerfile;

/* A picture with its size and number of layers, and the same as shields.io asks
 * for it ("endpoint badge"). */
inspect_print inspect_badge_svg;
inspect_print inspect_badge_json;

#endif
