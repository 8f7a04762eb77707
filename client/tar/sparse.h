/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The map of a sparse file: which pieces of it are stored. GNU tar has four
 * ways to write one; whichever it was, the same is asked of the pieces.
 */
#ifndef TAR_SPARSE_H
#define TAR_SPARSE_H

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"

/* Where the map is. */
enum sparse_version {
	SPARSE_NOT,     /* there is none: the file is not sparse */
	SPARSE_UNKNOWN, /* a version nobody knows: the file is as stored */
	SPARSE_GNU,     /* in the header, and in blocks after it */
	SPARSE_PAX_0,   /* in the pax header: versions 0.0 and 0.1 */
	SPARSE_PAX_1,   /* in the first blocks of the body: version 1.0 */
};

struct sparse_map {
	struct buf extents; /* of struct tar_extent, none of them empty */
	uint64_t end;       /* of the last one, empty ones included */
	uint64_t stored;    /* the sum of their sizes */
	int64_t file_size;  /* SPARSE_GNU: as the header has it */
	size_t block_bytes; /* of the blocks that were added */
	size_t lines;       /* SPARSE_PAX_1: newlines in text */
	struct buf text;    /* SPARSE_PAX_1: the map up to now */
};

/* Makes it an empty map, which owns no memory yet. */
void sparse_init(struct sparse_map *map);

/* Makes it an empty map, keeps the memory. */
void sparse_reset(struct sparse_map *map);
void sparse_release(struct sparse_map *map);

/*
 * These add to an empty map, in the ways of each version; those that return 1
 * want another block. -EINVAL where extents overlap or are out of order, where
 * something is no number, or the map is longer than TAR_EXTENDED_MAX.
 */

/* SPARSE_GNU: the header, then block by block. 0 or 1. */
int sparse_add_header(struct sparse_map *map, const uint8_t *data,
    struct err *err);
int sparse_add_block(struct sparse_map *map, const uint8_t *data,
    struct err *err);

/* SPARSE_PAX_0: "OFFSET,SIZE,OFFSET,SIZE", `count` pairs. 0. */
int sparse_add_list(struct sparse_map *map, int64_t count, const char *text,
    struct err *err);

/* SPARSE_PAX_1: a block of lines. 0 or 1. */
int sparse_add_lines(struct sparse_map *map, const uint8_t *data,
    struct err *err);

/* SPARSE_UNKNOWN: one extent, of a whole file of that size. 0. */
int sparse_add_all(struct sparse_map *map, int64_t size, struct err *err);

/* -EINVAL unless this can be the map of a file of file_size bytes of which
 * `stored` are in the archive. */
int sparse_check(const struct sparse_map *map, int64_t file_size,
    uint64_t stored, struct err *err);

#endif
