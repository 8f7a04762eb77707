/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Contents: a file on the disk for each that is not empty, named by its inode's
 * number. It is opened when somebody reads or writes and closed with the last
 * who has it open.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/log.h"
#include "base/strf.h"
#include "state.h"

static char *content_path(const struct local_inode *inode)
{
	return strf("%s/%" PRIx64, inode->fs->dir, inode->number);
}

uint64_t content_blocks(const struct local_inode *inode)
{
	struct stat st;

	if (inode->fd >= 0 && fstat(inode->fd, &st) == 0)
		return (uint64_t)st.st_blocks;
	return inode->blocks;
}

static char *take_content(struct local_inode *inode, int *fd)
{
	SCOPED_LOCK(&inode->fs->lock);
	*fd = steal_fd(&inode->fd);
	if (!inode->on_disk)
		return NULL;
	inode->on_disk = false;
	return content_path(inode);
}

void content_remove(struct local_inode *inode)
{
	AUTO_FD int fd = -1;
	AUTO_FREE char *path = take_content(inode, &fd);

	if (path)
		unlink(path);
}

int local_open(struct local_inode *inode, struct err *err)
{
	SCOPED_LOCK(&inode->fs->lock);
	if (inode->removed && inode->openers == 0)
		return err_set(err, ESTALE, "the file was removed");
	inode->openers++;
	return 0;
}

/* The descriptor that nobody needs any more; whether the content goes, too. */
static int close_last(struct local_inode *inode, bool *gone)
{
	int fd;

	SCOPED_LOCK(&inode->fs->lock);
	*gone = false;
	if (--inode->openers > 0)
		return -1;
	if (inode->removed) {
		*gone = true;
		return -1;
	}
	inode->blocks = content_blocks(inode);
	fd = inode->fd;
	inode->fd = -1;
	return fd;
}

void local_close(struct local_inode *inode)
{
	bool gone;
	AUTO_FD int fd = close_last(inode, &gone);

	(void)fd;
	if (gone)
		content_remove(inode);
}

static int known_fd(struct local_inode *inode)
{
	SCOPED_LOCK(&inode->fs->lock);
	return inode->fd;
}

/* Where two opened it at once, one does. */
static int keep_fd(struct local_inode *inode, int *fd)
{
	SCOPED_LOCK(&inode->fs->lock);
	inode->on_disk = true;
	if (inode->fd < 0)
		inode->fd = steal_fd(fd);
	return inode->fd;
}

/* The content's descriptor, for who has it open. */
static int content_fd(struct local_inode *inode, struct err *err)
{
	AUTO_FREE char *path = NULL;
	AUTO_FD int opened = -1;
	int fd = known_fd(inode);

	if (fd >= 0)
		return fd;
	path = content_path(inode);
	if (!path)
		return err_nomem(err);
	opened = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (opened < 0)
		return err_sys(err, "cannot open a file's content");
	return keep_fd(inode, &opened);
}

static uint64_t size_of(struct local_inode *inode)
{
	SCOPED_LOCK(&inode->fs->lock);
	return inode->size;
}

/* Before and after a change of the content. */
static int begin(struct local_inode *inode, struct err *err)
{
	int r;

	SCOPED_LOCK(&inode->fs->lock);
	r = inode_check(inode, err);
	if (r == 0)
		inode->writers++;
	return r;
}

static void end(struct local_inode *inode)
{
	SCOPED_LOCK(&inode->fs->lock);
	inode->writers--;
	if (inode->writers == 0 && inode->frozen)
		pthread_cond_broadcast(&inode->fs->settled);
}

ssize_t local_read(struct local_inode *inode, void *data, size_t len,
    uint64_t off, struct err *err)
{
	int fd;

	if (off >= size_of(inode))
		return 0;
	fd = content_fd(inode, err);
	return fd < 0 ? fd : file_pread(fd, data, len, off, err);
}

static void wrote(struct local_inode *inode, uint64_t end)
{
	SCOPED_LOCK(&inode->fs->lock);
	if (end > inode->size)
		inode->size = end;
	inode_touch(inode);
}

/* What arrived of a write that failed is no part of the file, nor when that
 * grows. */
static void cut_back(struct local_inode *inode, int fd)
{
	if (ftruncate(fd, (off_t)size_of(inode)) < 0)
		log_warn("after a failed write, a file in a scratch directory "
			 "cannot be truncated to its size before");
}

static int write_begun(struct local_inode *inode, const void *data, size_t len,
    uint64_t off, struct err *err)
{
	int fd = content_fd(inode, err);
	int r = fd < 0 ? fd : file_pwrite(fd, data, len, off, err);

	if (r == 0)
		wrote(inode, off + len);
	else if (fd >= 0)
		cut_back(inode, fd);
	return r;
}

int local_write(struct local_inode *inode, const void *data, size_t len,
    uint64_t off, struct err *err)
{
	int r = begin(inode, err);

	if (r < 0)
		return r;
	r = write_begun(inode, data, len, off, err);
	end(inode);
	return r;
}

static int set_size(struct local_inode *inode, uint64_t size, struct err *err)
{
	int fd = content_fd(inode, err);

	if (fd < 0)
		return fd;
	return ftruncate(fd, (off_t)size) < 0
		   ? err_sys(err, "cannot set a file's size")
		   : 0;
}

static int truncate_begun(struct local_inode *inode, uint64_t size,
    struct err *err)
{
	if (size > 0 || size_of(inode) > 0) {
		int r = set_size(inode, size, err);

		if (r < 0)
			return r;
	}
	SCOPED_LOCK(&inode->fs->lock);
	inode->size = size;
	inode_touch(inode);
	return 0;
}

int local_truncate(struct local_inode *inode, uint64_t size, struct err *err)
{
	int r = begin(inode, err);

	if (r < 0)
		return r;
	r = local_open(inode, err);
	if (r == 0) {
		r = truncate_begun(inode, size, err);
		local_close(inode);
	}
	end(inode);
	return r;
}

static int seek_open(struct local_inode *inode, uint64_t off, int whence,
    uint64_t *out, struct err *err)
{
	off_t found;
	int fd;

	if (off >= size_of(inode))
		return err_set(err, ENXIO, "offset beyond end of file");
	fd = content_fd(inode, err);
	if (fd < 0)
		return fd;
	found = lseek(fd, (off_t)off, whence);
	if (found < 0)
		return err_sys(err, "cannot find data from this offset on");
	*out = (uint64_t)found;
	return 0;
}

int local_seek(struct local_inode *inode, uint64_t off, int whence,
    uint64_t *out, struct err *err)
{
	int r = local_open(inode, err);

	if (r < 0)
		return r;
	r = seek_open(inode, off, whence, out, err);
	local_close(inode);
	return r;
}

static ssize_t copy_begun(struct local_inode *from, uint64_t from_off,
    struct local_inode *to, uint64_t to_off, size_t len, struct err *err)
{
	off_t in = (off_t)from_off, out = (off_t)to_off;
	int from_fd = content_fd(from, err);
	int to_fd = from_fd < 0 ? from_fd : content_fd(to, err);
	ssize_t n;

	if (to_fd < 0)
		return to_fd;
	n = copy_file_range(from_fd, &in, to_fd, &out, len, 0);
	if (n < 0 && (errno == EXDEV || errno == EOPNOTSUPP || errno == ENOSYS))
		return -EOPNOTSUPP;
	if (n < 0)
		return err_sys(err, "cannot copy a file's content");
	wrote(to, to_off + (uint64_t)n);
	return n;
}

ssize_t local_copy(struct local_inode *from, uint64_t from_off,
    struct local_inode *to, uint64_t to_off, size_t len, struct err *err)
{
	ssize_t n;

	if (from_off >= size_of(from))
		return 0;
	n = begin(to, err);
	if (n < 0)
		return n;
	n = copy_begun(from, from_off, to, to_off, len, err);
	end(to);
	return n;
}
