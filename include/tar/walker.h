/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reads a tar that is pushed at it: POSIX ustar and pax (size, path, linkpath,
 * mtime, uid, gid, extended attributes), GNU long names, base-256 numbers and
 * sparse files (the old ones, and pax 0.0, 0.1 and 1.0), old v7. What an entry
 * means follows Go's archive/tar, because that is what container engines unpack
 * with: entries that are no regular files have no body whatever their size
 * says, global pax headers have no effect, and entries of unknown types are
 * skipped.
 */
#ifndef TAR_WALKER_H
#define TAR_WALKER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "tar/format.h"

/* An extended attribute (pax SCHILY.xattr.NAME). The value is any bytes. */
struct tar_xattr {
	const char *name; /* not "" */
	const void *value;
	size_t len;
};

/* A piece of a sparse file: `size` bytes of it at `offset`, never none. */
struct tar_extent {
	uint64_t offset;
	uint64_t size;
};

/* A time that few writers give. */
struct tar_time {
	bool is_set;
	int64_t seconds;
	uint32_t nanos;
};

struct tar_entry {
	enum tar_type type;
	const char *name;   /* as written, no more than TAR_NAME_MAX bytes */
	const char *link;   /* "" if none */
	uint64_t size;      /* of the data in the stream; 0 unless a file */
	uint64_t offset;    /* of the data in the stream */
	uint64_t begin;     /* of its first header in the stream */
	uint64_t file_size; /* size, unless it is sparse */
	uint32_t mode;      /* permission bits */
	int64_t raw_mode;   /* the same with what else the header has there */
	uint32_t uid, gid;
	int64_t mtime;
	uint32_t mtime_nanos;
	struct tar_time atime, ctime;
	uint32_t dev_major, dev_minor;
	/* GNU's: the data is these pieces, one behind the other. They ascend,
	 * do not overlap and end within file_size; a file may have none. Of a
	 * version that nobody knows there is one, the file as stored. */
	bool is_sparse;
	const struct tar_extent *extents; /* NULL if there are none */
	size_t extent_count;
	/* Nothing here is what is left of something larger, nothing without
	 * data has a size, and there are no times of other formats. */
	bool is_exact;
	const struct tar_xattr *xattrs; /* each name once, sorted by it; NULL
					 * if there are none */
	size_t xattr_count;
};

/* What the walker calls; each returns 0, or -errno, which ends the walk. The
 * entry is valid during the call. */
struct tar_handler {
	int (*entry)(void *arg, const struct tar_entry *entry, struct err *err);
	/* Pieces of the last entry's data, in order; NULL: bodies are
	 * skipped. */
	int (*data)(void *arg, const void *data, size_t len, struct err *err);
	void *arg;
};

struct tar_walker;

int tar_walker_new(const struct tar_handler *handler, struct tar_walker **out,
    struct err *err);

/*
 * Takes the next bytes. 1 when the archive's end (two blocks of zeros) has been
 * seen, then *used (may be NULL) says how many of these bytes belong to it;
 * else 0. -EINVAL with a sentence that says what is wrong at which offset.
 */
int tar_walker_feed(struct tar_walker *walker, const void *data, size_t len,
    size_t *used, struct err *err);

/* Bytes taken so far; after the end, the archive's size with its two blocks. */
uint64_t tar_walker_offset(const struct tar_walker *walker);

/* Whether it stands between two entries, so that an archive without an end
 * marker could end here. */
bool tar_walker_between(const struct tar_walker *walker);
void tar_walker_free(struct tar_walker *walker);

DEFINE_CLEANUP(struct tar_walker *, tar_walker_free);

#endif
