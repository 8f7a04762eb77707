/* SPDX-License-Identifier: Apache-2.0 */
/* Files on the local disk. */
#include "base/file.h"
#include "base/strf.h"

#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

static int make_dir(const char *path, mode_t mode, struct err *err)
{
	if (mkdir(path, mode) < 0 && errno != EEXIST)
		return err_sys(err, "cannot create directory %s", path);
	return 0;
}

int file_mkdirs(const char *path, mode_t mode, struct err *err)
{
	AUTO_FREE char *part = strdup(path);
	struct stat st;
	int r;

	if (!part)
		return err_nomem(err);
	for (char *p = part + 1; *part && *p; p++) {
		if (*p != '/')
			continue;
		*p = '\0';
		r = make_dir(part, mode, err);
		if (r < 0)
			return r;
		*p = '/';
	}
	r = make_dir(path, mode, err);
	if (r < 0)
		return r;
	/* What existed already need not be a directory. */
	if (stat(path, &st) < 0)
		return err_sys(err, "cannot use directory %s", path);
	if (!S_ISDIR(st.st_mode))
		return err_set(err, ENOTDIR, "%s is not a directory", path);
	return 0;
}

/* Appends what is left of fd. */
static int read_all(int fd, struct buf *out, struct err *err)
{
	char chunk[4096];

	for (;;) {
		ssize_t n = read(fd, chunk, sizeof(chunk));
		int r;

		if (n == 0)
			return 0;
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_sys(err, "read");
		r = buf_add(out, chunk, (size_t)n, err);
		if (r < 0)
			return r;
	}
}

int file_slurp(const char *path, struct buf *out, struct err *err)
{
	AUTO_FD int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return err_sys(err, "cannot open %s", path);
	if (read_all(fd, out, err) < 0)
		return err_wrap(err, "cannot read %s", path);
	return 0;
}

int file_pwrite(int fd, const void *data, size_t len, uint64_t off,
    struct err *err)
{
	const char *p = data;

	while (len > 0) {
		ssize_t n = pwrite(fd, p, len, (off_t)off);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_sys(err, "write");
		if (n == 0)
			return err_set(err, EIO, "write: nothing was written");
		p += n;
		len -= (size_t)n;
		off += (uint64_t)n;
	}
	return 0;
}

ssize_t file_pread(int fd, void *data, size_t len, uint64_t off,
    struct err *err)
{
	size_t done = 0;

	while (done < len) {
		ssize_t n = pread(fd, (char *)data + done, len - done,
		    (off_t)(off + done));

		if (n == 0)
			break;
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_sys(err, "read");
		done += (size_t)n;
	}
	return (ssize_t)done;
}

static int temp_unlinked(const char *dir, struct err *err)
{
	AUTO_FREE char *path = strf("%s/.temp-XXXXXX", dir);
	AUTO_FD int fd = -1;

	if (!path)
		return err_nomem(err);
	fd = mkostemp(path, O_CLOEXEC);
	if (fd < 0)
		return err_sys(err, "cannot create a file in %s", dir);
	if (unlink(path) < 0)
		return err_sys(err, "cannot remove %s", path);
	return steal_fd(&fd);
}

int file_temp(const char *dir, struct err *err)
{
	int fd = open(dir, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);

	if (fd >= 0)
		return fd;
	/* EISDIR: the kernel took the flag for a plain open of a directory. */
	if (errno == EOPNOTSUPP || errno == EISDIR || errno == EINVAL)
		return temp_unlinked(dir, err);
	return err_sys(err, "cannot create a file in %s", dir);
}

char *file_home(void)
{
	const char *home = getenv("HOME");
	const struct passwd *user;

	if (home && *home == '/')
		return strdup(home);
	user = getpwuid(geteuid());
	return strdup(user && *user->pw_dir == '/' ? user->pw_dir : "/");
}
