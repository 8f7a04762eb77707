/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The sources of a mount, each with its images: one that is the mount point, or
 * several that are directories in it, which are opened when somebody enters
 * them.
 */
#ifndef FS_SOURCES_H
#define FS_SOURCES_H

#include <limits.h>

#include "connection.h"
#include "image/images.h"
#include "node/mount.h"

struct mount_sources;

struct mount_sources_options {
	struct connection_options connection;
	struct images_options images; /* but for tag_ttl */
	/* Seconds, or TAG_TTL_UNSET: what fits each source. */
	unsigned tag_ttl;
};

#define TAG_TTL_UNSET UINT_MAX

/* mount, which has its store and what sources share, is borrowed; options are
 * copied, their strings borrowed. NULL: out of memory, err filled. */
struct mount_sources *mount_sources_new(struct mount *mount,
    const struct mount_sources_options *options, struct err *err);

/* Opens the source that is the mount point; what connection_open() says. */
int mount_sources_open_only(struct mount_sources *sources, const char *text,
    struct mount_source **out, struct err *err);

/*
 * Adds a source that is a directory at the mount point: called like the
 * registry's host or the layouts' directory. A registry is opened when it is
 * first asked for something. -EEXIST where another one has the name; errors of
 * layouts as connection_open().
 */
int mount_sources_add(struct mount_sources *sources, const char *text,
    struct err *err);

/*
 * Adds a registry by its host, if none has that name: 1 with *out. known: it is
 * opened when it is first asked for something, else now, and -errno of
 * registry_open() says why it was not added.
 */
int mount_sources_add_host(struct mount_sources *sources, const char *host,
    bool known, struct mount_source **out, struct err *err);

/* What is not a source, and stands for the mount point that is above them. */
struct mount_source *mount_sources_top(struct mount_sources *sources);

/* Starts what registries are reached through (network_start()). */
int mount_sources_start_network(struct mount_sources *sources, struct err *err);

/* What counts their requests; NULL: it is not started. */
struct http *mount_sources_http(const struct mount_sources *sources);

/* Their credentials; NULL: it is not started. */
struct creds *mount_sources_creds(const struct mount_sources *sources);

/* All that waits for the network ends, from any thread. */
void mount_sources_cut(const struct mount_sources *sources);

/* Waits for the changes of all sources that are under way. */
void mount_sources_complete(struct mount_sources *sources);

/* Forgets the copies that are done (mirrors_end()). */
void mount_sources_end(struct mount_sources *sources);

/* After all that uses them has ended; the sources themselves are closed by
 * mount_sources_free(), when the store is closed. */
void mount_sources_release_images(struct mount_sources *sources);
void mount_sources_free(struct mount_sources *sources);

#endif
