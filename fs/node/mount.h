/* SPDX-License-Identifier: Apache-2.0 */
/* What one mount consists of, and what its nodes can ask it for. */
#ifndef FS_MOUNT_H
#define FS_MOUNT_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>
#include <time.h>

#include "base/pool.h"
#include "mount_source.h"
#include "node.h"

struct attempts;
struct spent;
struct store;
struct borrowed;
struct feed;
struct handle;
struct hosts;
struct images_shared;
struct op;
struct refusals;
struct scratches;
struct written_names;
struct view_ops;
struct write_kind;

enum delete_policy {
	DELETE_NOTHING,
	DELETE_TAGS,      /* one by one: rmdir, rm of an archive, mv */
	DELETE_RECURSIVE, /* rm -r of a tag or repository as well */
};

struct mount {
	/* What each kind of node does; by enum node_kind. */
	const struct view_ops *const *views;
	/* Where images come from: one, which is the mount point, or more. */
	_Atomic(struct mount_source *) sources;
	struct images_shared
	    *images_shared; /* what those of all sources share */
	/* That may become sources when their names are looked up; NULL: no
	 * host may. */
	struct hosts *hosts;
	/* How a written file takes effect; by enum write_effect. */
	const struct write_kind *const *write_kinds;
	struct store *store; /* of all sources, and of what is written */
	struct node_table *nodes;
	struct written_names *written; /* files being written */
	struct attempts *attempts;     /* what programs have just tried */
	struct refusals *refusals;     /* and what they may not */
	struct spent *spent;           /* what their calls have waited for */
	struct scratches *scratches;   /* directories that become images */
	struct timespec started; /* the time of what has none of its own */
	struct timespec started_clock; /* the same, monotonic */
	uid_t uid;
	gid_t gid;
	bool read_only;
	bool squash;    /* files of images are the mounting user's */
	bool shared;    /* others may enter: modes are enforced */
	bool prefetch;  /* an image's layers, when somebody enters it */
	bool referrers; /* are copied with their image */
	const char *cache_dir;
	uint64_t cache_size; /* bytes */
	struct http *http;
	const char *mountpoint;         /* absolute */
	enum delete_policy delete_tags; /* what can be removed */
	struct feed *feed;              /* of the kernel's page cache */
	struct borrowed *borrowed;      /* handles that nobody opened */
	struct handle *handles; /* all that are open; under handles_lock */
	pthread_mutex_t handles_lock;
	struct op *ops; /* all that are under way; under ops_lock */
	bool ending;    /* what nobody waits for is broken off; likewise */
	pthread_mutex_t ops_lock;
	/* What the answer to the kernel's first request still lacks
	 * (parallel.h). */
	atomic_uint init_flags;
	/* Called once the kernel's first request has been answered. */
	void (*ready)(void *arg);
	void *ready_arg;
};

/* For ever, as far as the kernel counts: a day is renewed without a request. */
#define TTL_FOREVER 86400.0

/* The attributes of a directory or file of this mount; mtime may be 0 for the
 * mount's own. */
void mount_stat_dir(const struct mount *mount, const struct node *node,
    struct stat *out);
void mount_stat_file(const struct mount *mount, const struct node *node,
    uint64_t size, struct stat *out);
void mount_stat_time(struct stat *out, int64_t seconds, uint32_t nanos);

#endif
