/* SPDX-License-Identifier: Apache-2.0 */
/* How old that is what is known of tags and lists. */
#include <time.h>

#include "base/clock.h"
#include "base/strf.h"
#include "images_state.h"

/* Of something that was said at that time: how long it is still believed. */
static unsigned left_of(int64_t said, unsigned ttl)
{
	int64_t age = clock_seconds() - said;

	return age < (int64_t)ttl ? (unsigned)(ttl - age) : 0;
}

unsigned images_tag_left(struct images *images, const char *repository,
    const char *tag)
{
	AUTO_FREE char *key = strf("%s:%s", repository, tag);
	unsigned ttl = images->options.tag_ttl, left = 0, listed = 0;
	const struct resolution *resolution;
	const struct listing *listing;

	if (!key)
		return 0;
	monitor_enter(&images->monitor);
	resolution = map_get(&images->resolved, key);
	if (resolution && digest_is_set(&resolution->digest))
		left = left_of(resolution->asked, ttl);
	listing = map_get(&images->tags, repository);
	if (listing && listing->names && names_has(listing->names, tag))
		listed = left_of(listing->cached.loaded, ttl);
	monitor_leave(&images->monitor);
	return left > listed ? left : listed;
}

/* Inside the monitor. INT64_MAX: it is not known. */
static int64_t last_said(struct images *images, const char *repository,
    const char *tag, const char *key)
{
	const struct resolution *resolution = map_get(&images->resolved, key);
	const struct listing *listing =
	    *repository ? map_get(&images->tags, repository) : &images->catalog;

	if (tag)
		return resolution ? resolution->asked : INT64_MAX;
	if (!listing || !listing->names)
		return INT64_MAX;
	/* The list from before a change of our own. */
	return listing->cached.loaded == CACHED_STALE ? images->away.since
						      : listing->cached.loaded;
}

time_t images_stale(struct images *images, const char *repository,
    const char *tag)
{
	AUTO_FREE char *key = strf("%s:%s", repository, tag ? tag : "");
	int64_t now = clock_seconds(), said;
	bool away;

	if (!key)
		return 0;
	monitor_enter(&images->monitor);
	away = away_shows_old(images);
	said = last_said(images, repository, tag, key);
	monitor_leave(&images->monitor);
	if (!away || said > now - (int64_t)images->options.tag_ttl)
		return 0;
	return time(NULL) - (time_t)(now - said);
}

time_t images_tag_since(struct images *images, const char *repository,
    const char *tag)
{
	AUTO_FREE char *key = strf("%s:%s", repository, tag);
	time_t since = 0;

	if (!key)
		return time(NULL);
	monitor_enter(&images->monitor);
	since = tag_times_get(&images->times, key);
	monitor_leave(&images->monitor);
	return since;
}
