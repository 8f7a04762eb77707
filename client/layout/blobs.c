/* SPDX-License-Identifier: Apache-2.0 */
/* Blobs of layouts: files that are called by their digests. */
#include "blobs.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/strf.h"
#include "base/task.h"
#include "directory.h"
#include "lacking.h"

enum { PIECE = 1 << 20 };

static char *blob_path(const char *dir, const struct digest *digest)
{
	char hex[DIGEST_TEXT_SIZE];

	return strf("%s%s" LAYOUT_BLOBS "/%s/%s", dir, *dir ? "/" : "",
	    digest_algorithm_name(digest->algorithm), digest_hex(digest, hex));
}

static int no_blob(const struct layout_source *layouts, const char *path,
    struct err *err)
{
	if (errno == ENOENT || errno == ENOTDIR)
		return lacking(err, "%s/%s does not exist", layouts->path,
		    path);
	return err_sys(err, "%s/%s", layouts->path, path);
}

int layout_blob_open(struct layout_source *layouts, const char *dir,
    const struct digest *digest, uint64_t *size, struct err *err)
{
	AUTO_FREE char *path = blob_path(dir, digest);
	AUTO_FD int fd = -1;
	struct stat st;

	if (!path)
		return err_nomem(err);
	/* What is no file must not make us wait. */
	fd = openat(layouts->root, path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0 || fstat(fd, &st) < 0)
		return no_blob(layouts, path, err);
	if (!S_ISREG(st.st_mode))
		return err_set(err, EIO, "%s/%s is not a regular file",
		    layouts->path, path);
	*size = (uint64_t)st.st_size;
	return steal_fd(&fd);
}

int layout_blob_exists(struct layout_source *layouts, const char *dir,
    const struct digest *digest, uint64_t size, struct err *err)
{
	AUTO_FREE char *path = blob_path(dir, digest);
	struct stat st;

	if (!path)
		return err_nomem(err);
	if (fstatat(layouts->root, path, &st, 0) < 0)
		return errno == ENOENT || errno == ENOTDIR
			   ? 0
			   : err_sys(err, "%s/%s", layouts->path, path);
	return S_ISREG(st.st_mode) &&
	       (size == UINT64_MAX || (uint64_t)st.st_size == size);
}

int layout_blob_load(struct layout_source *layouts, const char *dir,
    const struct digest *digest, struct buf *out, struct err *err)
{
	uint64_t size = 0;
	AUTO_FD int fd = layout_blob_open(layouts, dir, digest, &size, err);
	char want[DIGEST_TEXT_SIZE], got[DIGEST_TEXT_SIZE];
	struct digest found;
	ssize_t n;
	int r;

	if (fd < 0)
		return fd;
	digest_format(digest, want);
	if (size > MANIFEST_MAX_BYTES)
		return err_set(err, EFBIG, "%s is larger than %d bytes", want,
		    MANIFEST_MAX_BYTES);
	r = buf_reserve(out, (size_t)size, err);
	if (r < 0)
		return r;
	n = file_pread(fd, out->data, (size_t)size, 0, err);
	if (n < 0)
		return (int)n;
	out->len = (size_t)n;
	r = digest_of(digest->algorithm, out->data, out->len, &found, err);
	if (r == 0 && !digest_equal(&found, digest))
		return err_set(err, EBADMSG,
		    "%s/%s%s: the bytes of %s have the digest %s",
		    layouts->path, dir, *dir ? "" : LAYOUT_BLOBS, want,
		    digest_format(&found, got));
	return r;
}

static ssize_t payload_read(const struct payload *payload, void *piece,
    uint64_t at, struct err *err)
{
	uint64_t left = payload->size - at;
	size_t len = left < PIECE ? (size_t)left : PIECE;
	ssize_t n = (ssize_t)len;

	if (payload->data)
		memcpy(piece, (const char *)payload->data + at, len);
	else
		n = file_pread(payload->fd, piece, len, payload->offset + at,
		    err);
	return n == 0 ? err_set(err, EIO, "unexpected end of file") : n;
}

/* Writes it, and says what its digest is. */
static int write_payload(const struct new_file *file,
    const struct payload *payload, struct hasher *hasher, struct err *err)
{
	AUTO_FREE char *piece = malloc(PIECE);
	int r = piece ? 0 : err_nomem(err);

	for (uint64_t at = 0; r == 0 && at < payload->size;) {
		ssize_t n = payload_read(payload, piece, at, err);

		if (n < 0)
			return (int)n;
		if (task_interrupted())
			return err_set(err, EINTR, "interrupted");
		r = hasher_update(hasher, piece, (size_t)n, err);
		if (r == 0)
			r = new_file_write(file, piece, (size_t)n, at, err);
		at += (uint64_t)n;
		if (payload->sent)
			atomic_fetch_add(payload->sent, (uint64_t)n);
	}
	return r;
}

static int write_blob(const struct new_file *file, const struct digest *digest,
    const struct payload *payload, struct err *err)
{
	CLEANUP(hasher_free_p)
	struct hasher *hasher = hasher_new(digest->algorithm, err);
	char want[DIGEST_TEXT_SIZE], got[DIGEST_TEXT_SIZE];
	struct digest found;
	int r = hasher ? write_payload(file, payload, hasher, err) : -err->code;

	if (r == 0)
		r = hasher_finish(hasher, &found, err);
	if (r == 0 && !digest_equal(&found, digest))
		return err_set(err, EBADMSG, "the digest is %s, not %s",
		    digest_format(&found, got), digest_format(digest, want));
	return r;
}

int layout_blob_store(struct layout_source *layouts, const char *dir,
    const struct digest *digest, const struct payload *payload, struct err *err)
{
	AUTO_FREE char *path = blob_path(dir, digest);
	CLEANUP(new_file_release) struct new_file file = {.fd = -1};
	int r =
	    path ? new_file_begin(layouts, path, &file, err) : err_nomem(err);

	if (r == 0)
		r = write_blob(&file, digest, payload, err);
	return r < 0 ? r : new_file_add(&file, err);
}

/* Its bytes may be another program's, who did not see to it that they stay. */
static int sync_blob(struct layout_source *layouts, const char *path,
    struct err *err)
{
	AUTO_FD int fd =
	    openat(layouts->root, path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);

	if (fd < 0 || fsync(fd) < 0)
		return no_blob(layouts, path, err);
	return 0;
}

int layout_blob_link(struct layout_source *layouts, const char *from,
    const char *to, const struct digest *digest, struct err *err)
{
	AUTO_FREE char *source = blob_path(from, digest);
	AUTO_FREE char *target = blob_path(to, digest);
	int r;

	if (!source || !target)
		return err_nomem(err);
	r = directory_make_parents(layouts, target, err);
	if (r == 0)
		r = sync_blob(layouts, source, err);
	if (r < 0)
		return r == -ENOENT ? 0 : r;
	if (linkat(layouts->root, source, layouts->root, target,
		AT_SYMLINK_FOLLOW) < 0 &&
	    errno != EEXIST)
		return 0;
	r = directory_sync_parent(layouts, target, err);
	return r < 0 ? r : 1;
}

int layout_blob_remove(struct layout_source *layouts, const char *dir,
    const struct digest *digest, struct err *err)
{
	AUTO_FREE char *path = blob_path(dir, digest);

	if (!path)
		return err_nomem(err);
	if (unlinkat(layouts->root, path, 0) < 0 && errno != ENOENT)
		return err_sys(err, "cannot remove %s/%s", layouts->path, path);
	return directory_sync_parent(layouts, path, err);
}
