/* SPDX-License-Identifier: Apache-2.0 */
/* What is known of tags: which a repository has, what they name. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/strf.h"
#include "images_state.h"
#include "tag_change.h"

/* What is known of a tag. What was said when it was asked for goes before a
 * list; a list that says otherwise later corrects it. Inside the monitor. */
static struct tag_state tag_state(struct images *images, const char *repository,
    const char *tag, const char *key)
{
	const struct resolution *resolution = map_get(&images->resolved, key);
	const struct listing *listing = map_get(&images->tags, repository);
	bool there;

	if (resolution)
		return (struct tag_state){digest_is_set(&resolution->digest)
					      ? TAG_PRESENT
					      : TAG_ABSENT,
		    resolution->digest};
	if (!listing || (!listing->names && !listing->missing))
		return (struct tag_state){TAG_UNKNOWN, {0}};
	there = listing->names && names_has(listing->names, tag);
	return (struct tag_state){there ? TAG_PRESENT : TAG_ABSENT, {0}};
}

/* A new list has the tag, or lacks it, and the one before did not. Inside the
 * monitor, which has the old list. */
static void listed_otherwise(struct images *images, const char *repository,
    const char *tag, bool there)
{
	AUTO_FREE char *key = strf("%s:%s", repository, tag);
	struct tag_change change = {.registry = source_name(images->source),
	    .repository = repository,
	    .tag = tag,
	    .now.presence = there ? TAG_PRESENT : TAG_ABSENT};

	if (!key)
		return;
	change.before = tag_state(images, repository, tag, key);
	if (change.before.presence == change.now.presence)
		return;
	if (tag_change_note(images->shared->journal, &change))
		tag_times_note(&images->times, key);
	free(map_del(&images->resolved, key));
}

/* Inside the monitor. */
static void listing_replace(struct images *images, const char *repository,
    struct listing *listing, struct names *names,
    const struct names_difference *difference)
{
	const struct names *added = difference->added;
	const struct names *gone = difference->gone;

	for (size_t i = 0; added && i < names_count(added); i++)
		listed_otherwise(images, repository, names_at(added, i), true);
	for (size_t i = 0; gone && i < names_count(gone); i++)
		listed_otherwise(images, repository, names_at(gone, i), false);
	names_put(listing->names);
	listing->names = names;
	listing->missing = !names;
}

/* Whether the repository was listed, or found by one of its names. */
static bool is_known(struct images *images, const char *repository)
{
	CLEANUP(names_put_p)
	struct names *catalog = images_catalog_cached(images);

	return (catalog && names_has(catalog, repository)) ||
	       images_found(images, repository);
}

/*
 * As names_read(), of tags. A gateway's 404 says that a repository is absent
 * where nothing else is known of it, and is an error where it was seen. Some
 * registries answer to any name with a list of no tags.
 */
static int tags_read(struct images *images, const char *repository,
    struct names **out, bool *denied, struct err *err)
{
	CLEANUP(names_builder_free_p) struct names_builder *builder = NULL;
	int r = names_read(images, repository, &builder, err);

	*denied = r == -ENOENT;
	if (r == -EIO && err->http == 404 && !is_known(images, repository)) {
		err->code = ENOENT;
		r = -ENOENT;
	}
	if (r >= 0)
		r = names_builder_take(steal(&builder), out, err);
	if (r < 0 || names_count(*out) > 0)
		return r;
	if (is_known(images, repository) && !images_gone(images, repository))
		return 0;
	names_put(steal(out));
	return err_set(err, ENOENT, "%s has no tags", repository);
}

/* What a new list has more is asked for, so that its event says what it names.
 */
static void look_at_added(struct images *images, const char *repository,
    const struct names *added, unsigned *requests)
{
	for (size_t i = 0; added && *requests > 0 && i < names_count(added);
	     i++, --*requests)
		images_look_tag(images, repository, names_at(added, i), false,
		    ERR_IGNORE);
}

/* requests: for look_at_added(). */
static int tags_load(struct images *images, const char *repository,
    struct listing *listing, unsigned *requests, struct err *err)
{
	CLEANUP(names_difference_release)
	struct names_difference difference = {NULL, NULL};
	struct names *names = NULL;
	bool denied;
	int r = tags_read(images, repository, &names, &denied, err);

	/* Only who loads changes the list that there is. */
	if ((listing->names || listing->missing) && (r >= 0 || r == -ENOENT))
		names_differ(listing->names, names, &difference, ERR_IGNORE);
	look_at_added(images, repository, difference.added, requests);
	monitor_enter(&images->monitor);
	if (r >= 0 || r == -ENOENT)
		listing_replace(images, repository, listing, names,
		    &difference);
	listing->denied = denied;
	if (r >= 0)
		catalog_found(images, repository);
	else if (r == -ENOENT)
		remembered_forget(images, repository);
	listing_end(images, listing, r, err);
	if (r < 0 && listing->names && away_shows_old(images))
		r = 1;
	monitor_leave(&images->monitor);
	remembered_save(images);
	journal_flush(images->shared->journal);
	return r;
}

/* The list: one that is young, or (requests not NULL: images_look_tags()) a
 * new one. */
static int tags_list(struct images *images, const char *repository,
    unsigned *requests, struct names **out, struct err *err)
{
	struct listing *listing;
	unsigned none = 0;
	int r;

	monitor_enter(&images->monitor);
	listings_purge(&images->tags, clock_seconds(), images->options.tag_ttl);
	listing = listings_get(&images->tags, repository);
	if (!listing) {
		monitor_leave(&images->monitor);
		return err_nomem(err);
	}
	listing->cached.users++;
	if (requests)
		listing->cached.loaded = CACHED_STALE;
	r = listing_begin(images, listing, err);
	monitor_leave(&images->monitor);
	if (r == 0)
		r = tags_load(images, repository, listing,
		    requests ? requests : &none, err);
	monitor_enter(&images->monitor);
	if (r == 1 && listing->missing)
		r = err_set(err, ENOENT, "%s: no such repository", repository);
	if (r >= 0)
		*out = names_get(listing->names);
	listing->cached.users--;
	monitor_leave(&images->monitor);
	return r < 0 ? r : 0;
}

int tags_get(struct images *images, const char *repository, struct names **out,
    struct err *err)
{
	return tags_list(images, repository, NULL, out, err);
}

int images_look_tags(struct images *images, const char *repository,
    unsigned *requests, struct err *err)
{
	CLEANUP(names_put_p) struct names *tags = NULL;

	*requests -= *requests > 0;
	return tags_list(images, repository, requests, &tags, err);
}

bool images_denied(struct images *images, const char *repository)
{
	CLEANUP(names_put_p) struct names *tags = NULL;
	const struct listing *listing;
	bool denied;

	if (tags_get(images, repository, &tags, ERR_IGNORE) != -ENOENT)
		return false;
	monitor_enter(&images->monitor);
	listing = map_get(&images->tags, repository);
	denied = listing && listing->missing && listing->denied;
	monitor_leave(&images->monitor);
	return denied;
}

struct names *images_tags_cached(struct images *images, const char *repository)
{
	const struct listing *listing;
	struct names *names = NULL;

	monitor_enter(&images->monitor);
	listing = map_get(&images->tags, repository);
	if (listing && listing->names &&
	    (listing_fresh(listing, clock_seconds(), images->options.tag_ttl) ||
		away_known(images)))
		names = names_get(listing->names);
	monitor_leave(&images->monitor);
	return names;
}

/* Keeps what a tag names; unset: that it names nothing. Inside the monitor. */
static void resolution_keep(struct images *images, const char *key,
    const struct digest *digest)
{
	struct resolution *resolution = map_get(&images->resolved, key);

	if (!resolution) {
		resolution = calloc(1, sizeof(*resolution));
		if (!resolution)
			return;
		if (map_put(&images->resolved, key, resolution) < 0) {
			free(resolution);
			return;
		}
	}
	resolution->digest = *digest;
	resolution->asked = clock_seconds();
}

/* Who says what a tag names. */
enum keep_why { KEEP_SEEN, KEEP_HINTED, KEEP_OURS };

/* The same, and notes what has changed. digest: NULL for none. Inside the
 * monitor. */
static void tag_keep(struct images *images, const char *repository,
    const char *tag, const char *key, const struct digest *digest,
    enum keep_why why)
{
	struct tag_change change = {.registry = source_name(images->source),
	    .repository = repository,
	    .tag = tag,
	    .before = tag_state(images, repository, tag, key),
	    .now = {digest ? TAG_PRESENT : TAG_ABSENT,
		digest ? *digest : (struct digest){0}},
	    .ours = why == KEEP_OURS,
	    .hinted = why == KEEP_HINTED};

	resolution_keep(images, key, &change.now.digest);
	/* A digest is asked about as tags are, and is not a tag. */
	if (!strchr(tag, ':') &&
	    tag_change_note(images->shared->journal, &change))
		tag_times_note(&images->times, key);
	if (digest)
		catalog_found(images, repository);
}

/* 1 with *out, -ENOENT known not to be there; 0 not known, and *changes is how
 * many there were. */
static int resolution_find(struct images *images, const char *key,
    struct digest *out, unsigned *changes)
{
	const struct resolution *resolution;
	int64_t now = clock_seconds();
	int r = 0;

	monitor_enter(&images->monitor);
	*changes = images->changes;
	if (!images->away.unreachable &&
	    resolutions_purge(&images->resolved, now, images->options.tag_ttl))
		tag_times_forget(&images->times);
	resolution = map_get(&images->resolved, key);
	if (resolution &&
	    now - resolution->asked < (int64_t)images->options.tag_ttl) {
		*out = resolution->digest;
		r = digest_is_set(out) ? 1 : -ENOENT;
	}
	monitor_leave(&images->monitor);
	return r;
}

/* Whether it is the text of a digest, of a manifest that is kept. */
static bool is_kept(struct images *images, const char *text, struct digest *out)
{
	AUTO_BUF struct buf data = BUF_INIT(MANIFEST_MAX_BYTES);

	return strchr(text, ':') && digest_parse(out, text, ERR_IGNORE) == 0 &&
	       store_load(images->shared->store, out, &data, ERR_IGNORE) == 1;
}

/* Whether the registry is away, and what the tag was last seen to name. What a
 * digest names needs nobody to say it. */
static bool last_seen(struct images *images, const char *tag, const char *key,
    struct digest *out)
{
	const struct resolution *resolution;
	bool away, seen = false;

	monitor_enter(&images->monitor);
	away_look(images);
	away = images->away.unreachable;
	resolution = map_get(&images->resolved, key);
	if (away_shows_old(images) && resolution) {
		*out = resolution->digest;
		seen = digest_is_set(out);
	}
	monitor_leave(&images->monitor);
	return seen || (away && is_kept(images, tag, out));
}

static bool was_seen(struct images *images, const char *repository,
    const char *tag, const char *key)
{
	bool seen;

	monitor_enter(&images->monitor);
	seen = tag_state(images, repository, tag, key).presence == TAG_PRESENT;
	monitor_leave(&images->monitor);
	return seen;
}

/* Whether the list, which can be new, does not have the tag any more. */
static bool is_unlisted(struct images *images, const char *repository,
    const char *tag)
{
	CLEANUP(names_put_p) struct names *tags = NULL;

	return tags_get(images, repository, &tags, ERR_IGNORE) == 0 &&
	       !names_has(tags, tag);
}

/*
 * What a tag names, by a HEAD. Only a GET has the body that tells whose word a
 * 404 is: it is asked where the tag was seen. Of a 404 that is a gateway's, the
 * list of tags has the last word.
 */
static int ask(struct images *images, const char *repository, const char *tag,
    const char *key, struct digest *out, struct err *err)
{
	struct source_manifest got;
	struct err missing = ERR_INIT;
	int r = source_manifest_head(images->source, repository, tag, out,
	    &missing);

	if (r == -ENOENT && was_seen(images, repository, tag, key)) {
		r = source_manifest_get(images->source, repository, tag, &got,
		    &missing);
		if (r == 0) {
			*out = got.digest;
			buf_release(&got.body);
		}
		if (r == -EIO && missing.http == 404 &&
		    is_unlisted(images, repository, tag)) {
			missing.code = ENOENT;
			r = -ENOENT;
		}
	}
	if (r < 0)
		*err = missing;
	return r;
}

/* Asks what the tag names now, and keeps that unless it was changed here
 * meanwhile. -ENOENT: there is no such tag. */
static int tag_ask(struct images *images, const char *repository,
    const char *tag, const char *key, unsigned changes, enum keep_why why,
    struct digest *out, struct err *err)
{
	int r = away_refuse(images, err);

	if (r < 0)
		return r;
	r = ask(images, repository, tag, key, out, err);
	away_note(images, r, err);
	if (r < 0 && r != -ENOENT)
		return r;
	monitor_enter(&images->monitor);
	if (changes == images->changes)
		tag_keep(images, repository, tag, key, r < 0 ? NULL : out, why);
	monitor_leave(&images->monitor);
	remembered_save(images);
	journal_flush(images->shared->journal);
	return r;
}

int tag_resolve(struct images *images, const char *repository, const char *tag,
    struct digest *out, struct err *err)
{
	AUTO_FREE char *key = strf("%s:%s", repository, tag);
	struct digest now;
	struct err failure = ERR_INIT;
	unsigned changes;
	int r;

	if (!key)
		return err_nomem(err);
	r = resolution_find(images, key, out, &changes);
	if (r == 1)
		return 0;
	if (r == -ENOENT)
		return err_set(err, ENOENT, "%s: no such tag", key);
	if (last_seen(images, tag, key, out))
		return 0;
	r = tag_ask(images, repository, tag, key, changes, KEEP_SEEN, &now,
	    &failure);
	if (r < 0 && r != -ENOENT && last_seen(images, tag, key, out))
		return 0;
	if (r < 0)
		*err = failure;
	else
		*out = now;
	return r;
}

int images_look_tag(struct images *images, const char *repository,
    const char *tag, bool hinted, struct err *err)
{
	AUTO_FREE char *key = strf("%s:%s", repository, tag);
	struct digest now;
	unsigned changes;

	if (!key)
		return err_nomem(err);
	monitor_enter(&images->monitor);
	changes = images->changes;
	monitor_leave(&images->monitor);
	return tag_ask(images, repository, tag, key, changes,
	    hinted ? KEEP_HINTED : KEEP_SEEN, &now, err);
}

bool images_was_absent(struct images *images, const char *repository,
    const char *tag)
{
	AUTO_FREE char *key = strf("%s:%s", repository, tag);
	bool absent;

	if (!key)
		return false;
	monitor_enter(&images->monitor);
	away_look(images);
	absent = away_shows_old(images) &&
		 tag_state(images, repository, tag, key).presence == TAG_ABSENT;
	monitor_leave(&images->monitor);
	return absent;
}

void tag_changed(struct images *images, const char *repository, const char *tag,
    const struct digest *digest)
{
	AUTO_FREE char *key = strf("%s:%s", repository, tag);
	struct listing *listing;

	if (!key)
		return; /* what is kept ends by itself soon */
	monitor_enter(&images->monitor);
	images->changes++;
	tag_keep(images, repository, tag, key, digest, KEEP_OURS);
	listing = map_get(&images->tags, repository);
	if (listing)
		listing->cached.loaded = CACHED_STALE;
	monitor_leave(&images->monitor);
	remembered_save(images);
	journal_flush(images->shared->journal);
}
