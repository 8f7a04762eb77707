/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Files that are derived from blobs. They get their name when they are written,
 * and nothing waits for the disk: one that is opened after a crash is checked.
 */
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <time.h>

#include "base/log.h"
#include "base/strf.h"
#include "base/task.h"
#include "path.h"
#include "room.h"
#include "spool.h"
#include "state.h"
#include "use.h"

enum {
	/* Nobody can wake us who ends in another process. What is waited for
	 * takes seconds, so looking that often does not show. */
	POLL_NANOSECONDS = 20 * 1000 * 1000,
};

static int derived_path(struct store *store, const char *name, char **path,
    struct err *err)
{
	if (path_check_name(name, err) < 0)
		return -err->code;
	*path = strf("%s/derived/%s", store->dir, name);
	return *path ? 0 : err_nomem(err);
}

int store_derived_open(struct store *store, const char *name, struct err *err)
{
	AUTO_FREE char *path = NULL;
	int fd, r = derived_path(store, name, &path, err);

	if (r < 0)
		return r;
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0) {
		err_sys(err, "cannot open %s", path);
		err->code = ENOENT;
		return -ENOENT;
	}
	use_begin(fd);
	use_note(fd);
	return fd;
}

static int put(struct store *store, int fd, const char *name, struct err *err)
{
	AUTO_FREE char *path = NULL;
	AUTO_FREE char *temp = NULL;
	struct stat st;
	int r = derived_path(store, name, &path, err);

	if (r < 0)
		return r;
	if (fstat(fd, &st) < 0)
		return err_sys(err, "cannot examine a temporary file");
	r = spool_name(store->dir, fd, &temp, err);
	if (r < 0)
		return err_wrap(err, "cannot keep %s", path);
	r = path_rename(temp, path, err);
	if (r < 0)
		unlink(temp);
	else
		store_grew(store, (uint64_t)st.st_size);
	return r;
}

int store_derived_put(struct store *store, int fd, const char *name,
    struct err *err)
{
	int r = put(store, fd, name, err);

	if (r < 0)
		room_lacks(store, err);
	return r;
}

void store_derived_drop(struct store *store, const char *name)
{
	AUTO_FREE char *path = NULL;

	if (derived_path(store, name, &path, ERR_IGNORE) < 0)
		return;
	log_debug(LOG_STORE, "%s is damaged: removed", path);
	unlink(path);
}

/* The byte of the lock file that stands for a name: FNV-1a, less the bits that
 * an offset cannot have. Two names that shared one would only wait in turn. */
static off_t lock_byte(const char *name)
{
	uint64_t hash = 0xcbf29ce484222325;

	for (; *name; name++)
		hash = (hash ^ (unsigned char)*name) * 0x100000001b3;
	return (off_t)(hash >> 2);
}

int store_derived_lock(struct store *store, const char *name, struct err *err)
{
	const struct timespec poll = {0, POLL_NANOSECONDS};
	AUTO_FREE char *path = strf("%s/derived.lock", store->dir);
	AUTO_FD int fd = -1;
	struct flock lock = {.l_type = F_WRLCK,
	    .l_whence = SEEK_SET,
	    .l_start = lock_byte(name),
	    .l_len = 1};

	if (!path)
		return err_nomem(err);
	if (path_check_name(name, err) < 0)
		return -err->code;
	fd = path_open(path, err);
	if (fd < 0)
		return fd;
	/* Of the open file, not of the process: threads exclude each other. */
	while (fcntl(fd, F_OFD_SETLK, &lock) < 0) {
		if (errno != EAGAIN && errno != EACCES && errno != EINTR)
			return err_sys(err, "cannot lock %s", path);
		if (task_interrupted())
			return err_set(err, EINTR,
			    "interrupted while waiting for %s to be made",
			    name);
		nanosleep(&poll, NULL);
	}
	return steal_fd(&fd);
}
