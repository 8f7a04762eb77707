/* SPDX-License-Identifier: Apache-2.0 */
/* Blobs that come whole: small ones, and those that were made here. */
#include <errno.h>

#include "base/file.h"
#include "base/lock.h"
#include "base/log.h"
#include "base/strf.h"
#include "cache/path.h"
#include "cache/room.h"
#include "cache/spool.h"
#include "cache/state.h"
#include "whole.h"

int store_load(struct store *store, const struct digest *digest,
    struct buf *out, struct err *err)
{
	AUTO_FREE char *path = path_whole(store->dir, digest);
	int r;

	if (!path)
		return err_nomem(err);
	r = whole_load(path, digest, out, err);
	if (r == 1)
		atomic_fetch_add(&store->hits, 1);
	return r;
}

char *store_temp_dir(struct store *store, struct err *err)
{
	char *dir = strf("%s/spool", store->dir);

	if (dir)
		file_mkdirs(dir, 0700, ERR_IGNORE);
	else
		err_nomem(err);
	return dir;
}

int store_temp(struct store *store, struct err *err)
{
	AUTO_FREE char *dir = strf("%s/spool", store->dir);
	int r = dir ? file_mkdirs(dir, 0700, err) : err_nomem(err);

	return path_fault(r < 0 ? r : file_temp(dir, err), err);
}

static int temp_on_disk(struct store *store, uint64_t size, struct err *err)
{
	int r = room_check(store, size, err);

	return r < 0 ? r : store_temp(store, err);
}

static int temp_in_memory(struct store *store, uint64_t size, struct err *err)
{
	SCOPED_LOCK(&store->lock);

	return memory_file(&store->memory, size, err);
}

/* What is wrong with the disk is not wrong elsewhere. */
static bool is_disk(int r)
{
	return r == -ENOSPC || r == -EDQUOT || r == -EROFS || r == -EIO;
}

int store_temp_filled(struct store *store, uint64_t size,
    int (*fill)(void *arg, int fd, struct err *err), void *arg, struct err *err)
{
	AUTO_FD int fd = -1;
	struct err on_disk = ERR_INIT;
	int disk = temp_on_disk(store, size, &on_disk);
	int r = disk < 0 ? -EIO : fill(arg, disk, &on_disk);

	if (r == 0)
		return disk;
	if (disk >= 0)
		close(disk);
	if (!is_disk(r)) {
		*err = on_disk;
		return r;
	}
	fd = temp_in_memory(store, size, err);
	if (fd < 0)
		return err_set(err, ENOSPC,
		    "%s, and too much is in memory already: make room there, "
		    "or choose another directory (option cache)",
		    on_disk.msg);
	r = fill(arg, fd, err);
	return r < 0 ? r : steal_fd(&fd);
}

/* For file systems on which an unnamed file cannot be given a name. */
static int adopt_copy(struct store *store, int fd, uint64_t size,
    const struct sums *sums, const char *path, struct err *err)
{
	AUTO_FREE char *temp = NULL;
	AUTO_FD int to = spool_copy(store->dir, fd, size, &temp, err);
	int64_t all;
	int r;

	if (to < 0)
		return to;
	all = whole_seal(to, size, sums, err);
	r = all < 0 ? (int)all : path_rename(temp, path, err);
	if (r < 0)
		unlink(temp);
	return r;
}

static int adopt(struct store *store, int fd, uint64_t size, const char *path,
    struct err *err)
{
	CLEANUP(sums_free_p) struct sums *sums = NULL;
	int64_t all = 0;
	int r = 0;

	/* Nobody waits for it as long as for the disk. */
	if (whole_is_large(size))
		r = sums_of_file(fd, size, &sums, err);
	if (r == 0)
		all = whole_seal(fd, size, sums, err);
	if (r < 0 || all < 0)
		return -err->code;
	r = path_link(fd, path, err);
	if (r == 0)
		r = adopt_copy(store, fd, size, sums, path, err);
	if (r < 0)
		return r;
	store_grew(store, (uint64_t)all);
	return 0;
}

int store_adopt(struct store *store, int fd, uint64_t size,
    const struct digest *digest, struct err *err)
{
	AUTO_FREE char *path = path_whole(store->dir, digest);

	if (!path)
		return err_nomem(err);
	return adopt(store, fd, size, path, err) < 0
		   ? err_wrap(err, "cannot keep a blob in the store")
		   : 0;
}

int store_save(struct store *store, const struct digest *digest,
    const void *data, size_t len, struct err *err)
{
	AUTO_FD int fd = store_temp(store, err);
	int r;

	if (fd < 0)
		return fd;
	r = file_pwrite(fd, data, len, 0, err);
	if (r < 0)
		return err_wrap(err, "cannot keep a blob in %s", store->dir);
	return store_adopt(store, fd, len, digest, err);
}

void store_drop(struct store *store, const struct digest *digest)
{
	AUTO_FREE char *path = path_whole(store->dir, digest);

	if (!path)
		return;
	if (unlink(path) == 0)
		log_warn("%s is damaged: removed", path);
}
