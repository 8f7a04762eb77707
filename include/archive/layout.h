/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An image saved as one tar that is a docker-archive and an OCI layout at once,
 * laid out without any blob being read: its size is exact and any part of it
 * can be read on its own. The same image gives the same bytes.
 *
 *	blobs/sha256/HEX …	manifests, configs and layers as stored
 *	index.json		one entry, with the names that docker gives it
 *	manifest.json		docker's, for the platform's image, if all of
 *				it is there
 *	oci-layout
 */
#ifndef ARCHIVE_LAYOUT_H
#define ARCHIVE_LAYOUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "oci/manifest.h"
#include "oci/reference.h"

struct archive_layout;

/* A manifest that goes in, with its bytes (borrowed during the call). */
struct layout_manifest {
	const void *data;
	size_t len;
	struct digest digest;
	const struct manifest *manifest;
};

struct layout_input {
	/* What the image is called, in full and by a tag; NULL: the archive
	 * says no name. */
	const struct reference *name;
	/* The manifest or index that the tag names, first; then, for an index,
	 * the manifests of its entries that are to go in (any order). */
	const struct layout_manifest *manifests;
	size_t manifest_count;
	/* The one that docker's manifest.json describes; an index into the
	 * above. Artifacts that are no image: SIZE_MAX, no manifest.json. */
	size_t image;
	/* Foreign layers that are not to be had, and are left out. */
	const struct digest *absent;
	size_t absent_count;
};

/* manifest.json is left out, too, where the archive has not all of the image:
 * docker cannot load it. */
int archive_layout_new(const struct layout_input *input,
    struct archive_layout **out, struct err *err);
void archive_layout_free(struct archive_layout *layout);

DEFINE_CLEANUP(struct archive_layout *, archive_layout_free);

/* The archive's size in bytes. */
uint64_t archive_layout_size(const struct archive_layout *layout);

/* Whether docker's manifest.json is in it. */
bool archive_layout_has_docker(const struct archive_layout *layout);

/* A stretch of the archive: bytes in memory, or part of a blob. */
struct layout_segment {
	uint64_t offset; /* in the archive */
	uint64_t size;
	const void *data; /* NULL: of the blob */
	const struct descriptor *blob;
};

/* The segment that holds the byte at offset; false at or past the end. */
bool archive_layout_find(const struct archive_layout *layout, uint64_t offset,
    struct layout_segment *out);

#endif
