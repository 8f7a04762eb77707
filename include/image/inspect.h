/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What an image is made of, for people and for programs to look at: texts made
 * of its manifest, its config and what is known of its layers. Of the source
 * the config is read, and never a layer: what is not known without one
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
#include "stream/sink.h"

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

/* What is looked at. */
struct inspection {
	struct image *image;
	/* What the tag names: the image, or an index that has it. */
	struct image *top;
	const char *tag; /* NULL: it was found by its digest */
};

/* Prints one of the texts. */
typedef int inspect_print(const struct inspection *of, struct buf *out,
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

/*
 * A page for a browser, complete in itself: layers with what they do to each
 * other, what is large and what is wasted, how a container is run, platforms,
 * and what refers to the image, for which the source is asked. Of layers
 * without an index it says so.
 */
inspect_print inspect_report;

/* A picture with its size and number of layers, and the same as shields.io asks
 * for it ("endpoint badge"). */
inspect_print inspect_badge_svg;
inspect_print inspect_badge_json;

/*
 * What these write is as long as the tree is large; both wait for the layers
 * that have a say in it, which are read.
 */

/* A row for each name in the root file system, a directory before what is in
 * it, what is in one by name; columns are separated by tabs, and named in the
 * first row: the path, its type (as find's %y), bytes of a file, the number of
 * its layer. In names controls are escaped (escape_visible()). */
int inspect_files(struct image *image, struct sink *out, struct err *err);

/* A line for each name that a layer (counted from 0) adds (A), changes (C), or
 * removes (D): "A /path", as docker diff has it. A directory that is there
 * before and after is changed where its mode or its owner is another one. */
int inspect_changes(struct image *image, size_t layer, struct sink *out,
    struct err *err);

#endif
