/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Lists and answers that are kept for a while. Time is in seconds of the
 * monotonic clock.
 */
#ifndef IMAGE_LISTING_H
#define IMAGE_LISTING_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/map.h"
#include "base/turn.h"
#include "image/names.h"
#include "oci/digest.h"

enum {
	/* Where dropping what is old begins: `find` over a large registry must
	 * not leave a list of each repository behind. */
	LISTINGS_MANY = 1024,
	/* Small, and what is dropped can no longer be compared with what the
	 * tag names later. */
	RESOLUTIONS_MANY = 16 << 10,
};

/* What one thread loads while others wait for it, and what is kept for a while
 * then. In the monitor of its owner, as all functions of it. */
struct cached {
	struct turn turn; /* at loading it */
	int64_t loaded;
	unsigned users; /* threads that look at it: it is not dropped */
};

/* As `loaded`: it is to be loaded before it is used again. */
#define CACHED_STALE (INT64_MIN / 2)

/* It has just been loaded, in the turn that was taken with a version; there is
 * this one now. What is of another one is loaded before it is used again. */
void cached_loaded(struct cached *cached, uint64_t version);

/* Whether it was loaded less than ttl seconds before now (clock_seconds()). */
bool cached_is_young(const struct cached *cached, int64_t now, unsigned ttl);

/* Whether a thread loads it, waits for it or looks at it. */
bool cached_is_in_use(const struct cached *cached);

/* A list of names; its version is that of struct images (changes). */
struct listing {
	struct cached cached;
	struct names *names; /* NULL while never loaded, or missing */
	bool missing;        /* there was no such repository */
	bool denied;         /* so the registry said, and not a gateway */
	int64_t kept;        /* `loaded`, when it was kept (recall.c); or 0 */
	uint64_t kept_hash;  /* of the names, then */
};

/* What a tag named, when it was asked; an unset digest: there was none. */
struct resolution {
	struct digest digest;
	int64_t asked;
	int64_t kept; /* `asked`, when it was kept (recall.c); 0: never */
	struct digest kept_digest;
};

/* Once there are `many` values, drops those that are not to be kept. Whether it
 * has dropped any. */
bool map_drop_old(struct map *map, size_t many,
    bool (*keep)(void *, int64_t, unsigned), void (*drop)(void *), int64_t now,
    unsigned ttl);

/* Whether it was loaded less than ttl seconds ago: then it is used as it is. */
bool listing_fresh(const struct listing *listing, int64_t now, unsigned ttl);

/* The listing of that key, made if it is not there; NULL out of memory. */
struct listing *listings_get(struct map *listings, const char *key);

/* Drops what is older than ttl once there are many. */
void listings_purge(struct map *listings, int64_t now, unsigned ttl);
/* Whether it has dropped any. */
bool resolutions_purge(struct map *resolutions, int64_t now, unsigned ttl);

/* Free the maps and all that is in them. No thread loads any more. */
void listings_release(struct map *listings);
void resolutions_release(struct map *resolutions);

#endif
