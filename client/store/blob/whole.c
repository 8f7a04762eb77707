/* SPDX-License-Identifier: Apache-2.0 */
/* Whole blobs on the disk. */
#include "whole.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "base/file.h"
#include "base/log.h"
#include "cache/path.h"
#include "cache/use.h"

enum {
	/* Hashing that much takes a fraction of a millisecond; a sync, many. */
	SMALL_MAX = 256 * 1024,
};

bool whole_is_large(uint64_t size)
{
	return size > SMALL_MAX;
}

bool whole_is_proven(const struct openfile *file, uint64_t size)
{
	return !whole_is_large(size) || file->sums;
}

int64_t whole_seal(int fd, uint64_t size, const struct sums *sums,
    struct err *err)
{
	struct err reason = ERR_INIT;
	uint64_t all = size;

	if (!whole_is_large(size))
		return (int64_t)all;
	if (sums && sums_write(sums, fd, &reason) < 0)
		log_debug(LOG_STORE, "%s", reason.msg);
	else if (sums)
		all += sums_room(size);
	if (fdatasync(fd) < 0)
		return err_sys(err, "cannot write a blob to the disk");
	return (int64_t)all;
}

void whole_note_sums(const char *path, const struct openfile *file)
{
	AUTO_FD int fd = open(path, O_WRONLY | O_CLOEXEC | O_NOFOLLOW);
	struct err reason = ERR_INIT;

	if (fd < 0 || !openfile_at(file, path))
		return;
	if (sums_write(file->sums, fd, &reason) < 0)
		log_debug(LOG_STORE, "%s: %s", path, reason.msg);
}

/* Opens path: 1 with its size, or 0. What cannot be opened is not there: it is
 * fetched. */
static int open_sized(const char *path, int *fd, uint64_t *size,
    struct err *err)
{
	struct stat st;

	*fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (*fd < 0)
		return 0;
	if (fstat(*fd, &st) < 0)
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
	n = file_pread(fd, data, size, 0, ERR_IGNORE);
	/* What the disk cannot read any more is not there. */
	if (n < 0)
		n = 0;
	r = digest_of(digest->algorithm, data, (size_t)n, &found, err);
	if (r == 0 && digest_equal(&found, digest)) {
		out->len += (size_t)n;
		r = 1;
	}
	out->data[out->len] = '\0';
	return r;
}

int whole_check(const struct openfile *file, uint64_t size,
    const struct digest *digest, struct err *err)
{
	AUTO_BUF struct buf content = BUF_INIT(SMALL_MAX);
	int r = read_checked(file->fd, size, digest, &content, err);

	return r == 0
		   ? err_set(err, EBADMSG, "its bytes do not match its digest")
	       : r < 0 ? r
		       : 0;
}

/* The name goes, so that the blob is fetched again. */
static int drop_damaged(const char *path)
{
	log_warn("%s is damaged: removed", path);
	unlink(path);
	return 0;
}

static int drop_of_size(const char *path, uint64_t found, uint64_t size)
{
	log_warn("%s has %llu bytes, and the blob %llu: removed", path,
	    (unsigned long long)found, (unsigned long long)size);
	unlink(path);
	return 0;
}

int whole_drop(const char *path, const struct openfile *file,
    const struct err *why, struct err *err)
{
	if (!openfile_at(file, path))
		return 0;
	log_warn("%s is damaged, and removed: %s", path, why->msg);
	if (unlink(path) < 0 && errno != ENOENT)
		return path_fault(err_sys(err, "cannot remove %s", path), err);
	return 0;
}

/* Whether a file of that size can be of such a blob: the checksums may be there
 * in part. */
static bool is_size(uint64_t found, uint64_t size)
{
	return found == size || (whole_is_large(size) && found > size &&
				    found - size <= sums_room(size));
}

int whole_open(const char *path, const struct digest *digest, uint64_t size,
    struct openfile **out, struct err *err)
{
	AUTO_BUF struct buf content = BUF_INIT(SMALL_MAX);
	CLEANUP(sums_free_p) struct sums *sums = NULL;
	AUTO_FD int fd = -1;
	uint64_t found = 0;
	int r = open_sized(path, &fd, &found, err);

	if (r <= 0)
		return r;
	if (!is_size(found, size))
		return drop_of_size(path, found, size);
	use_begin(fd);
	if (whole_is_large(size)) {
		r = sums_load(fd, size, &sums, err);
		if (r < 0)
			return err_wrap(err, "%s", path);
	} else {
		r = read_checked(fd, size, digest, &content, err);
		if (r < 0)
			return err_wrap(err, "%s", path);
		if (r == 0)
			return drop_damaged(path);
	}
	use_note(fd);
	*out = openfile_new(steal_fd(&fd), err);
	if (!*out)
		return -err->code;
	(*out)->sums = steal(&sums);
	return 1;
}

int whole_load(const char *path, const struct digest *digest, struct buf *out,
    struct err *err)
{
	AUTO_FD int fd = -1;
	uint64_t size = 0;
	int r = open_sized(path, &fd, &size, err);

	if (r <= 0)
		return r;
	if (whole_is_large(size))
		r = sums_blob_size(fd, size, &size, err);
	if (r >= 0)
		r = read_checked(fd, size, digest, out, err);
	if (r < 0)
		return err_wrap(err, "%s", path);
	if (r == 0)
		return drop_damaged(path);
	use_note(fd);
	return 1;
}
