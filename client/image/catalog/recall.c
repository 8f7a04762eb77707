/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What earlier mounts have seen of the source (seen/seen.h), for when it is
 * away; and what this one sees, for later ones. All outside the monitor, but
 * where that is said.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/strf.h"
#include "images_state.h"
#include "seen/seen.h"

/* What has not changed is kept again after so many seconds, for its time. */
enum { KEEP_AGAIN = 3600 };

static struct seen seen_of(const struct images *images)
{
	return (
	    struct seen){images->shared->store, source_name(images->source)};
}

/* What is on this machine is there to be asked. */
static bool is_kept(const struct images *images)
{
	return !source_can(images->source, SOURCE_LOCAL);
}

/* On the monotonic clock. */
static int64_t when(time_t at)
{
	time_t age = time(NULL) - at;

	return clock_seconds() - (age > 0 ? age : 0);
}

/* Inside the monitor, as what follows: whether it is taken. */
static bool take_catalog(struct images *images, const struct names *names,
    time_t at)
{
	CLEANUP(names_builder_free_p)
	struct names_builder *builder = names_builder_new(ERR_IGNORE);

	if (!builder || images->listed)
		return false;
	for (size_t i = 0; i < names_count(names); i++)
		if (names_builder_add(builder, names_at(names, i), ERR_IGNORE) <
		    0)
			return false;
	if (catalog_merge(images, steal(&builder), ERR_IGNORE) < 0)
		return false;
	images->listed = true;
	images->catalog.cached.loaded = images->catalog.kept = when(at);
	return true;
}

static bool take_tags(struct images *images, const char *repository,
    struct names *names, time_t at)
{
	struct listing *listing = listings_get(&images->tags, repository);

	if (!listing || listing->names || names_count(names) == 0)
		return false;
	listing->names = names_get(names);
	listing->missing = false;
	listing->cached.loaded = listing->kept = when(at);
	catalog_found(images, repository);
	return true;
}

struct recalling {
	struct images *images;
	const char *repository;
	struct map mine; /* of this call: its later lines go on */
	bool took;
};

static void take_tag(void *arg, const char *tag, const struct digest *digest,
    time_t at)
{
	struct recalling *recalling = arg;
	struct images *images = recalling->images;
	AUTO_FREE char *key = strf("%s:%s", recalling->repository, tag);
	struct resolution *resolution;

	if (!key)
		return;
	resolution = map_get(&images->resolved, key);
	if (resolution && !map_get(&recalling->mine, key))
		return;
	if (!resolution) {
		resolution = calloc(1, sizeof(*resolution));
		if (!resolution)
			return;
		if (map_put(&recalling->mine, key, images) < 0 ||
		    map_put(&images->resolved, key, resolution) < 0) {
			free(resolution);
			return;
		}
	}
	recalling->took = true;
	resolution->digest = digest ? *digest : (struct digest){0};
	resolution->asked = when(at);
	resolution->kept = resolution->asked;
	resolution->kept_digest = resolution->digest;
}

static bool begin(struct images *images, const char *repository)
{
	bool first;

	monitor_enter(&images->monitor);
	first = away_shows_old(images) &&
		!map_get(&images->recalled, repository) &&
		map_put(&images->recalled, repository, images) == 0;
	monitor_leave(&images->monitor);
	return first;
}

/* The source is away: takes what was seen of a repository ("": of the list of
 * them) before this mount as the last that was seen in it, as far as that has
 * seen nothing. Whether there was something: once for each. */
static bool recall(struct images *images, const char *repository)
{
	const struct seen seen = seen_of(images);
	struct recalling recalling = {images, repository, MAP_INIT, false};
	CLEANUP(names_put_p) struct names *names = NULL;
	time_t at = 0;

	if (!is_kept(images) || !begin(images, repository))
		return false;
	if (seen_list(&seen, repository, &names, &at, ERR_IGNORE) < 0)
		names = NULL;
	monitor_enter(&images->monitor);
	if (names && *repository)
		recalling.took = take_tags(images, repository, names, at);
	else if (names)
		recalling.took = take_catalog(images, names, at);
	seen_tags(&seen, repository, take_tag, &recalling);
	monitor_leave(&images->monitor);
	map_release(&recalling.mine);
	return recalling.took;
}

static uint64_t hash_of(const struct names *names)
{
	uint64_t hash = 1;

	for (size_t i = 0; names && i < names_count(names); i++)
		hash = hash * 31 + map_hash(names_at(names, i));
	return hash;
}

/* Inside the monitor. Gives the list if it is not kept yet. */
static struct names *unkept(struct images *images, const char *repository,
    struct listing **out)
{
	struct listing *listing =
	    *repository ? map_get(&images->tags, repository) : &images->catalog;

	*out = listing;
	return listing && listing->names &&
		       listing->cached.loaded != CACHED_STALE &&
		       listing->cached.loaded != listing->kept
		   ? names_get(listing->names)
		   : NULL;
}

static void keep_list(struct images *images, const char *repository)
{
	const struct seen seen = seen_of(images);
	CLEANUP(names_put_p) struct names *names = NULL, *again = NULL;
	struct listing *listing;
	uint64_t hash;
	bool keep = false;

	if (!is_kept(images))
		return;
	monitor_enter(&images->monitor);
	names = unkept(images, repository, &listing);
	monitor_leave(&images->monitor);
	if (!names)
		return;
	hash = hash_of(names);
	monitor_enter(&images->monitor);
	again = unkept(images, repository, &listing);
	if (again == names) {
		keep = listing->kept_hash != hash ||
		       listing->cached.loaded - listing->kept > KEEP_AGAIN;
		listing->kept_hash = hash;
	}
	if (keep)
		listing->kept = listing->cached.loaded;
	monitor_leave(&images->monitor);
	if (keep)
		seen_put_list(&seen, repository, names);
}

/* What the tag was just seen to name; NULL: nothing. */
static void keep_tag(struct images *images, const char *repository,
    const char *tag, const struct digest *digest)
{
	const struct seen seen = seen_of(images);
	AUTO_FREE char *key = strf("%s:%s", repository, tag);
	const struct digest now = digest ? *digest : (struct digest){0};
	struct resolution *resolution;
	bool keep = false;

	/* A digest names the same always. */
	if (!key || !is_kept(images) || strchr(tag, ':'))
		return;
	monitor_enter(&images->monitor);
	resolution = map_get(&images->resolved, key);
	/* That a name is no tag is kept where it was one. */
	if (resolution && resolution->kept)
		keep = !digest_equal(&resolution->kept_digest, &now) ||
		       resolution->asked - resolution->kept > KEEP_AGAIN;
	else if (resolution)
		keep = digest != NULL;
	if (keep) {
		resolution->kept = resolution->asked;
		resolution->kept_digest = now;
	}
	monitor_leave(&images->monitor);
	if (keep)
		seen_put_tag(&seen, repository, tag, digest);
}

/* What it comes to with what was recalled. Where that does not answer either,
 * the first failure says why the source is away. */
static int choose(int first, int again, struct err *failure,
    const struct err *other)
{
	if (again < 0 && again != -ENOENT)
		return first;
	*failure = *other;
	return again;
}

int images_catalog(struct images *images, struct names **out, struct err *err)
{
	struct err failure = ERR_INIT, other = ERR_INIT;
	int again, r = catalog_get(images, out, &failure);

	if (r < 0 && recall(images, "")) {
		again = catalog_get(images, out, &other);
		r = choose(r, again, &failure, &other);
	}
	if (r >= 0)
		keep_list(images, "");
	else
		*err = failure;
	return r;
}

int images_tags(struct images *images, const char *repository,
    struct names **out, struct err *err)
{
	struct err failure = ERR_INIT, other = ERR_INIT;
	int again, r = tags_get(images, repository, out, &failure);

	if (r < 0 && recall(images, repository)) {
		again = tags_get(images, repository, out, &other);
		r = choose(r, again, &failure, &other);
	}
	if (r >= 0)
		keep_list(images, repository);
	else
		*err = failure;
	return r;
}

int images_resolve(struct images *images, const char *repository,
    const char *tag, struct digest *out, struct err *err)
{
	struct err failure = ERR_INIT, other = ERR_INIT;
	int again, r = tag_resolve(images, repository, tag, out, &failure);

	if (r < 0 && recall(images, repository)) {
		again = tag_resolve(images, repository, tag, out, &other);
		r = choose(r, again, &failure, &other);
	}
	if (r >= 0 || r == -ENOENT)
		keep_tag(images, repository, tag, r < 0 ? NULL : out);
	if (r < 0)
		*err = failure;
	return r;
}

void images_tag_changed(struct images *images, const char *repository,
    const char *tag, const struct digest *digest)
{
	tag_changed(images, repository, tag, digest);
	keep_tag(images, repository, tag, digest);
}
