/* SPDX-License-Identifier: Apache-2.0 */
/* What is known of a registry's names: repositories, tags, what they name. */
#include "image/images.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/task.h"
#include "listing.h"
#include "sending.h"

struct images {
	struct registry *registry;
	struct store *store;
	struct layer_table *layers;
	struct sending *sending;
	struct images_options options;
	struct monitor monitor;
	struct listing catalog; /* under monitor, as all that follows */
	bool unlisted;          /* the registry would not list */
	struct map found;       /* repositories that answered to their name */
	struct map gone;        /* those that lost their last tag here */
	struct map tags;        /* repository → struct listing */
	struct map resolved;    /* "repository:tag" → struct resolution */
};

int images_new(struct registry *registry, struct store *store,
    const struct images_options *options, struct images **out, struct err *err)
{
	CLEANUP(images_free_p)
	struct images *images = calloc(1, sizeof(*images));
	int r;

	if (!images)
		return err_nomem(err);
	images->registry = registry;
	images->store = store;
	images->options = *options;
	monitor_init(&images->monitor);
	images->sending = sending_new(err);
	if (!images->sending)
		return -err->code;
	r = layer_table_new(store, &images->layers, err);
	if (r == 0)
		*out = steal(&images);
	return r;
}

void images_free(struct images *images)
{
	layer_table_free(images->layers);
	sending_free(images->sending);
	names_put(images->catalog.names);
	map_release(&images->found);
	map_release(&images->gone);
	listings_release(&images->tags);
	resolutions_release(&images->resolved);
	monitor_release(&images->monitor);
	free(images);
}

struct registry *images_registry(struct images *images)
{
	return images->registry;
}

struct store *images_store(struct images *images)
{
	return images->store;
}

struct layer_table *images_layers(struct images *images)
{
	return images->layers;
}

struct sending *images_sending(struct images *images)
{
	return images->sending;
}

const struct images_options *images_options(const struct images *images)
{
	return &images->options;
}

/* Names on their way into a list. */
struct reading {
	struct names_builder *builder;
	struct images *images; /* NULL: of tags */
};

static bool is_gone(struct images *images, const char *repository)
{
	bool gone;

	monitor_enter(&images->monitor);
	gone = map_get(&images->gone, repository) != NULL;
	monitor_leave(&images->monitor);
	return gone;
}

static int add_name(void *arg, const char *name, struct err *err)
{
	const struct reading *reading = arg;

	if (reading->images && is_gone(reading->images, name))
		return 0;
	return names_builder_add(reading->builder, name, err);
}

/* Makes the catalog's list of `listed` (may be NULL) and all found names.
 * Inside the monitor. */
static int catalog_merge(struct images *images, struct names_builder *listed,
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
	r = names_builder_take(steal(&builder), &names, err);
	if (r < 0)
		return r;
	names_put(images->catalog.names);
	images->catalog.names = names;
	return 0;
}

/* Remembers that the repository is there. Inside the monitor. */
static void catalog_found(struct images *images, const char *repository)
{
	CLEANUP(names_builder_free_p) struct names_builder *builder = NULL;
	struct names *listed = images->catalog.names;
	struct err err = ERR_INIT;

	if (map_del(&images->gone, repository))
		images->catalog.loaded = INT64_MIN / 2;
	if (map_get(&images->found, repository))
		return;
	if (map_put(&images->found, repository, images) < 0)
		return;
	if (!listed || names_has(listed, repository))
		return;
	builder = names_builder_new(&err);
	for (size_t i = 0; builder && i < names_count(listed); i++) {
		if (names_builder_add(builder, names_at(listed, i), &err) < 0)
			return; /* it is listed with the next load */
	}
	if (builder)
		catalog_merge(images, steal(&builder), &err);
}

/* Waits while another thread loads. 0 to load (loading is then set), 1 when
 * fresh, -EINTR. Inside the monitor. */
static int listing_begin(struct images *images, struct listing *listing,
    struct err *err)
{
	while (listing->loading) {
		if (monitor_wait(&images->monitor) < 0)
			return err_set(err, EINTR, "interrupted");
	}
	if (listing_fresh(listing, clock_seconds(), images->options.tag_ttl))
		return 1;
	listing->loading = true;
	return 0;
}

static void listing_end(struct images *images, struct listing *listing, int r)
{
	listing->loading = false;
	if (r >= 0 || listing->missing)
		listing->loaded = clock_seconds();
	monitor_notify(&images->monitor);
}

/* Reads the tags of a repository, or for NULL all repositories. A list that
 * breaks off in the middle is read once more. */
static int names_read(struct images *images, const char *repository,
    struct names_builder **out, struct err *err)
{
	int r = -ECONNRESET;

	for (int tries = 0; tries < 2 && r == -ECONNRESET; tries++) {
		CLEANUP(names_builder_free_p)
		struct names_builder *builder = names_builder_new(err);

		struct reading reading = {builder, repository ? NULL : images};

		if (!builder)
			return -err->code;
		r = repository ? registry_tags(images->registry, repository,
				     add_name, &reading, err)
			       : registry_catalog(images->registry, add_name,
				     &reading, err);
		if (r >= 0)
			*out = steal(&builder);
	}
	return r;
}

static int catalog_load(struct images *images, struct err *err)
{
	CLEANUP(names_builder_free_p) struct names_builder *builder = NULL;
	struct err none = ERR_INIT;
	int r = names_read(images, NULL, &builder, err);

	monitor_enter(&images->monitor);
	images->unlisted = r == -EOPNOTSUPP || r == -EACCES;
	if (r == -EOPNOTSUPP)
		r = catalog_merge(images, NULL, err);
	else if (r == -EACCES)
		/* Names below may be open to other credentials. */
		catalog_merge(images, NULL, &none);
	else if (r >= 0)
		r = catalog_merge(images, steal(&builder), err);
	listing_end(images, &images->catalog, r);
	monitor_leave(&images->monitor);
	return r;
}

int images_catalog(struct images *images, struct names **out, struct err *err)
{
	int r;

	monitor_enter(&images->monitor);
	r = listing_begin(images, &images->catalog, err);
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
		struct err err = ERR_INIT;

		catalog_merge(images, NULL, &err);
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
	struct err err = ERR_INIT;

	map_put(&images->gone, repository, images);
	map_del(&images->found, repository);
	builder = names_builder_new(&err);
	for (size_t i = 0; builder && listed && i < names_count(listed); i++) {
		const char *name = names_at(listed, i);

		if (strcmp(name, repository) != 0 &&
		    names_builder_add(builder, name, &err) < 0)
			return;
	}
	if (builder)
		catalog_merge(images, steal(&builder), &err);
}

void images_forget(struct images *images, const char *repository)
{
	monitor_enter(&images->monitor);
	forget(images, repository);
	monitor_leave(&images->monitor);
}

bool images_listable(struct images *images)
{
	bool listable;

	monitor_enter(&images->monitor);
	listable = !images->unlisted;
	monitor_leave(&images->monitor);
	return listable;
}

bool images_found(struct images *images, const char *repository)
{
	bool found;

	monitor_enter(&images->monitor);
	found = map_get(&images->found, repository) != NULL;
	monitor_leave(&images->monitor);
	return found;
}

static int tags_load(struct images *images, const char *repository,
    struct listing *listing, struct err *err)
{
	CLEANUP(names_builder_free_p) struct names_builder *builder = NULL;
	struct names *names = NULL;
	int r = names_read(images, repository, &builder, err);

	if (r >= 0)
		r = names_builder_take(steal(&builder), &names, err);
	monitor_enter(&images->monitor);
	if (r >= 0 && names_count(names) == 0 &&
	    map_get(&images->gone, repository)) {
		names_put(steal(&names));
		r = err_set(err, ENOENT, "%s: no tags any more", repository);
	}
	listing->missing = r == -ENOENT;
	if (r >= 0 || listing->missing) {
		names_put(listing->names);
		listing->names = names;
	}
	if (r >= 0)
		catalog_found(images, repository);
	listing_end(images, listing, r);
	monitor_leave(&images->monitor);
	return r;
}

int images_tags(struct images *images, const char *repository,
    struct names **out, struct err *err)
{
	struct listing *listing;
	int r;

	monitor_enter(&images->monitor);
	listings_purge(&images->tags, clock_seconds(), images->options.tag_ttl);
	listing = listings_get(&images->tags, repository);
	if (!listing) {
		monitor_leave(&images->monitor);
		return err_nomem(err);
	}
	listing->users++;
	r = listing_begin(images, listing, err);
	monitor_leave(&images->monitor);
	if (r == 0)
		r = tags_load(images, repository, listing, err);
	monitor_enter(&images->monitor);
	if (r == 1 && listing->missing)
		r = err_set(err, ENOENT, "%s: no such repository", repository);
	if (r >= 0)
		*out = names_get(listing->names);
	listing->users--;
	monitor_leave(&images->monitor);
	return r < 0 ? r : 0;
}

struct names *images_tags_cached(struct images *images, const char *repository)
{
	const struct listing *listing;
	struct names *names = NULL;

	monitor_enter(&images->monitor);
	listing = map_get(&images->tags, repository);
	if (listing && listing->names &&
	    listing_fresh(listing, clock_seconds(), images->options.tag_ttl))
		names = names_get(listing->names);
	monitor_leave(&images->monitor);
	return names;
}

/* Keeps what a tag names; NULL: that it names nothing. Inside the monitor. */
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
	resolution->digest = digest ? *digest : (struct digest){0};
	resolution->asked = clock_seconds();
}

/* 1 with *out, 0 not known, -ENOENT known not to be there. */
static int resolution_find(struct images *images, const char *key,
    struct digest *out)
{
	const struct resolution *resolution;
	int64_t now = clock_seconds();
	int r = 0;

	monitor_enter(&images->monitor);
	resolutions_purge(&images->resolved, now, images->options.tag_ttl);
	resolution = map_get(&images->resolved, key);
	if (resolution &&
	    now - resolution->asked < (int64_t)images->options.tag_ttl) {
		*out = resolution->digest;
		r = digest_is_set(out) ? 1 : -ENOENT;
	}
	monitor_leave(&images->monitor);
	return r;
}

int images_resolve(struct images *images, const char *repository,
    const char *tag, struct digest *out, struct err *err)
{
	AUTO_FREE char *key = file_path("%s:%s", repository, tag);
	struct registry_manifest head = {0};
	int r;

	if (!key)
		return err_nomem(err);
	r = resolution_find(images, key, out);
	if (r == 1)
		return 0;
	if (r == -ENOENT)
		return err_set(err, ENOENT, "%s: no such tag", key);
	r = registry_manifest_head(images->registry, repository, tag, &head,
	    err);
	buf_release(&head.body);
	if (r < 0 && r != -ENOENT)
		return r;
	monitor_enter(&images->monitor);
	resolution_keep(images, key, r < 0 ? NULL : &head.digest);
	if (r >= 0)
		catalog_found(images, repository);
	monitor_leave(&images->monitor);
	if (r >= 0)
		*out = head.digest;
	return r;
}

void images_tag_changed(struct images *images, const char *repository,
    const char *tag, const struct digest *digest)
{
	AUTO_FREE char *key = file_path("%s:%s", repository, tag);
	struct listing *listing;

	if (!key)
		return; /* what is kept ends by itself soon */
	monitor_enter(&images->monitor);
	resolution_keep(images, key, digest);
	if (digest)
		catalog_found(images, repository);
	listing = map_get(&images->tags, repository);
	if (listing)
		listing->loaded = INT64_MIN / 2;
	monitor_leave(&images->monitor);
}
