/* SPDX-License-Identifier: Apache-2.0 */
/* A directory of image layouts as a source. */
#include "layout/layout.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/container.h"
#include "base/file.h"
#include "base/log.h"
#include "base/strf.h"
#include "blobs.h"
#include "lacking.h"
#include "location.h"
#include "manifests.h"
#include "names.h"
#include "notices.h"
#include "tree.h"

enum { PIECE = 256 << 10 };

/* The repository of a layout whose directory cannot be the name of one. */
#define NO_NAME "layout"

static void close_source(struct source *source)
{
	struct layout_source *layouts = layout_of(source);

	layout_states_release(layouts);
	notices_release(layouts);
	pthread_mutex_destroy(&layouts->lock);
	if (layouts->root >= 0)
		close(layouts->root);
	free(layouts->path);
	free(layouts->name);
	free(layouts->own);
	free(layouts);
}

/* Of a reference in the one layout, what it says itself. */
static int reference(struct source *source, const char *repository,
    struct reference *out, struct err *err)
{
	const char *own = layout_of(source)->own;
	size_t len = strlen(own);

	if (*own && strncmp(repository, own, len) == 0 &&
	    repository[len] == '/')
		repository += len + 1;
	return layout_reference(repository, out, err);
}

static int blob_read(struct source *source, const char *repository,
    const struct digest *digest, uint64_t offset, uint64_t len,
    struct sink *sink, struct err *err)
{
	CLEANUP(location_release) struct location location;
	AUTO_FREE char *piece = malloc(PIECE);
	AUTO_FD int fd = -1;
	uint64_t size = 0, end;
	int r = piece ? 0 : err_nomem(err);

	location = (struct location){.state = NULL};
	if (r == 0)
		r = location_find(layout_of(source), repository, &location,
		    err);
	if (r < 0)
		return r;
	fd = layout_blob_open(layout_of(source), location.dir, digest, &size,
	    err);
	if (fd < 0)
		return fd;
	end = len && len < size - offset ? offset + len : size;
	while (r == 0 && offset < end) {
		size_t want =
		    end - offset < PIECE ? (size_t)(end - offset) : PIECE;
		ssize_t n = file_pread(fd, piece, want, offset, err);

		if (n <= 0)
			return (int)n;
		r = sink_write(sink, piece, (size_t)n, err);
		offset += (uint64_t)n;
	}
	return r;
}

static int blob_file(struct source *source, const char *repository,
    const struct digest *digest, uint64_t size, struct err *err)
{
	CLEANUP(location_release) struct location location;
	char text[DIGEST_TEXT_SIZE];
	uint64_t found = 0;
	AUTO_FD int fd = -1;
	int r = location_find(layout_of(source), repository, &location, err);

	if (r < 0)
		return r;
	fd = layout_blob_open(layout_of(source), location.dir, digest, &found,
	    err);
	if (fd >= 0 && found != size)
		return err_set(err, EIO, "%s: blob %s has %llu bytes, not %llu",
		    repository, digest_format(digest, text),
		    (unsigned long long)found, (unsigned long long)size);
	return fd < 0 ? fd : steal_fd(&fd);
}

static int blob_head(struct source *source, const char *repository,
    const struct digest *digest, uint64_t size, struct err *err)
{
	CLEANUP(location_release) struct location location;
	struct err missing = ERR_INIT;
	int r =
	    location_find(layout_of(source), repository, &location, &missing);

	if (r == -ENOENT)
		return 0;
	if (r < 0) {
		*err = missing;
		return r;
	}
	return layout_blob_exists(layout_of(source), location.dir, digest, size,
	    err);
}

static int blob_mount(struct source *source, const char *repository,
    const struct digest *digest, const char *from, struct err *err)
{
	CLEANUP(location_release) struct location there = {.state = NULL};
	CLEANUP(location_release) struct location here = {.state = NULL};
	struct layout_source *layouts = layout_of(source);
	int r = location_find(layouts, from, &there, err);

	if (r == 0)
		r = location_make(layouts, repository, &here, err);
	if (r < 0)
		return r;
	return strcmp(there.dir, here.dir) == 0
		   ? layout_blob_exists(layouts, here.dir, digest, UINT64_MAX,
			 err)
		   : layout_blob_link(layouts, there.dir, here.dir, digest,
			 err);
}

static int blob_put(struct source *source, const char *repository,
    const struct digest *digest, const struct payload *payload, struct err *err)
{
	CLEANUP(location_release) struct location location;
	struct layout_source *layouts = layout_of(source);
	int r = location_make(layouts, repository, &location, err);

	return r < 0 ? r
		     : layout_blob_store(layouts, location.dir, digest, payload,
			   err);
}

static const struct source_ops layout_ops = {
    .close = close_source,
    .reference = reference,
    .repositories = names_repositories,
    .tags = names_tags,
    .manifest_get = manifests_get,
    .manifest_head = manifests_head,
    .manifest_look = manifests_look,
    .manifest_put = manifests_put,
    .manifest_delete = manifests_delete,
    .manifest_remove = manifests_remove,
    .referrers = manifests_referrers,
    .blob_read = blob_read,
    .blob_file = blob_file,
    .blob_head = blob_head,
    .blob_mount = blob_mount,
    .blob_put = blob_put,
};

/* What a layout is called by its directory: a new string, NULL when out of
 * memory. */
static char *name_of(const char *path)
{
	const char *slash = strrchr(path, '/');
	char *name = strdup(slash ? slash + 1 : path);

	for (char *c = name; c && *c; c++)
		*c = (char)tolower((unsigned char)*c);
	if (name && !repository_valid(name)) {
		free(name);
		name = strdup(NO_NAME);
	}
	return name;
}

/* Whether there is nothing but directories below: a tree of no layout yet, or
 * one whose first was begun when the machine stopped. */
static bool is_empty(struct layout_source *layouts, const char *path)
{
	int fd = tree_open_list(layouts, path, ERR_IGNORE);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *entry;
	bool empty = dir || fd == -EXDEV;

	if (!dir && fd >= 0)
		close(fd);
	while (empty && dir && (entry = readdir(dir))) {
		AUTO_FREE char *below = layout_join(path, entry->d_name);

		empty = strcmp(entry->d_name, ".") == 0 ||
			strcmp(entry->d_name, "..") == 0 ||
			strcmp(entry->d_name, LAYOUT_INDEX) == 0 ||
			(entry->d_type != DT_LNK && below &&
			    is_empty(layouts, below));
	}
	if (dir)
		closedir(dir);
	return empty;
}

/* Whether it can be shown: a layout that can be read, or a tree of some. */
static int check(struct layout_source *layouts, struct err *err)
{
	CLEANUP(layout_state_put_p) struct layout_state *state = NULL;
	struct err reason = ERR_INIT;
	int r = notices_state_get(layouts, "", &state, &reason);

	if (r == 0) {
		layouts->own = name_of(layouts->path);
		return layouts->own ? 0 : err_nomem(err);
	}
	if (r != -ENOENT)
		return err_set(err, r == -ENOMEM ? ENOMEM : EINVAL, "%s",
		    reason.msg);
	layouts->own = strdup("");
	if (!layouts->own)
		return err_nomem(err);
	r = names_any(layouts, err);
	if (r != 0)
		return r < 0 ? r : 0;
	if (is_empty(layouts, "")) {
		log_info("%s has no image layout yet: mkdir a repository in "
			 "the "
			 "mount, and the first push to it makes one in a "
			 "directory of that name",
		    layouts->path);
		return 0;
	}
	return err_set(err, EINVAL,
	    "%s is neither an image layout, which has " LAYOUT_MARKER
	    " and " LAYOUT_INDEX ", nor a tree of them",
	    layouts->path);
}

static unsigned abilities(const struct layout_source *layouts)
{
	unsigned can = SOURCE_LISTS | SOURCE_DELETES_TAGS | SOURCE_REFERRERS |
		       SOURCE_MOUNTS | SOURCE_LOCAL | SOURCE_NESTS;

	return faccessat(layouts->root, ".", W_OK, AT_EACCESS) == 0
		   ? can | SOURCE_PUSHES
		   : can;
}

static int open_root(struct layout_source *layouts, const char *dir,
    struct err *err)
{
	char path[PATH_MAX];
	struct stat st;

	if (!realpath(dir, path))
		return err_sys(err, "cannot open %s", dir);
	layouts->path = strdup(path);
	layouts->name = strf("oci:%s", path);
	if (!layouts->path || !layouts->name)
		return err_nomem(err);
	layouts->root = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (layouts->root < 0 || fstat(layouts->root, &st) < 0)
		return err_sys(err, "cannot open %s", path);
	layouts->device = st.st_dev;
	return check(layouts, err);
}

int layout_open(const char *dir, unsigned timeout, struct source **out,
    struct err *err)
{
	struct layout_source *layouts = calloc(1, sizeof(*layouts));
	int r;

	if (!layouts)
		return err_nomem(err);
	layouts->root = -1;
	layouts->timeout = timeout;
	pthread_mutex_init(&layouts->lock, NULL);
	r = open_root(layouts, dir, err);
	if (r < 0) {
		close_source(&layouts->source);
		return r;
	}
	layouts->source = (struct source){.ops = &layout_ops,
	    .name = layouts->name,
	    .kind = "layout",
	    .can = abilities(layouts),
	    .own = layouts->own};
	*out = &layouts->source;
	return 0;
}

const char *layout_repository(const struct source *source)
{
	return container_of(source, const struct layout_source, source)->own;
}
