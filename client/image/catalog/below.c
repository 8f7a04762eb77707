/* SPDX-License-Identifier: Apache-2.0 */
/* The repositories of a namespace, where a source lists those and not all. */
#include <errno.h>
#include <string.h>

#include "base/clock.h"
#include "images_state.h"

static bool is_below(const char *name, const char *prefix)
{
	size_t len = strlen(prefix);

	return strncmp(name, prefix, len) == 0 &&
	       (name[len] == '/' || name[len] == '\0');
}

static int add_name(void *arg, const char *name, struct err *err)
{
	return names_builder_add(arg, name, err);
}

static int read_names(struct images *images, const char *prefix,
    struct names **out, struct err *err)
{
	CLEANUP(names_builder_free_p)
	struct names_builder *builder = names_builder_new(err);
	int r;

	if (!builder)
		return -err->code;
	r = source_repositories_below(images->source, prefix, add_name, builder,
	    err);
	return r < 0 ? r : names_builder_take(steal(&builder), out, err);
}

/* What was listed below the prefix before is not there any more, unless it is
 * so again. Inside the monitor. */
static int replace(struct images *images, const char *prefix, struct err *err)
{
	CLEANUP(names_builder_free_p)
	struct names_builder *builder = names_builder_new(err);
	const struct names *before = images->catalog.names;

	if (!builder)
		return -err->code;
	for (size_t i = 0; before && i < names_count(before); i++) {
		const char *name = names_at(before, i);

		if (!is_below(name, prefix) &&
		    names_builder_add(builder, name, err) < 0)
			return -err->code;
	}
	return catalog_merge(images, steal(&builder), err);
}

/* A source that cannot be asked so is not asked again for a while. */
static int load(struct images *images, const char *prefix,
    struct listing *listing, struct err *err)
{
	struct names *names = NULL;
	int r = read_names(images, prefix, &names, err);

	monitor_enter(&images->monitor);
	if (r >= 0 || r == -EOPNOTSUPP) {
		/* Else what is known below it is another list's. */
		bool is_news = names || listing->names;

		names_put(listing->names);
		listing->names = names;
		listing->missing = !names;
		r = is_news ? replace(images, prefix, err) : 0;
	}
	listing_end(images, listing, r, err);
	monitor_leave(&images->monitor);
	return r;
}

int images_below(struct images *images, const char *prefix, struct err *err)
{
	struct listing *listing;
	int r;

	monitor_enter(&images->monitor);
	if (!images->unlisted) {
		monitor_leave(&images->monitor);
		return 0;
	}
	listings_purge(&images->below, clock_seconds(),
	    images->options.tag_ttl);
	listing = listings_get(&images->below, prefix);
	if (!listing) {
		monitor_leave(&images->monitor);
		return err_nomem(err);
	}
	listing->cached.users++;
	r = listing_begin(images, listing, err);
	monitor_leave(&images->monitor);
	if (r == 0)
		r = load(images, prefix, listing, err);
	monitor_enter(&images->monitor);
	listing->cached.users--;
	if (r >= 0)
		r = listing->names != NULL;
	monitor_leave(&images->monitor);
	return r;
}
