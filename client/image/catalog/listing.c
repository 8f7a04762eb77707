/* SPDX-License-Identifier: Apache-2.0 */
/* Kept lists and resolved tags, and their end. */
#include "listing.h"

#include <stdlib.h>

#include "base/clock.h"

void cached_loaded(struct cached *cached, uint64_t version)
{
	cached->loaded =
	    cached->turn.version == version ? clock_seconds() : CACHED_STALE;
}

bool cached_is_young(const struct cached *cached, int64_t now, unsigned ttl)
{
	return now - cached->loaded < (int64_t)ttl;
}

bool cached_is_in_use(const struct cached *cached)
{
	return cached->turn.taken || cached->users > 0;
}

bool listing_fresh(const struct listing *listing, int64_t now, unsigned ttl)
{
	return (listing->names || listing->missing) &&
	       cached_is_young(&listing->cached, now, ttl);
}

struct listing *listings_get(struct map *listings, const char *key)
{
	struct listing *listing = map_get(listings, key);

	if (listing)
		return listing;
	listing = calloc(1, sizeof(*listing));
	if (listing && map_put(listings, key, listing) < 0) {
		free(listing);
		return NULL;
	}
	return listing;
}

static void listing_free(struct listing *listing)
{
	names_put(listing->names);
	free(listing);
}

/* Moves what is to be kept to a new table: a map cannot change while it is
 * walked. Out of memory, the old table stays. */
bool map_drop_old(struct map *map, size_t many,
    bool (*keep)(void *, int64_t, unsigned), void (*drop)(void *), int64_t now,
    unsigned ttl)
{
	struct map kept = MAP_INIT;

	size_t count = map->count;

	if (count < many)
		return false;
	map_foreach (map, slot) {
		if (keep(slot->value, now, ttl) &&
		    map_put(&kept, slot->key, slot->value) < 0) {
			map_release(&kept);
			return false;
		}
	}
	map_foreach (map, slot) {
		if (!keep(slot->value, now, ttl))
			drop(slot->value);
	}
	map_release(map);
	*map = kept;
	return kept.count < count;
}

static bool listing_keep(void *value, int64_t now, unsigned ttl)
{
	struct listing *listing = value;

	return cached_is_in_use(&listing->cached) ||
	       listing_fresh(listing, now, ttl);
}

static void listing_drop(void *value)
{
	listing_free(value);
}

void listings_purge(struct map *listings, int64_t now, unsigned ttl)
{
	map_drop_old(listings, LISTINGS_MANY, listing_keep, listing_drop, now,
	    ttl);
}

static bool resolution_keep(void *value, int64_t now, unsigned ttl)
{
	return now - ((struct resolution *)value)->asked < (int64_t)ttl;
}

bool resolutions_purge(struct map *resolutions, int64_t now, unsigned ttl)
{
	return map_drop_old(resolutions, RESOLUTIONS_MANY, resolution_keep,
	    free, now, ttl);
}

void listings_release(struct map *listings)
{
	map_foreach (listings, slot)
		listing_free(slot->value);
	map_release(listings);
}

void resolutions_release(struct map *resolutions)
{
	map_foreach (resolutions, slot)
		free(slot->value);
	map_release(resolutions);
}
