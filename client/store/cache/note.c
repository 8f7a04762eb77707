/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Notes: small facts worth keeping. A crash may lose the latest of them, but
 * never leaves half of one; none is worth waiting for the disk.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/strf.h"
#include "path.h"
#include "state.h"

static int note_path(struct store *store, const char *kind, const char *key,
    char **path, struct err *err)
{
	if (path_check_name(kind, err) < 0 || path_check_name(key, err) < 0)
		return -err->code;
	*path = strf("%s/notes/%s/%s", store->dir, kind, key);
	return *path ? 0 : err_nomem(err);
}

int store_note(struct store *store, const char *kind, const char *key,
    struct buf *out, struct err *err)
{
	AUTO_FREE char *path = NULL;
	struct err reason = ERR_INIT;
	int r = note_path(store, kind, key, &path, err);

	if (r < 0)
		return r;
	r = file_slurp(path, out, &reason);
	if (r == -ENOENT)
		return 0;
	if (r < 0)
		*err = reason;
	return r < 0 ? path_fault(r, err) : 1;
}

int store_note_put(struct store *store, const char *kind, const char *key,
    const char *text, struct err *err)
{
	AUTO_FREE char *path = NULL;
	AUTO_FREE char *temp = NULL;
	AUTO_FD int fd = -1;
	int r = note_path(store, kind, key, &path, err);

	if (r < 0)
		return r;
	fd = path_spool(store->dir, &temp, err);
	if (fd < 0)
		return fd;
	r = file_pwrite(fd, text, strlen(text), 0, err);
	if (r == 0)
		r = path_rename(temp, path, err);
	if (r < 0)
		unlink(temp);
	return r;
}

int64_t store_note_add(struct store *store, const char *kind, const char *key,
    const char *text, struct err *err)
{
	AUTO_FREE char *path = NULL;
	AUTO_FD int fd = -1;
	size_t len = strlen(text);
	struct stat st;
	int r = note_path(store, kind, key, &path, err);

	if (r < 0)
		return r;
	fd = path_open(path, err);
	if (fd < 0)
		return fd;
	/* One write: what others add stands before or after it. */
	if (fcntl(fd, F_SETFL, O_APPEND) < 0 ||
	    write(fd, text, len) != (ssize_t)len || fstat(fd, &st) < 0)
		return err_sys(err, "cannot write %s", path);
	return st.st_size;
}
