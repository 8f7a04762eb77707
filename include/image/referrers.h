/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What refers to an image: signatures, SBOMs, attestations. The registry lists
 * it, or clients do, under a tag of the image's digest (distribution-spec
 * "Listing Referrers", "Referrers Tag Schema").
 */
#ifndef IMAGE_REFERRERS_H
#define IMAGE_REFERRERS_H

#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "image/images.h"
#include "oci/artifact.h"

/* Immutable, counted. */
struct referrers {
	/* Each digest once. The size of those that cosign keeps under tags is
	 * not known: 0. */
	const struct descriptor *entries;
	size_t count;
};

/*
 * All that refers to the image, not older than tag_ttl: what the registry
 * lists, or else the tag, and what cosign keeps under tags of its own. One
 * request for a list, and the repository's list of tags, which says whether
 * there is any such tag.
 */
int referrers_list(struct image *image, struct referrers **out,
    struct err *err);
struct referrers *referrers_get(struct referrers *referrers);
void referrers_put(struct referrers *referrers);

DEFINE_CLEANUP(struct referrers *, referrers_put);

/* A file to be attached; strings and descriptor are borrowed. */
struct attachment {
	const char *name;          /* its title */
	const char *artifact_type; /* NULL: as its content says */
	int fd;
	uint64_t size;
};

/*
 * Uploads the file and puts a manifest that attaches it to the image. Where the
 * registry does not list what refers to the image, this puts it on the list;
 * what others put there at the same time stays. *out: the manifest's digest.
 * -EINVAL for an empty file, or for a type that is not valid; else as
 * source_manifest_put(); -EBUSY where others never stop changing the list.
 */
int referrers_attach(struct image *image, const struct attachment *file,
    struct digest *out, struct err *err);

/* Deletes one that refers to the image, and takes it off the list where clients
 * keep that. -EPERM where the registry does not delete; -ENOENT. */
int referrers_detach(struct image *image, const struct digest *referrer,
    struct err *err);

/*
 * Brings what refers to the image to another repository, of its source or of
 * another one, where the image is already: also what refers to that, and to the
 * images of an index. Errors as image_copy(); -EFBIG where there is no end of
 * it.
 */
int referrers_copy(struct image *image, struct images *to,
    const char *repository, struct err *err);

#endif
