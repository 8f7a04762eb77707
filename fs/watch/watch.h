/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Looks by itself at what others may change: in rounds, or where it is told to.
 * What comes of it is in the journal, as when a program looks; and the kernel
 * drops the names that are something else now.
 *
 * A round asks each source that is not on this machine for lists of tags and
 * then for what tags name, with at most WATCH_REQUESTS requests; what is more
 * takes turns over rounds. Where a source is away, or puts us off, the next
 * rounds leave it out: one, then three, and so on to fifteen.
 */
#ifndef FS_WATCH_WATCH_H
#define FS_WATCH_WATCH_H

#include "base/err.h"
#include "node/mount.h"

enum { WATCH_REQUESTS = 100 };

struct watch_options {
	unsigned seconds; /* between rounds; 0: no rounds */
	/* Which repositories, as paths from the mount point: all of their tags;
	 * NULL: those that were used in the mount, and tags that were looked
	 * at. */
	const char *glob;
	/* The kernel is to drop a name in the directory of that number. */
	void (*drop)(void *arg, uint64_t dir, const char *name);
	void *arg;
};

struct watch;

/* Starts the thread; mount and strings are borrowed and outlive it. NULL on
 * failure, err filled. */
struct watch *watch_new(struct mount *mount,
    const struct watch_options *options, struct err *err);

/* Ends what is under way. NULL does nothing. */
void watch_free(struct watch *watch);

/* The kernel drops nothing any more: whether nothing is being dropped. While
 * something is, its requests have to be answered (kernel/feed.h). */
bool watch_stop_dropping(struct watch *watch);

/* Somebody says that the tag, or (NULL) some tag of the repository, has
 * changed: looked at soon, ten in a second at most, and once more after that,
 * since some say so before it is there. More than 256 that wait are
 * dropped. */
void watch_hint(struct watch *watch, const char *repository, const char *tag);

/* The event is of another client: its name is dropped soon. Does not wait. */
void watch_note(struct watch *watch, const struct image_event *event);

#endif
