/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What archives of images say in JSON: the manifest.json of docker-archives
 * (what `docker save` writes), and the names in the index.json of OCI layouts,
 * image-spec image-layout.md; that is an index, manifest_parse() reads it.
 */
#ifndef OCI_LAYOUT_H
#define OCI_LAYOUT_H

#include <stdbool.h>
#include <stddef.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "oci/manifest.h"
#include "oci/reference.h"

enum {
	DOCKER_ARCHIVE_MAX_BYTES = 16 << 20, /* other readers: 1 to 20 MiB */
	DOCKER_ARCHIVE_MAX_IMAGES = 1000,    /* each a tag and its layers */
	LAYOUT_MAX_NAMES = 2,                /* of an entry of an index */
	LAYOUT_MARKER_MAX = 64 << 10         /* it has thirty bytes */
};

/* A name under which an archive holds an image. It is for choosing among
 * several; one that is no image reference is still a name, without a tag. */
struct image_name {
	const char *text;      /* as written: "app:1.0", in a layout "1.0" */
	char tag[TAG_MAX + 1]; /* "" if there is none */
};

struct docker_archive_image {
	const char *config; /* paths in the archive, as written, never "" */
	const char *const *layers; /* base first */
	size_t layer_count;
	const struct image_name *names;
	size_t name_count;
};

/* Immutable, in one arena. */
struct docker_archive {
	const struct docker_archive_image *images; /* at least one */
	size_t image_count;
};

/* Parses manifest.json. *out is to be freed with docker_archive_free(). -EINVAL
 * with a sentence. */
int docker_archive_parse(const void *data, size_t len,
    struct docker_archive **out, struct err *err);
void docker_archive_free(struct docker_archive *archive);

DEFINE_CLEANUP(struct docker_archive *, docker_archive_free);

/* Whether a file oci-layout with these bytes marks a layout that we know: 0.
 * -EINVAL where it marks none; -ENOTSUP where it marks one of another version
 * than 1.x. Both with a sentence. */
int layout_check_marker(const void *data, size_t len, struct err *err);

/*
 * The names that annotations give to an entry of an OCI layout's index:
 * containerd's and Docker's, then the specification's. How many there are; the
 * texts are the entry's.
 */
size_t layout_names(const struct descriptor *entry,
    struct image_name out[LAYOUT_MAX_NAMES]);

#endif
