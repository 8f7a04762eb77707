/* SPDX-License-Identifier: Apache-2.0 */
/* When tags were seen to change. The caller has the lock. */
#ifndef IMAGE_TAG_TIMES_H
#define IMAGE_TAG_TIMES_H

#include <time.h>

#include "base/map.h"

struct tag_times {
	struct map times; /* "repository:tag" → struct tag_time */
	time_t forgotten; /* when notes were dropped; 0: never */
};

/* The tag of that key has changed just now. */
void tag_times_note(struct tag_times *times, const char *key);

/* What is known of some tags has been dropped: they may have changed since. */
void tag_times_forget(struct tag_times *times);

/* When the tag changed, or may have; 0: it has not. */
time_t tag_times_get(const struct tag_times *times, const char *key);

/* Frees all notes. */
void tag_times_release(struct tag_times *times);

#endif
