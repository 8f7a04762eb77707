/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Directories of one process each. Its process holds a lock on it: those that
 * nobody holds are leftovers.
 */
#include "private.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>

#include "base/file.h"
#include "base/log.h"
#include "base/strf.h"
#include "path.h"
#include "state.h"

struct store_private {
	char *path;
	int fd; /* of the directory; holds the lock */
};

static bool is_dots(const char *name)
{
	return !strcmp(name, ".") || !strcmp(name, "..");
}

/* Removes the directory with the files in it. */
static void remove_files(int fd, const char *path)
{
	int own = dup(fd);
	DIR *files = own < 0 ? NULL : fdopendir(own);
	struct dirent *file;

	if (!files) {
		if (own >= 0)
			close(own);
		return;
	}
	rewinddir(files);
	while ((file = readdir(files))) {
		if (!is_dots(file->d_name))
			unlinkat(fd, file->d_name, 0);
	}
	closedir(files);
	rmdir(path);
}

static int open_dir(const char *path)
{
	return open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

/* 1: it is ours. 0: somebody took the new directory for a leftover. */
static int make(const char *dir, struct store_private *private, struct err *err)
{
	AUTO_FREE char *path = strf("%s/XXXXXX", dir);
	AUTO_FD int fd = -1;
	struct stat st;

	if (!path)
		return err_nomem(err);
	if (!mkdtemp(path))
		return path_fault(err_sys(err,
				      "cannot create a directory in %s", dir),
		    err);
	fd = open_dir(path);
	if (fd < 0 && errno == ENOENT)
		return 0;
	if (fd < 0 || flock(fd, LOCK_EX) < 0 || fstat(fd, &st) < 0)
		return path_fault(err_sys(err, "cannot lock %s", path), err);
	if (st.st_nlink == 0)
		return 0;
	private->path = steal(&path);
	private->fd = steal_fd(&fd);
	return 1;
}

int store_private_new(struct store *store, struct store_private **out,
    struct err *err)
{
	AUTO_FREE char *dir = strf("%s/private", store->dir);
	AUTO_FREE struct store_private *private = calloc(1, sizeof(*private));
	int r;

	if (!dir || !private)
		return err_nomem(err);
	r = path_fault(file_mkdirs(dir, 0700, err), err);
	while (r == 0)
		r = make(dir, private, err);
	if (r < 0)
		return r;
	*out = steal(&private);
	return 0;
}

const char *store_private_path(const struct store_private *private)
{
	return private->path;
}

void store_private_free(struct store_private *private)
{
	if (!private)
		return;
	remove_files(private->fd, private->path);
	close(private->fd);
	free(private->path);
	free(private);
}

static void sweep(const char *path)
{
	AUTO_FD int fd = open_dir(path);

	if (fd < 0 || flock(fd, LOCK_EX | LOCK_NB) < 0)
		return;
	log_debug(LOG_STORE, "%s was left behind: removed", path);
	remove_files(fd, path);
}

void private_sweep(const char *dir)
{
	AUTO_FREE char *all = strf("%s/private", dir);
	DIR *entries = all ? opendir(all) : NULL;
	struct dirent *entry;

	if (!entries)
		return;
	while ((entry = readdir(entries))) {
		AUTO_FREE char *path = strf("%s/%s", all, entry->d_name);

		if (path && !is_dots(entry->d_name))
			sweep(path);
	}
	closedir(entries);
}
