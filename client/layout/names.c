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
#include "notices.h"
#include "tree.h"

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
	int r = notices_state_get(listing->layouts, dir, &state, &reason);

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

/* NULL where the directory is missing, or with an error. */
static DIR *open_dir(struct layout_source *layouts, const char *path,
    struct err *err)
{
	int fd = tree_open_list(layouts, path, err);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);

	if (!dir && fd >= 0) {
		err_sys(err, "cannot open %s/%s", layouts->path, path);
		close(fd);
	}
	return dir;
}

/* What cannot be read is there, and what is in it is not known: it is said to
 * be a repository, and says why it is not when it is looked into. */
static int say_unreadable(const struct repository_walk *listing,
    const char *path, const struct err *reason, struct err *err)
{
	if (!*path || reason->code == EINTR || reason->code == ENOMEM) {
		*err = *reason;
		return -err->code;
	}
	if (layout_says_first(listing->layouts, reason->msg))
		log_warn("%s", reason->msg);
	return say(listing, path, err);
}

/* What is gone meanwhile, or is no directory of the tree, is not in it. */
static bool is_unreadable(const struct err *reason)
{
	return reason->code && reason->code != ENOENT && reason->code != EXDEV;
}

/* Says it if it is a layout, or may be one. */
static int look_at(const struct repository_walk *listing, const char *path,
    struct err *err)
{
	struct err reason = ERR_INIT;
	int r = tree_has_layout(listing->layouts, path, &reason);

	if (r < 0)
		r = say_unreadable(listing, path, &reason, err);
	else if (r > 0)
		r = say_layout(listing, path, path, err);
	return r;
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
	return entry->d_type == DT_LNK ? look_at(listing, below, err)
				       : walk(listing, below, err);
}

static int walk(const struct repository_walk *listing, const char *path,
    struct err *err)
{
	struct err reason = ERR_INIT;
	CLEANUP(close_dir)
	DIR *dir = open_dir(listing->layouts, path, &reason);
	struct dirent *entry;
	int in_layout = 0, r = 0;

	if (task_interrupted())
		return err_set(err, EINTR, "interrupted");
	if (*path)
		in_layout = tree_has_layout(listing->layouts, path, &reason);
	if (in_layout > 0)
		r = say_layout(listing, path, path, err);
	else if (is_unreadable(&reason))
		r = say_unreadable(listing, path, &reason, err);
	while (r == 0 && dir && (entry = readdir(dir)))
		r = visit(listing, path, in_layout > 0, entry, err);
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
