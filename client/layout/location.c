/* SPDX-License-Identifier: Apache-2.0 */
/* Repositories and the layouts that they are in. */
#include "location.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "directory.h"
#include "lacking.h"
#include "notices.h"
#include "tree.h"

void location_release(struct location *location)
{
	layout_state_put(location->state);
}

static void set(struct location *location, const char *repository,
    size_t dir_len)
{
	const char *inner = repository + dir_len;

	snprintf(location->dir, sizeof(location->dir), "%.*s", (int)dir_len,
	    repository);
	snprintf(location->inner, sizeof(location->inner), "%s",
	    inner + (*inner == '/'));
}

/* The one layout: false where the name is not one in it. */
static bool set_single(const struct layout_source *layouts,
    const char *repository, struct location *location)
{
	size_t len = strlen(layouts->own);

	if (strncmp(repository, layouts->own, len) != 0 ||
	    (repository[len] && repository[len] != '/'))
		return false;
	set(location, repository + len, 0);
	return true;
}

/* In a tree the longest part of the name that is a layout's directory: 1, or 0
 * where none is. */
static int set_deepest(struct layout_source *layouts, const char *repository,
    struct location *location, struct err *err)
{
	size_t len = strlen(repository);

	for (;;) {
		int r;

		set(location, repository, len);
		r = tree_has_layout(layouts, location->dir, err);
		if (r != 0)
			return r;
		while (len > 0 && repository[len - 1] != '/')
			len--;
		if (len == 0)
			return 0;
		len--;
	}
}

int location_refresh(struct layout_source *layouts, struct location *location,
    struct err *err)
{
	layout_state_put(location->state);
	location->state = NULL;
	return notices_state_get(layouts, location->dir, &location->state, err);
}

static bool has_inner(const struct location *location)
{
	for (size_t i = 0; i < location->state->index->entry_count; i++) {
		const struct layout_name *name = &location->state->names[i];

		if (*name->tag &&
		    strcmp(name->repository, location->inner) == 0)
			return true;
	}
	return !*location->inner;
}

static int no_repository(const char *repository, struct err *err)
{
	return lacking(err, "%s: no such repository", repository);
}

/* Of a directory that is no layout; what is in one that cannot be read is not
 * known. */
static int no_layout(struct layout_source *layouts, const char *repository,
    struct err *err)
{
	struct err reason = ERR_INIT;
	AUTO_FD int fd = tree_open_list(layouts, repository, &reason);

	if (fd >= 0 || fd == -ENOENT || fd == -EXDEV)
		return no_repository(repository, err);
	*err = reason;
	return fd;
}

int location_find(struct layout_source *layouts, const char *repository,
    struct location *out, struct err *err)
{
	int r;

	*out = (struct location){.state = NULL};
	if (*layouts->own) {
		if (!set_single(layouts, repository, out))
			return no_repository(repository, err);
	} else {
		r = set_deepest(layouts, repository, out, err);
		if (r <= 0)
			return r < 0 ? r : no_layout(layouts, repository, err);
	}
	r = location_refresh(layouts, out, err);
	if (r == -ENOENT || (r == 0 && !has_inner(out)))
		return no_repository(repository, err);
	return r;
}

/* Whether the name leads into what a layout keeps in its directory. */
static bool is_inside(const struct location *location)
{
	size_t len = strlen(LAYOUT_BLOBS);

	return strncmp(location->inner, LAYOUT_BLOBS, len) == 0 &&
	       (!location->inner[len] || location->inner[len] == '/');
}

/* That what is made there is in this tree. */
static int check_ours(struct layout_source *layouts, const char *dir,
    struct err *err)
{
	struct err reason = ERR_INIT;
	AUTO_FD int fd = tree_open(layouts, dir, &reason);

	if (fd == -EXDEV)
		return err_set(err, EINVAL,
		    "a registryfs is mounted on %s/%s, or above it, and takes "
		    "no layout: choose another name",
		    layouts->path, dir);
	return 0;
}

int location_make(struct layout_source *layouts, const char *repository,
    struct location *out, struct err *err)
{
	int r;

	*out = (struct location){.state = NULL};
	if (*layouts->own)
		return set_single(layouts, repository, out)
			   ? location_refresh(layouts, out, err)
			   : no_repository(repository, err);
	r = set_deepest(layouts, repository, out, err);
	if (r < 0)
		return r;
	if (r > 0) {
		if (is_inside(out))
			return err_set(err, EINVAL,
			    "%s: a layout keeps its blobs there; choose "
			    "another name",
			    repository);
		r = location_refresh(layouts, out, err);
		if (r < 0 || has_inner(out))
			return r;
	}
	set(out, repository, strlen(repository));
	r = check_ours(layouts, out->dir, err);
	if (r == 0)
		r = directory_make_layout(layouts, out->dir, err);
	return r < 0 ? r : location_refresh(layouts, out, err);
}
