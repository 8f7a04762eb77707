/* SPDX-License-Identifier: Apache-2.0 */
/* What all who deal with tars have to know of the format. */
#ifndef TAR_FORMAT_H
#define TAR_FORMAT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	TAR_BLOCK = 512,
	TAR_NAME_MAX = 4096,        /* PATH_MAX: no more can be unpacked */
	TAR_EXTENDED_MAX = 1 << 20, /* Go's limit of a pax header */
};

enum tar_type {
	TAR_FILE = '0',
	TAR_HARDLINK = '1',
	TAR_SYMLINK = '2',
	TAR_CHAR = '3',
	TAR_BLOCK_DEVICE = '4',
	TAR_DIRECTORY = '5',
	TAR_FIFO = '6',
};

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
	/* GNU's: the data is these pieces, one after the other. They ascend,
	 * do not overlap and end within file_size; a file may have none. Of a
	 * version that nobody knows there is one, the file as stored. */
	bool is_sparse;
	const struct tar_extent *extents; /* NULL if there are none */
	size_t extent_count;
	/* Nothing here is what is left of something larger, nothing without
	 * data has a size, and there are no times of other formats. */
	bool is_exact;
	/* Engines unpack it as it stands: its headers' types are Go's. */
	bool is_plain;
	const struct tar_xattr *xattrs; /* each name once, sorted by it; NULL
					 * if there are none */
	size_t xattr_count;
};

/* How many zeros follow a body of that size. */
static inline uint64_t tar_padding(uint64_t size)
{
	return (TAR_BLOCK - size % TAR_BLOCK) % TAR_BLOCK;
}

/* Whether a stream with these first bytes is a tar: a header, or the zeros of
 * an empty one. False for less than TAR_BLOCK bytes. */
bool tar_sniff(const void *head, size_t len);

#endif
