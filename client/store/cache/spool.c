/* SPDX-License-Identifier: Apache-2.0 */
/* Files in the spool. */
#include "spool.h"

#include <errno.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "path.h"

/* Copies size bytes between files, from the start. */
static int copy(int from, int to, uint64_t size, struct err *err)
{
	off_t off = 0;

	while ((uint64_t)off < size) {
		ssize_t n = sendfile(to, from, &off, size - (uint64_t)off);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_sys(err, "cannot copy a file of the store");
		if (n == 0)
			return err_set(err, EIO,
			    "a file of the store became shorter");
	}
	return 0;
}

int spool_copy(const char *dir, int fd, uint64_t size, char **path,
    struct err *err)
{
	AUTO_FREE char *temp = NULL;
	AUTO_FD int to = path_spool(dir, &temp, err);
	int r;

	if (to < 0)
		return to;
	r = copy(fd, to, size, err);
	if (r < 0) {
		unlink(temp);
		return r;
	}
	*path = steal(&temp);
	return steal_fd(&to);
}

/* A name that no other file has, without a file: 0. */
static int free_name(const char *dir, char **path, struct err *err)
{
	AUTO_FD int fd = path_spool(dir, path, err);

	if (fd < 0)
		return fd;
	if (unlink(*path) < 0)
		return path_fault(err_sys(err, "cannot remove %s", *path), err);
	return 0;
}

/* 1, or 0 if it cannot be named here. */
static int name_itself(const char *dir, int fd, char **path, struct err *err)
{
	AUTO_FREE char *temp = NULL;
	int r = free_name(dir, &temp, err);

	/* Should somebody else have taken the name, a copy does as well. */
	if (r == 0 && path_link_new(fd, temp)) {
		*path = steal(&temp);
		r = 1;
	}
	return r;
}

static int name_copy(const char *dir, int fd, char **path, struct err *err)
{
	AUTO_FD int to = -1;
	struct stat st;

	if (fstat(fd, &st) < 0)
		return err_sys(err, "cannot examine a temporary file");
	to = spool_copy(dir, fd, (uint64_t)st.st_size, path, err);
	return to < 0 ? to : 0;
}

int spool_name(const char *dir, int fd, char **path, struct err *err)
{
	int r = name_itself(dir, fd, path, err);

	if (r == 0)
		return name_copy(dir, fd, path, err);
	return r < 0 ? r : 0;
}
