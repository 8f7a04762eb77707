/* SPDX-License-Identifier: Apache-2.0 */
/* The entries of a namespace or repository. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "makers.h"
#include "node/key.h"
#include "oci/reference.h"
#include "readme.h"
#include "repo.h"
#include "scratch/scratch.h"
#include "tag/made.h"
#include "tag/repository.h"
#include "upload/written_file.h"

struct repo_listing {
	struct node *dir;
	const char *repository;
	struct names *catalog;
	bool listed; /* the catalog has all that is below it */
	struct dirlist *out;
};

static int add_directory(struct repo_listing *listing, const char *name,
    size_t len, struct err *err)
{
	return dirlist_add(listing->out, name, len, S_IFDIR,
	    key_number(NODE_REPO, key_of_repository_in(listing->dir->source,
				      listing->repository, name, len)),
	    err);
}

static int list_directories(struct repo_listing *listing, struct err *err)
{
	struct names_child child;
	size_t cursor = 0;

	while (names_child_next(listing->catalog, listing->repository, &cursor,
	    &child)) {
		int r = add_directory(listing, child.name, child.len, err);

		if (r < 0)
			return r;
	}
	return 0;
}

static int add_made(void *arg, const char *name, struct err *err)
{
	struct repo_listing *listing = arg;
	AUTO_FREE char *path = repo_path(listing->repository, name);

	if (!path)
		return err_nomem(err);
	if (names_has(listing->catalog, path) ||
	    names_has_below(listing->catalog, path))
		return 0;
	return add_directory(listing, name, strlen(name), err);
}

static int add_tag(struct repo_listing *listing, const char *tag,
    struct err *err)
{
	AUTO_FREE char *path = repo_path(listing->repository, tag);
	char name[TAG_MAX + 2];
	bool hidden;

	if (!path)
		return err_nomem(err);
	hidden = names_has(listing->catalog, path) ||
		 names_has_below(listing->catalog, path) ||
		 made_has(listing->dir->source->made, path);
	snprintf(name, sizeof(name), "%s%s", hidden ? ":" : "", tag);
	return dirlist_add(listing->out, name, strlen(name), S_IFDIR,
	    image_node_number(listing->dir, name), err);
}

/* Whether it can have tags: there is no use in asking for those of a directory
 * that a complete list has only as a parent of others. */
static bool is_repository(const struct repo_listing *listing)
{
	struct images *images = listing->dir->source->images;

	if (!repository_valid(listing->repository))
		return false;
	return names_has(listing->catalog, listing->repository) ||
	       images_found(images, listing->repository) ||
	       (!images_listable(images) && !listing->listed);
}

/* Whether mkdir made it, and nothing was seen of it since. */
static bool is_made_alone(const struct repo_listing *listing)
{
	struct mount_source *source = listing->dir->source;

	return made_has(source->made, listing->repository) &&
	       !images_found(source->images, listing->repository);
}

static int list_tags(struct repo_listing *listing, struct err *err)
{
	CLEANUP(names_put_p) struct names *tags = NULL;
	int r = images_tags(listing->dir->source->images, listing->repository,
	    &tags, err);

	/* Some refuse to speak of what a push will make. */
	if (r == -ENOENT || (r == -EACCES && is_made_alone(listing)))
		return 0;
	for (size_t i = 0; r == 0 && i < names_count(tags); i++) {
		const char *tag = names_at(tags, i);

		if (!tag_is_referrers(tag))
			r = add_tag(listing, tag, err);
	}
	return r;
}

/* A service that does not list a namespace may still list the tags of what was
 * found in it. */
static int read_below(struct repo_listing *listing, struct err *err)
{
	struct images *images = listing->dir->source->images;
	int r = images_below(images, listing->repository, err);

	listing->listed = r == 1;
	return r < 0 && !images_found(images, listing->repository) ? r : 0;
}

static int read_catalog(struct repo_listing *listing, struct names **out,
    struct err *err)
{
	struct images *images = listing->dir->source->images;
	int r = images_catalog(images, out, err);

	if (!*listing->repository)
		return r;
	/* If listing the registry is refused, this repository may still be
	 * readable. */
	if (r < 0 && !images_only_listing_failed(r, err))
		return r;
	if (read_below(listing, err) < 0)
		return -err->code;
	names_put(*out);
	*out = images_catalog_cached(images);
	return *out ? 0 : r;
}

int repo_list(struct node *dir, struct dirlist *out, struct err *err)
{
	CLEANUP(names_put_p) struct names *catalog = NULL;
	struct repo_listing listing = {.dir = dir,
	    .repository = repo_node_repository(dir),
	    .out = out};
	size_t before = dirlist_count(out);
	int r = read_catalog(&listing, &catalog, err);

	if (r < 0)
		return r;
	listing.catalog = catalog;
	r = list_directories(&listing, err);
	if (r == 0)
		r = made_children(dir->source->made, listing.repository,
		    add_made, &listing, err);
	if (r == 0 && is_repository(&listing))
		r = list_tags(&listing, err);
	if (r == 0)
		r = written_names_list(dir, out, err);
	if (r == 0)
		r = scratch_list(dir, out, err);
	return r < 0 || dirlist_count(out) > before
		   ? r
		   : readme_list(dir, out, err);
}
