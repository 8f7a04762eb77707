/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where the parts of an artifact are in its directory. A title is a path
 * (image-spec annotations.md, "org.opencontainers.image.title", as ORAS writes
 * it); a part without one has a name by its media type, or by its digest.
 */
#ifndef OCI_ARTIFACT_FILES_H
#define OCI_ARTIFACT_FILES_H

#include "oci/manifest.h"

enum artifact_file_kind {
	ARTIFACT_FILE,
	/* A directory that a part has packed: a tar, in which all paths begin
	 * with its title. The part itself is a file beside it. */
	ARTIFACT_PACKED,
	/* A directory that others are in. */
	ARTIFACT_DIRECTORY,
};

struct artifact_file {
	enum artifact_file_kind kind;
	const char *path; /* "docs/guide.txt", with one slash between names */
	size_t entry;     /* the manifest's, unless it is of others */
};

/* Constant, and shared. */
struct artifact_files;

/* *out is to be given back with artifact_files_put(). -ENOMEM. */
int artifact_files_new(const struct manifest *manifest,
    struct artifact_files **out, struct err *err);
struct artifact_files *artifact_files_get(struct artifact_files *files);
void artifact_files_put(struct artifact_files *files);

DEFINE_CLEANUP(struct artifact_files *, artifact_files_put);

/* What stands at a path, or NULL. Borrowed. */
const struct artifact_file *artifact_files_find(const struct artifact_files
						    *files,
    const char *path);

/*
 * The first in a directory ("": the topmost), or the next one after `file`;
 * NULL at the end. In the order of their bytes.
 */
const struct artifact_file *artifact_files_next(const struct artifact_files
						    *files,
    const char *directory, const struct artifact_file *file);

#endif
