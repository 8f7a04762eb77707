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

/* How many zeros follow a body of that size. */
static inline uint64_t tar_padding(uint64_t size)
{
	return (TAR_BLOCK - size % TAR_BLOCK) % TAR_BLOCK;
}

/* Whether a stream with these first bytes is a tar: a header, or the zeros of
 * an empty one. False for less than TAR_BLOCK bytes. */
bool tar_sniff(const void *head, size_t len);

#endif
