/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The names in the index.json of an image layout on a disk: image-spec
 * image-layout.md "index.json file". An entry has one name: containerd's
 * io.containerd.image.name, a full reference, goes before
 * org.opencontainers.image.ref.name, which is a tag or a full reference.
 *
 * A full reference is a repository and a tag. The colon of a port, which no
 * repository has in its name, is '_' there: "localhost:5000/app:1.0" is the tag
 * "1.0" of "localhost_5000/app".
 */
#ifndef OCI_LAYOUT_INDEX_H
#define OCI_LAYOUT_INDEX_H

#include "base/buf.h"
#include "base/err.h"
#include "oci/manifest.h"
#include "oci/reference.h"

struct layout_name {
	char repository[REPOSITORY_MAX + 1]; /* "": of the layout itself */
	char tag[TAG_MAX + 1];               /* "": the entry has no name */
};

/* Whether repository and tag are the same. */
bool layout_name_equal(const struct layout_name *a,
    const struct layout_name *b);

/*
 * The names of the index's entries, as many as it has entries, to be freed with
 * free(). Of several entries with one name the first has it. The only image
 * without a name is "latest", unless another one is.
 */
int layout_index_names(const struct manifest *index, struct layout_name **out,
    struct err *err);

/* What is written as an entry's name, and can be the name of no tag; or NULL.
 */
const char *layout_unusable_name(const struct descriptor *entry);

/* The reference by which other clients know the repository: with the colon of
 * its port, and of "docker.io" or another host, or of "localhost" where its
 * name has none. -ENAMETOOLONG. */
int layout_reference(const char *repository, struct reference *out,
    struct err *err);

/*
 * Prints an index (len bytes) in which the name is that of the manifest `to`,
 * of which media type, digest, size and artifact type count, or of none where
 * that is NULL; all else stays as it was, and so does the way in which a name
 * is written that is there. 1, or 0 where nothing had the name that is to go.
 * -EINVAL where it is no index; -EFBIG where there is no room
 * for one more.
 */
int layout_index_set(struct buf *out, const void *index, size_t len,
    const struct layout_name *name, const struct descriptor *to,
    struct err *err);

/* Prints it without the repository's entries of that digest: 1, or 0 where it
 * has none. */
int layout_index_drop(struct buf *out, const void *index, size_t len,
    const char *repository, const struct digest *digest, struct err *err);

#endif
