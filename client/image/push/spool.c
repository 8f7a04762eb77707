/* SPDX-License-Identifier: Apache-2.0 */
/* Files that are being written. */
#include "image/spool.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/lock.h"

/* Tools that write out of order have a handful of pieces in flight; a sparse
 * file has a few thousand. More is nobody's archive. */
enum { EXTENTS_MAX = 1 << 16 };

struct extent {
	uint64_t start, end;
};

struct spool {
	int fd;
	pthread_mutex_t lock;

	/* Under lock. */
	uint64_t size;
	unsigned generation;
	struct extent *extents; /* written: sorted, with gaps between them */
	size_t count, cap;
};

int spool_new(struct store *store, struct spool **out, struct err *err)
{
	CLEANUP(spool_free_p) struct spool *spool = calloc(1, sizeof(*spool));

	if (!spool)
		return err_nomem(err);
	pthread_mutex_init(&spool->lock, NULL);
	spool->fd = store_temp(store, err);
	if (spool->fd < 0)
		return spool->fd;
	*out = steal(&spool);
	return 0;
}

void spool_free(struct spool *spool)
{
	if (!spool)
		return;
	cleanup_fd(&spool->fd);
	pthread_mutex_destroy(&spool->lock);
	free(spool->extents);
	free(spool);
}

int spool_fd(const struct spool *spool)
{
	return spool->fd;
}

uint64_t spool_size(struct spool *spool)
{
	SCOPED_LOCK(&spool->lock);

	return spool->size;
}

/* Under lock. */
static uint64_t prefix(const struct spool *spool)
{
	if (spool->count == 0 || spool->extents[0].start > 0)
		return 0;
	return spool->extents[0].end;
}

uint64_t spool_prefix(struct spool *spool)
{
	SCOPED_LOCK(&spool->lock);

	return prefix(spool);
}

unsigned spool_generation(struct spool *spool)
{
	SCOPED_LOCK(&spool->lock);

	return spool->generation;
}

/* Makes room for one more extent. Under lock. */
static int reserve(struct spool *spool, struct err *err)
{
	size_t cap = spool->cap ? 2 * spool->cap : 4;
	struct extent *extents;

	if (spool->count < spool->cap)
		return 0;
	if (cap > EXTENTS_MAX)
		return err_set(err, EFBIG,
		    "the file is written in more than %d separate pieces",
		    EXTENTS_MAX);
	extents = realloc(spool->extents, cap * sizeof(*extents));
	if (!extents)
		return err_nomem(err);
	spool->extents = extents;
	spool->cap = cap;
	return 0;
}

/* Adds an extent, merged with those that it touches; there is room. It is
 * looked for from the end, where writers go on. Under lock. */
static void add(struct spool *spool, struct extent new)
{
	struct extent *extents = spool->extents;
	size_t first, end = spool->count;

	while (end > 0 && extents[end - 1].start > new.end)
		end--;
	first = end;
	while (first > 0 && extents[first - 1].end >= new.start) {
		first--;
		if (extents[first].start < new.start)
			new.start = extents[first].start;
		if (extents[first].end > new.end)
			new.end = extents[first].end;
	}
	memmove(extents + first + 1, extents + end,
	    (spool->count - end) * sizeof(*extents));
	extents[first] = new;
	spool->count = spool->count - (end - first) + 1;
}

static int record(struct spool *spool, uint64_t start, uint64_t end,
    struct err *err)
{
	SCOPED_LOCK(&spool->lock);
	int r = reserve(spool, err);

	if (r < 0)
		return r;
	if (start < prefix(spool))
		spool->generation++;
	add(spool, (struct extent){start, end});
	if (spool->size < end)
		spool->size = end;
	return 0;
}

int spool_write(struct spool *spool, const void *data, size_t len, uint64_t off,
    struct err *err)
{
	int r;

	if (len == 0)
		return 0;
	if (off > INT64_MAX - len)
		return err_set(err, EFBIG,
		    "the file would be larger than a file can be");
	r = file_pwrite(spool->fd, data, len, off, err);
	if (r == 0)
		return record(spool, off, off + len, err);
	/* Some of it may have come over what was there. */
	SCOPED_LOCK(&spool->lock);
	if (off < prefix(spool))
		spool->generation++;
	return r;
}

ssize_t spool_read(struct spool *spool, void *data, size_t len, uint64_t off,
    struct err *err)
{
	if (off > INT64_MAX - len)
		return 0;
	return file_pread(spool->fd, data, len, off, err);
}

bool spool_begins_with(struct spool *spool, struct spool *other)
{
	enum { PIECE = 64 << 10 };
	AUTO_FREE char *a = malloc(PIECE), *b = malloc(PIECE);
	uint64_t size = spool_size(other);

	if (!a || !b || spool_size(spool) < size)
		return false;
	for (uint64_t at = 0; at < size;) {
		uint64_t left = size - at;
		size_t len = left < PIECE ? (size_t)left : PIECE;

		if (spool_read(spool, a, len, at, ERR_IGNORE) != (ssize_t)len ||
		    spool_read(other, b, len, at, ERR_IGNORE) != (ssize_t)len ||
		    memcmp(a, b, len) != 0)
			return false;
		at += len;
	}
	return true;
}

int spool_truncate(struct spool *spool, uint64_t size, struct err *err)
{
	if (size > INT64_MAX)
		return err_set(err, EFBIG,
		    "the file would be larger than a file can be");
	if (ftruncate(spool->fd, (off_t)size) < 0)
		return err_sys(err, "cannot set the file's size");
	SCOPED_LOCK(&spool->lock);
	if (size < prefix(spool))
		spool->generation++;
	while (
	    spool->count > 0 && spool->extents[spool->count - 1].start >= size)
		spool->count--;
	if (spool->count > 0 && spool->extents[spool->count - 1].end > size)
		spool->extents[spool->count - 1].end = size;
	spool->size = size;
	return 0;
}

int spool_fill(struct spool *spool, struct err *err)
{
	SCOPED_LOCK(&spool->lock);
	int r = reserve(spool, err);

	if (r == 0 && spool->size > 0)
		add(spool, (struct extent){0, spool->size});
	return r;
}
