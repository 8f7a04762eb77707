/* SPDX-License-Identifier: Apache-2.0 */
/* The repositories of a registry, as far as they are known. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "images_state.h"

/* Names on their way into a list. */
struct reading {
	struct names_builder *builder;
	struct images *images; /* NULL: of tags */
};

static int add_name(void *arg, const char *name, struct err *err)
{
	const struct reading *reading = arg;

	if (reading->images && images_gone(reading->images, name))
		return 0;
	return names_builder_add(reading->builder, name, err);
}

/* Adds what namespaces have listed. Inside the monitor. */
static int add_below(struct images *images, struct names_builder *builder,
    struct err *err)
{
	map_foreach (&images->below, slot) {
		const struct names *names =
		    ((struct listing *)slot->value)->names;

		for (size_t i = 0; names && i < names_count(names); i++) {
			const char *name = names_at(names, i);

			if (!map_get(&images->gone, name) &&
			    names_builder_add(builder, name, err) < 0)
				return -err->code;
		}
	}
	return 0;
}

/* Inside the monitor. */
static int add_remembered(struct images *images, struct names_builder *builder,
    struct err *err)
{
	int r = 0;

	map_foreach (&images->remembered.names, slot)
		if (r == 0 && !map_get(&images->gone, slot->key))
			r = names_builder_add(builder, slot->key, err);
	return r;
}

int catalog_merge(struct images *images, struct names_builder *listed,
    struct err *err)
{
	CLEANUP(names_builder_free_p) struct names_builder *builder = listed;
	struct names *names = NULL;
	int r = 0;

	if (!builder && !(builder = names_builder_new(err)))
		return -err->code;
	map_foreach (&images->found, slot) {
		r = names_builder_add(builder, slot->key, err);
		if (r < 0)
			return r;
	}
	if (images->unlisted)
		r = add_remembered(images, builder, err);
	if (r == 0)
		r = add_below(images, builder, err);
	if (r == 0)
		r = names_builder_take(steal(&builder), &names, err);
	if (r < 0)
		return r;
	names_put(images->catalog.names);
	images->catalog.names = names;
	return 0;
}

void catalog_found(struct images *images, const char *repository)
{
	CLEANUP(names_builder_free_p) struct names_builder *builder = NULL;
	struct names *listed = images->catalog.names;

	remembered_add(images, repository);
	if (map_del(&images->gone, repository))
		images->catalog.cached.loaded = CACHED_STALE;
	if (map_get(&images->found, repository))
		return;
	if (map_put(&images->found, repository, images) < 0)
		return;
	if (!listed || names_has(listed, repository))
		return;
	builder = names_builder_new(ERR_IGNORE);
	for (size_t i = 0; builder && i < names_count(listed); i++) {
		if (names_builder_add(builder, names_at(listed, i),
			ERR_IGNORE) < 0)
			return; /* it is listed with the next load */
	}
	if (builder)
		catalog_merge(images, steal(&builder), ERR_IGNORE);
}

static bool is_current(struct images *images, const struct listing *listing)
{
	return listing_fresh(listing, clock_seconds(),
		   images->options.tag_ttl) ||
	       (listing->names && away_shows_old(images));
}

int listing_begin(struct images *images, struct listing *listing,
    struct err *err)
{
	struct turn *turn = &listing->cached.turn;
	struct err failure = ERR_INIT;
	bool waited = turn->taken;
	int r = turn_wait(turn, &images->monitor, &failure);

	if (r != -EINTR && listing->names && !waited)
		away_look(images);
	if (r != -EINTR && is_current(images, listing))
		return 1;
	if (r < 0) {
		*err = failure;
		return r;
	}
	/* Another thread has come while away_look() waited. */
	if (turn->taken)
		return listing_begin(images, listing, err);
	turn_take(turn, images->changes);
	return 0;
}

void listing_end(struct images *images, struct listing *listing, int r,
    const struct err *err)
{
	struct cached *cached = &listing->cached;

	if (r >= 0 || r == -ENOENT)
		cached_loaded(cached, images->changes);
	turn_end(&cached->turn, &images->monitor, r < 0 ? err : NULL);
}

int names_read(struct images *images, const char *repository,
    struct names_builder **out, struct err *err)
{
	int r = away_refuse(images, err);

	if (r < 0)
		return r;
	r = -ECONNRESET;
	for (int tries = 0; tries < 2 && r == -ECONNRESET; tries++) {
		CLEANUP(names_builder_free_p)
		struct names_builder *builder = names_builder_new(err);

		struct reading reading = {builder, repository ? NULL : images};

		if (!builder)
			return -err->code;
		r = repository ? source_tags(images->source, repository,
				     add_name, &reading, err)
			       : source_repositories(images->source, add_name,
				     &reading, err);
		if (r >= 0)
			*out = steal(&builder);
	}
	away_note(images, r, err);
	return r;
}

/* Whether there is no list for us. What was listed once stays as it was where
 * no list comes for another reason. Inside the monitor. */
static bool is_closed(const struct images *images, int r, const struct err *err)
{
	return images_only_listing_failed(r, err) &&
	       (!images->listed || r == -EACCES || r == -EPROTONOSUPPORT);
}

static int catalog_load(struct images *images, struct err *err)
{
	CLEANUP(names_builder_free_p) struct names_builder *builder = NULL;
	int r = names_read(images, NULL, &builder, err);
	bool is_news;

	remembered_read(images);
	monitor_enter(&images->monitor);
	is_news = r == -EOPNOTSUPP && !images->unlisted;
	/* What has listed its names does not lose them by a gateway's 404. */
	if (images->listed &&
	    (r == -EPROTONOSUPPORT || (r == -EOPNOTSUPP && err->http == 404))) {
		err->code = EIO;
		r = -EIO;
	}
	images->listed |= r >= 0;
	images->unlisted =
	    r == 1 || r == -EOPNOTSUPP || is_closed(images, r, err);
	map_foreach (&images->found, slot)
		remembered_add(images, slot->key);
	if (r == -EOPNOTSUPP)
		r = catalog_merge(images, NULL, err);
	else if (is_closed(images, r, err))
		/* Names below may be open to other credentials. */
		catalog_merge(images, NULL, ERR_IGNORE);
	else if (r >= 0)
		r = catalog_merge(images, steal(&builder), err);
	listing_end(images, &images->catalog, r, err);
	if (r < 0 && images->listed && images->catalog.names &&
	    away_shows_old(images))
		r = 1;
	monitor_leave(&images->monitor);
	remembered_save(images);
	if (is_news)
		log_info("%s does not list its repositories: name one to see "
			 "it, as in ls REPOSITORY; it is listed from then on "
			 "(or see the option list)",
		    source_name(images->source));
	return r;
}

bool images_only_listing_failed(int r, const struct err *err)
{
	return r == -EACCES || r == -EPROTONOSUPPORT ||
	       (r < 0 && err->http != 0);
}

int catalog_get(struct images *images, struct names **out, struct err *err)
{
	const struct err *failure = &images->catalog.cached.turn.failure;
	int r;

	monitor_enter(&images->monitor);
	r = listing_begin(images, &images->catalog, err);
	/* What was found by name is no list. */
	if (r == 1 && !images->listed && failure->code) {
		*err = *failure;
		r = -err->code;
	}
	monitor_leave(&images->monitor);
	if (r == 0)
		r = catalog_load(images, err);
	if (r < 0)
		return r;
	*out = images_catalog_cached(images);
	return 0;
}

struct names *images_catalog_cached(struct images *images)
{
	struct names *names = NULL;

	monitor_enter(&images->monitor);
	if (!images->catalog.names && images->found.count) {
		catalog_merge(images, NULL, ERR_IGNORE);
	}
	if (images->catalog.names)
		names = names_get(images->catalog.names);
	monitor_leave(&images->monitor);
	return names;
}

/* Inside the monitor. */
static void forget(struct images *images, const char *repository)
{
	CLEANUP(names_builder_free_p) struct names_builder *builder = NULL;
	const struct names *listed = images->catalog.names;
	struct listing *tags = map_get(&images->tags, repository);

	if (tags)
		tags->cached.loaded = CACHED_STALE;
	map_put(&images->gone, repository, images);
	map_del(&images->found, repository);
	remembered_forget(images, repository);
	builder = names_builder_new(ERR_IGNORE);
	for (size_t i = 0; builder && listed && i < names_count(listed); i++) {
		const char *name = names_at(listed, i);

		if (strcmp(name, repository) != 0 &&
		    names_builder_add(builder, name, ERR_IGNORE) < 0)
			return;
	}
	if (builder)
		catalog_merge(images, steal(&builder), ERR_IGNORE);
}

void images_forget(struct images *images, const char *repository)
{
	monitor_enter(&images->monitor);
	forget(images, repository);
	monitor_leave(&images->monitor);
	remembered_save(images);
}

bool images_listable(struct images *images)
{
	bool listable;

	monitor_enter(&images->monitor);
	listable = !images->unlisted && !images->pulls_through;
	monitor_leave(&images->monitor);
	return listable;
}

bool images_pulls_through(struct images *images, const char *repository)
{
	bool asked, pulls_through = false;
	int r;

	monitor_enter(&images->monitor);
	asked = images->asked_through;
	pulls_through = images->pulls_through;
	monitor_leave(&images->monitor);
	if (asked)
		return pulls_through;
	r = source_pulls_through(images->source, repository, ERR_IGNORE);
	if (r < 0)
		return false;
	monitor_enter(&images->monitor);
	images->asked_through = true;
	images->pulls_through = r == 1;
	monitor_leave(&images->monitor);
	return r == 1;
}

bool images_found(struct images *images, const char *repository)
{
	bool found;

	monitor_enter(&images->monitor);
	found = map_get(&images->found, repository) != NULL;
	monitor_leave(&images->monitor);
	return found;
}

/* Inside the monitor. */
static int add_used(struct images *images, struct names_builder *repositories,
    struct names_builder *tags, struct err *err)
{
	int r = 0;

	map_foreach (&images->found, slot) {
		r = names_builder_add(repositories, slot->key, err);
		if (r < 0)
			return r;
	}
	map_foreach (&images->resolved, slot) {
		const struct resolution *resolution = slot->value;

		/* Of a digest's text, the colon is the second. */
		if (!digest_is_set(&resolution->digest) ||
		    strchr(slot->key, ':') != strrchr(slot->key, ':'))
			continue;
		r = names_builder_add(tags, slot->key, err);
		if (r < 0)
			return r;
	}
	return r;
}

int images_used(struct images *images, struct names **repositories,
    struct names **tags, struct err *err)
{
	CLEANUP(names_builder_free_p)
	struct names_builder *some = names_builder_new(err);
	CLEANUP(names_builder_free_p)
	struct names_builder *more = names_builder_new(err);
	int r;

	if (!some || !more)
		return -err->code;
	monitor_enter(&images->monitor);
	r = add_used(images, some, more, err);
	monitor_leave(&images->monitor);
	if (r == 0)
		r = names_builder_take(steal(&some), repositories, err);
	if (r == 0)
		r = names_builder_take(steal(&more), tags, err);
	return r;
}

bool images_gone(struct images *images, const char *repository)
{
	bool gone;

	monitor_enter(&images->monitor);
	gone = map_get(&images->gone, repository) != NULL;
	monitor_leave(&images->monitor);
	return gone;
}
