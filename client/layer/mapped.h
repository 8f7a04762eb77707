/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Files that are mapped: written once, checked as a whole when they are opened,
 * then used as they stand. A file that is not whole, that rotted, or that
 * another version wrote is noticed, and made again by whoever needs it.
 */
#ifndef LAYER_MAPPED_H
#define LAYER_MAPPED_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

/* The name of a format with its version, without a NUL. */
enum { MAPPED_MAGIC_SIZE = 8 };

/* The content behind the file's own header, aligned to eight bytes. */
struct mapped {
	const uint8_t *data;
	size_t size;
	uint64_t crc;
};

/* Takes fd, also on failure. -EBADMSG where the content is not what was
 * written, or not in this format. */
int mapped_open(int fd, const char magic[MAPPED_MAGIC_SIZE], struct mapped *out,
    struct err *err);
void mapped_release(struct mapped *mapped);

struct mapped_piece {
	const void *data;
	size_t size;
};

/* Where a piece begins that follows one of that size. */
static inline size_t mapped_aligned(size_t size)
{
	return (size + 7) & ~(size_t)7;
}

/* Writes the pieces to an empty file, each at the next aligned place. */
int mapped_write(int fd, const char magic[MAPPED_MAGIC_SIZE],
    const struct mapped_piece *pieces, size_t count, struct err *err);

#endif
