/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The kinds of layers by how they are compressed and whether they bring a table
 * of contents; and the annotations by which a descriptor says so.
 */
#ifndef LAYER_ANNOTATIONS_H
#define LAYER_ANNOTATIONS_H

#include <stdbool.h>
#include <stddef.h>

#include "oci/manifest.h"

enum layer_kind {
	LAYER_ANY, /* compressed somehow */
	LAYER_GZIP,
	LAYER_ZSTD,
	LAYER_ESTARGZ,
	LAYER_ZSTD_CHUNKED,
};

/* As the option compression has it: "zstd:chunked"; LAYER_ANY: "any". */
const char *layer_kind_name(enum layer_kind kind);

/* How it is compressed: LAYER_GZIP or LAYER_ZSTD. */
enum layer_kind layer_kind_plain(enum layer_kind kind);

/* The media type of OCI. */
const char *layer_kind_media_type(enum layer_kind kind);

enum {
	LAYER_ANNOTATIONS_MAX = 5,
	LAYER_ANNOTATION_SIZE = 96, /* four numbers, or a digest */
};

/* Those annotations of a layer that belong to its bytes. */
struct layer_annotations {
	struct {
		const char *name; /* static */
		char value[LAYER_ANNOTATION_SIZE];
	} list[LAYER_ANNOTATIONS_MAX];
	size_t count;
};

#define ANNOTATION_ESTARGZ_DIGEST "containerd.io/snapshot/stargz/toc.digest"
#define ANNOTATION_ESTARGZ_SIZE "io.containers.estargz.uncompressed-size"
#define ANNOTATION_CHUNKED "io.github.containers.zstd-chunked."
/* What containers/storage had until 2023, and what stargz has. */
#define ANNOTATION_CHUNKED_OLD "io.containers.zstd-chunked."
#define ANNOTATION_CHECKSUM "manifest-checksum"
#define ANNOTATION_POSITION "manifest-position"
#define ANNOTATION_TAR_SPLIT "tarsplit-position"

/* False for a name that means nothing here, for a value that is none of these
 * or too long, and where there is no room. */
bool layer_annotations_add(struct layer_annotations *annotations,
    const char *name, const char *value);

/* Those that a descriptor has. */
void layer_annotations_take(struct layer_annotations *out,
    const struct descriptor *descriptor);

/* What a blob of that media type with these annotations is; LAYER_ANY where it
 * is not compressed, or as no other layer. */
enum layer_kind layer_kind_of(const char *media_type,
    const struct layer_annotations *annotations);

/* Whether a layer of a kind can stand for one that is wanted: one with a table
 * of contents is also one without. */
bool layer_kind_serves(enum layer_kind kind, enum layer_kind wanted);

#endif
