/* SPDX-License-Identifier: Apache-2.0 */
/* Whole blobs on the disk. */
#include "whole.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "base/file.h"
#include "base/log.h"
#include "path.h"
#include "use.h"

enum {
	/* Hashing that much takes a fraction of a millisecond; a sync, many. */
	SMALL_MAX = 256 * 1024,
};

int whole_sync(int fd, uint64_t size, struct err *err)
{
	if (size > SMALL_MAX && fdatasync(fd) < 0)
		return err_sys(err, "cannot write a blob to the disk");
	return 0;
}

/* Opens path: 1 with its size, or 0 where there is none. */
static int open_sized(const char *path, int *fd, uint64_t *size,
    struct err *err)
{
	struct stat st;

	*fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (*fd < 0 && errno == ENOENT)
		return 0;
	if (*fd < 0 || fstat(*fd, &st) < 0)
		return path_fault(err_sys(err, "cannot open %s", path), err);
	*size = (uint64_t)st.st_size;
	return 1;
}

/* Appends size bytes of fd: 1, or 0 if they are not those of the digest. */
static int read_checked(int fd, uint64_t size, const struct digest *digest,
    struct buf *out, struct err *err)
{
	struct digest found;
	char *data;
	ssize_t n;
	int r = buf_reserve(out, size, err);

	if (r < 0)
		return r;
	data = out->data + out->len;
	n = file_pread(fd, data, size, 0, err);
	r = n < 0 ? (int)n
		  : digest_of(digest->algorithm, data, (size_t)n, &found, err);
	if (r == 0 && digest_equal(&found, digest)) {
		out->len += (size_t)n;
		r = 1;
	}
	out->data[out->len] = '\0';
	return r;
}

/* The name goes, so that the blob is fetched again. */
static int drop_damaged(const char *path)
{
	log_debug(LOG_STORE, "%s is damaged: removed", path);
	unlink(path);
	return 0;
}

int whole_open(const char *path, const struct digest *digest, uint64_t size,
    struct openfile **out, struct err *err)
{
	AUTO_BUF struct buf content = BUF_INIT(SMALL_MAX);
	AUTO_FD int fd = -1;
	uint64_t found = 0;
	int r = open_sized(path, &fd, &found, err);

	if (r <= 0)
		return r;
	if (found != size)
		return drop_damaged(path);
	use_begin(fd);
	if (size <= SMALL_MAX) {
		r = read_checked(fd, size, digest, &content, err);
		if (r < 0)
			return err_wrap(err, "%s", path);
		if (r == 0)
			return drop_damaged(path);
	}
	use_note(fd);
	*out = openfile_new(steal_fd(&fd), err);
	return *out ? 1 : -err->code;
}

int whole_load(const char *path, const struct digest *digest, struct buf *out,
    struct err *err)
{
	AUTO_FD int fd = -1;
	uint64_t size = 0;
	int r = open_sized(path, &fd, &size, err);

	if (r <= 0)
		return r;
	r = read_checked(fd, size, digest, out, err);
	if (r < 0)
		return err_wrap(err, "%s", path);
	if (r == 0)
		return drop_damaged(path);
	use_note(fd);
	return 1;
}
