/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The manifests and blobs of an OCI layout: read once however many name them,
 * and listed for a push. oci_complete.h says whether all of them are there.
 */
#ifndef ARCHIVE_OCI_BLOBS_H
#define ARCHIVE_OCI_BLOBS_H

#include "archive/contents.h"
#include "base/arena.h"

/* A manifest that has been read. */
struct oci_manifest {
	struct archive_manifest manifest;
	struct manifest *parsed; /* the same; its owner */
	/* As far as oci_complete() has looked at it. */
	enum { COMPLETE_UNKNOWN, COMPLETE_NO, COMPLETE_YES } complete;
	bool listed;
};

struct oci_blobs;

/* reader is borrowed; NULL when out of memory. */
struct oci_blobs *oci_blobs_new(const struct archive_reader *reader);
void oci_blobs_free(struct oci_blobs *blobs);

/* Takes index.json itself as a manifest, which has no digest to be found by. */
int oci_blobs_load_index(struct oci_blobs *blobs,
    const struct archive_entry *json, struct oci_manifest **out,
    struct err *err);

/* A manifest by what names it; *out is NULL if the archive does not have it.
 * -EINVAL where it is not what the descriptor says. */
int oci_blobs_load(struct oci_blobs *blobs, const struct descriptor *descriptor,
    struct oci_manifest **out, struct err *err);

/* Where a blob is: 1, 0 if the archive does not have it, -EINVAL if it has
 * another size, or one that its digest cannot have. */
int oci_blobs_find(const struct oci_blobs *blobs,
    const struct descriptor *descriptor, struct archive_entry *out,
    struct err *err);

/* Adds a complete manifest to the contents' lists, after all that it names. */
int oci_blobs_list(struct oci_blobs *blobs, struct oci_manifest *manifest,
    struct err *err);

/* What was listed. */
void oci_blobs_fill(const struct oci_blobs *blobs,
    struct archive_contents *contents);

#endif
