/* SPDX-License-Identifier: Apache-2.0 */
/* The contents of an archive while they are made, and what they own. */
#ifndef ARCHIVE_DRAFT_H
#define ARCHIVE_DRAFT_H

#include <stdbool.h>

#include "archive/contents.h"
#include "base/arena.h"
#include "oci/layout.h"
#include "oci_blobs.h"

struct draft {
	struct archive_contents contents; /* first: it is what callers have */
	struct archive_reader *reader;    /* while it is made */
	const struct archive_wanted *wanted; /* likewise */

	struct arena arena;
	struct config *config;
	struct docker_archive *docker;
	struct oci_blobs *blobs;
};

/* Frees what it owns, too. */
void draft_free(struct draft *draft);

DEFINE_CLEANUP(struct draft *, draft_free);

/*
 * Makes it ARCHIVE_DOCKER, of a config and layers in these files. layers is in
 * the arena; their diff_ids are set here.
 */
int draft_set_image(struct draft *draft, const struct archive_entry *config,
    struct archive_layer *layers, size_t layer_count, struct err *err);

/* Whether the archive is a docker-archive, which is then read, or an OCI
 * layout, with that index.json. 1, 0, or -errno. */
int draft_is_docker(struct draft *draft, struct err *err);
int draft_is_layout(struct draft *draft, struct archive_entry *json,
    struct err *err);

/* Reads the manifest.json of a docker-archive. -EINVAL where the document is
 * another. */
int docker_read(struct draft *draft, const struct archive_entry *json,
    struct err *err);

/* The image of it that is meant. */
int docker_choose(struct draft *draft, const struct docker_archive_image **out,
    struct err *err);

/* Whether one of its layers is compressed, or not there: then an OCI layout
 * beside it says more. 1, 0 or -errno. */
int docker_compressed(const struct draft *draft,
    const struct docker_archive_image *image, struct err *err);

/* Makes the contents those of that image, whose files must be in the archive.
 * -EINVAL names the one that is not; -ENOMEM. */
int docker_contents(struct draft *draft,
    const struct docker_archive_image *image, struct err *err);

/* Reads the index.json of an OCI layout. To be called once. */
int oci_read(struct draft *draft, const struct archive_entry *json,
    struct oci_manifest **out, struct err *err);

/* What is meant of an OCI layout with that index.json. To be called once. */
int oci_choose(struct draft *draft, const struct archive_entry *json,
    struct oci_manifest **out, struct err *err);

/* The same of what was chosen; docker: the image that a manifest.json beside
 * the layout means, or NULL. */
int oci_contents(struct draft *draft, struct oci_manifest *chosen,
    const struct docker_archive_image *docker, struct err *err);

#endif
