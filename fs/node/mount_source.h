/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A source of a mount: where images come from, and what the mount keeps under
 * the names of its repositories. Every node has the source that it is of, and
 * so has every intent of a write: what two sources call `app` are two things.
 */
#ifndef FS_MOUNT_SOURCE_H
#define FS_MOUNT_SOURCE_H

#include <stdatomic.h>

#include "base/err.h"
#include "image/images.h"

struct made;
struct mirrors;
struct mount;

struct mount_source {
	struct mount *mount;
	/* NULL: it is no source, and stands for the mount point that is above
	 * several. */
	struct images *images;
	/* The directory at the mount point that it is, or "": it is the mount
	 * point, and the only source. */
	const char *name;
	const char *base; /* the namespace that is mounted, or "" */
	/* The tag or digest of the one image of it that is the mount point;
	 * NULL: all are mounted. */
	const char *image;
	double tag_ttl;            /* seconds */
	struct made *made;         /* directories that mkdir made */
	struct mirrors *mirrors;   /* and those of images that are copied */
	atomic_bool is_told_empty; /* the log has that nothing is in it */
	struct mount_source *next; /* of the mount's */
};

/* Adds a source to those of its mount, where it stays; one thread at a time. */
void mount_source_add(struct mount_source *source);

/* The source of a mount that has the name; NULL: there is no such. */
struct mount_source *mount_source_find(const struct mount *mount,
    const char *name);

/*
 * All sources of a mount, the newest first; others may be added meanwhile.
 *
 *	for (struct mount_source *source = mount_source_first(mount); source;
 *	     source = source->next)
 */
struct mount_source *mount_source_first(const struct mount *mount);

/* A repository's name ("": the top) that no repository of another source has: a
 * new string, or NULL when out of memory. */
char *source_unique_name(const struct mount_source *source,
    const char *repository);

/* The path of a repository from the mount point, likewise new. */
char *source_path(const struct mount_source *source, const char *repository);

/* -EXDEV where an image is of another source: its blobs are not here, so that
 * no name alone makes it one of this source. */
int source_check_image(const struct mount_source *source,
    const struct image *image, struct err *err);

#endif
