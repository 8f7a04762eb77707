/* SPDX-License-Identifier: Apache-2.0 */
/* A header block of 512 bytes, taken apart. */
#ifndef TAR_BLOCK_H
#define TAR_BLOCK_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "tar/format.h"

/* Where the fields are: POSIX.1 pax, "ustar Interchange Format". */
enum {
	BLOCK_NAME = 0,
	BLOCK_NAME_LEN = 100,
	BLOCK_MODE = 100,
	BLOCK_UID = 108,
	BLOCK_GID = 116,
	BLOCK_ID_LEN = 8, /* also of the mode, the checksum and devices */
	BLOCK_SIZE = 124,
	BLOCK_MTIME = 136,
	BLOCK_LONG_LEN = 12, /* of size and mtime */
	BLOCK_CHECKSUM = 148,
	BLOCK_TYPE = 156,
	BLOCK_LINK = 157,
	BLOCK_LINK_LEN = 100,
	BLOCK_MAGIC = 257,
	BLOCK_MAGIC_LEN = 8, /* with the version */
	BLOCK_DEV_MAJOR = 329,
	BLOCK_DEV_MINOR = 337,
	BLOCK_PREFIX = 345,
	BLOCK_PREFIX_LEN = 155,
};

/* Types of header blocks that enum tar_type does not have. What is not here
 * either is a file: POSIX.1 pax, "ustar Interchange Format", typeflag. */
enum {
	TYPE_OLD_FILE = '\0',
	TYPE_GNU_SPARSE = 'S',
	TYPE_GNU_DUMPDIR = 'D', /* a directory; its body lists its names */
	TYPE_GNU_VOLUME = 'V',  /* the name of the archive */
	TYPE_SOLARIS_ACL = 'A', /* of the next entry */
	/* What these have for a body is about the next entry. */
	TYPE_PAX = 'x',
	TYPE_PAX_GLOBAL = 'g',
	TYPE_SOLARIS_PAX = 'X', /* pax, before it was a standard */
	TYPE_GNU_LONG_NAME = 'L',
	TYPE_GNU_LONG_LINK = 'K',
};

struct block {
	char type;
	char name[BLOCK_PREFIX_LEN + 1 + BLOCK_NAME_LEN + 1];
	char link[BLOCK_LINK_LEN + 1];
	int64_t size, mode, uid, gid, mtime, dev_major, dev_minor;
	bool is_gnu;
	bool has_times; /* other than mtime, which are not taken */
};

/* -EINVAL with a sentence without the offset. */
int block_parse(const uint8_t *data, struct block *out, struct err *err);

/* Whether all bytes of a block (TAR_BLOCK bytes) are zero. */
bool block_is_zero(const uint8_t *data);

/* The sum that belongs in the checksum field. */
uint32_t block_checksum(const uint8_t *data);

#endif
