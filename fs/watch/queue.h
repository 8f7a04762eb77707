/* SPDX-License-Identifier: Apache-2.0 */
/* Tags that wait to be looked at, or to be dropped: a bounded queue. The caller
 * has the lock. */
#ifndef FS_WATCH_QUEUE_H
#define FS_WATCH_QUEUE_H

#include <stdint.h>

#include "base/cleanup.h"

/* A tag, or (tag NULL) a repository. */
struct named {
	char *registry; /* NULL: any */
	char *repository;
	char *tag;
	int64_t since; /* when it was added (clock_seconds()) */
	struct named *next;
};

struct queue {
	struct named *first, **last;
	unsigned count;
};

/* Adds a copy at the end, unless it is there already; at most 256. */
void queue_add(struct queue *queue, const char *registry,
    const char *repository, const char *tag);

/* The first one, which is the caller's; NULL: nothing waits. */
struct named *queue_take(struct queue *queue);

/* Frees what waits. */
void queue_release(struct queue *queue);

/* With its strings; NULL does nothing. */
void named_free(struct named *named);

DEFINE_CLEANUP(struct named *, named_free);

#endif
