/* SPDX-License-Identifier: Apache-2.0 */
/* What a mount is and does at the moment. */
#ifndef FS_STATUS_H
#define FS_STATUS_H

#include "http/http.h"
#include "image/pushes.h"
#include "node/mount.h"

/* A source of the mount; strings are borrowed. */
struct status_source {
	const char *name;      /* as users write it */
	const char *kind;      /* "registry", "layout" */
	const char *directory; /* at the mount point; "": it is that */
	const char *namespace;
	struct source_limit limit;
};

struct status {
	/* Of the mount, borrowed. */
	const char *version;
	const char *mountpoint;
	const char *cache_dir;
	uint64_t cache_size; /* at most, bytes */
	bool read_only;

	pid_t pid;
	time_t started;
	double uptime; /* seconds */
	struct push_info *pushes;
	size_t push_count;
	struct push_counts ended;
	struct store_stats store;
	struct http_counters http;
	struct status_source *sources;
	size_t source_count;
};

/* Asks nobody else, and waits for nothing. */
int status_take(struct mount *mount, struct status *out, struct err *err);
void status_release(struct status *status);

/* Appends it as a JSON object. */
int status_print(const struct status *status, struct buf *out, struct err *err);

#endif
