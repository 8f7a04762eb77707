/* SPDX-License-Identifier: Apache-2.0 */
/* Which repositories and tags there are. */
#include "names.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/log.h"
#include "base/task.h"
#include "lacking.h"
#include "location.h"

/* Who wants the repositories. */
struct repository_walk {
	struct layout_source *layouts;
	source_name_fn *each;
	void *arg;
};

static int say(const struct repository_walk *listing, const char *name,
    struct err *err)
{
	return repository_valid(name) ? listing->each(listing->arg, name, err)
				      : 0;
}

/* The repositories in one layout, of which `name` is that of its plain tags. */
static int say_layout(const struct repository_walk *listing, const char *dir,
    const char *name, struct err *err)
{
	CLEANUP(layout_state_put_p) struct layout_state *state = NULL;
	struct err reason = ERR_INIT;
	const char *last = "";
	int r = layout_state_get(listing->layouts, dir, &state, &reason);

	if (r == -EINTR || r == -ENOMEM)
		*err = reason;
	if (r == -EINTR || r == -ENOMEM || r == -ENOENT)
		return r == -ENOENT ? 0 : r;
	if (r < 0)
		log_warn("%s", reason.msg);
	/* One that cannot be read is there, and says so when it is looked
	 * into. */
	r = say(listing, name, err);
	for (size_t i = 0; state && r == 0 && i < state->index->entry_count;
	     i++) {
		const char *inner = state->names[i].repository;
		AUTO_FREE char *full = NULL;

		if (!*inner || strcmp(inner, last) == 0)
			continue;
		last = inner;
		full = layout_join(name, inner);
		r = full ? say(listing, full, err) : err_nomem(err);
	}
	return r;
}

static void close_dir(DIR **dir)
{
	if (*dir)
		closedir(*dir);
}

static DIR *open_dir(const struct layout_source *layouts, const char *path)
{
	int fd = openat(layouts->root, *path ? path : ".",
	    O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);

	if (!dir && fd >= 0)
		close(fd);
	return dir;
}

static int walk(const struct repository_walk *listing, const char *path,
    struct err *err);

/* What can be a component of a repository's name, and is not a layout's own
 * directory, is gone into. Links are not: they can lead in a circle. */
static int visit(const struct repository_walk *listing, const char *path,
    bool in_layout, const struct dirent *entry, struct err *err)
{
	const char *name = entry->d_name;
	AUTO_FREE char *below = NULL;

	if (!repository_component_valid(name, strlen(name)) ||
	    (in_layout && strcmp(name, LAYOUT_BLOBS) == 0) ||
	    strlen(path) + 1 + strlen(name) > REPOSITORY_MAX ||
	    (entry->d_type != DT_DIR && entry->d_type != DT_LNK &&
		entry->d_type != DT_UNKNOWN))
		return 0;
	below = layout_join(path, name);
	if (!below)
		return err_nomem(err);
	if (entry->d_type != DT_LNK)
		return walk(listing, below, err);
	return layout_is_there(listing->layouts, below)
		   ? say_layout(listing, below, below, err)
		   : 0;
}

static int walk(const struct repository_walk *listing, const char *path,
    struct err *err)
{
	CLEANUP(close_dir) DIR *dir = open_dir(listing->layouts, path);
	bool in_layout = *path && layout_is_there(listing->layouts, path);
	struct dirent *entry;
	int r = 0;

	if (task_interrupted())
		return err_set(err, EINTR, "interrupted");
	if (!dir)
		log_debug(LOG_FETCH, "%s/%s: %s", listing->layouts->path, path,
		    strerror(errno));
	if (in_layout)
		r = say_layout(listing, path, path, err);
	while (r == 0 && dir && (entry = readdir(dir)))
		r = visit(listing, path, in_layout, entry, err);
	return r;
}

int names_repositories(struct source *source, source_name_fn *each, void *arg,
    struct err *err)
{
	struct layout_source *layouts = layout_of(source);
	const struct repository_walk listing = {layouts, each, arg};

	return *layouts->own ? say_layout(&listing, "", layouts->own, err)
			     : walk(&listing, "", err);
}

int names_tags(struct source *source, const char *repository,
    source_name_fn *each, void *arg, struct err *err)
{
	CLEANUP(location_release) struct location location;
	int r = location_find(layout_of(source), repository, &location, err);

	for (size_t i = 0; r == 0 && i < location.state->index->entry_count;
	     i++) {
		const struct layout_name *name = &location.state->names[i];

		if (*name->tag && strcmp(name->repository, location.inner) == 0)
			r = each(arg, name->tag, err);
	}
	return r;
}

static int stop(void *arg, const char *name, struct err *err)
{
	(void)arg;
	(void)name;
	(void)err;
	return 1;
}

int names_any(struct layout_source *layouts, struct err *err)
{
	const struct repository_walk listing = {layouts, stop, NULL};

	return walk(&listing, "", err);
}
