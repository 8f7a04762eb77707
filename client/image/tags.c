/* SPDX-License-Identifier: Apache-2.0 */
/* What is known of tags: which a repository has, what they name. */
#include <errno.h>
#include <stdlib.h>

#include "base/file.h"
#include "images_state.h"

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
