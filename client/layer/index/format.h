/* SPDX-License-Identifier: Apache-2.0 */
/* How an index is in its file: a head, then the lists in this order, of which
 * the last one is the heap. The salt of all checks is that of the head. */
#ifndef LAYER_FORMAT_H
#define LAYER_FORMAT_H

#include "layer/index.h"
#include "records.h"
#include "tar/format.h"

/* The last characters are the version: any change here is another one. */
#define INDEX_MAGIC "rfslay04"

struct index_head {
	uint32_t vouching, compression;
	uint32_t blob_algorithm, stream_algorithm;
	uint8_t blob[DIGEST_MAX_BYTES], stream[DIGEST_MAX_BYTES];
	uint64_t blob_size, stream_size;
	uint64_t entries, children, spans, extents, heap; /* how many of each */
	uint32_t has_acls, has_dangling;
};

/* A name in a directory; its text is part of what the check is of. */
struct index_child {
	uint32_t entry;
	uint32_t name; /* in the heap */
	uint32_t check;
};

/*
 * The heap has names, which end in a NUL, and blocks: how many bytes (32 bits),
 * the bytes, a check. A block counts as the record of its place's number.
 *
 * Offset 0 is an empty text, and says that there is nothing.
 */
enum {
	HEAP_NOTHING = 0,
	BLOCK_SIZE_BYTES = 4,
	BLOCK_CHECK_BYTES = 4,
	/* Attributes are the largest. */
	BLOCK_MAX = 2 * TAR_EXTENDED_MAX,
};

/* What the check of a block with that many bytes is made with. */
static inline struct records block_records(uint32_t salt, uint32_t size)
{
	return (struct records){.size = BLOCK_SIZE_BYTES + (size_t)size +
					BLOCK_CHECK_BYTES,
	    .salt = salt};
}

/* An entry's attributes are a block: for each the name with its NUL, the
 * value's length (32 bits), the value. */

#endif
