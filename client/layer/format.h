/* SPDX-License-Identifier: Apache-2.0 */
/* How an index stands in its file: a head, then the lists in this order. */
#ifndef LAYER_FORMAT_H
#define LAYER_FORMAT_H

#include "layer/index.h"

/* The last characters are the version: any change here is another one. */
#define INDEX_MAGIC "rfslay01"

struct index_head {
	uint32_t vouching, compression;
	uint32_t blob_algorithm, stream_algorithm;
	uint8_t blob[DIGEST_MAX_BYTES], stream[DIGEST_MAX_BYTES];
	uint64_t blob_size, stream_size;
	uint64_t entries, children, spans, extents, heap; /* how many of each */
	uint32_t has_acls, has_dangling;
};

/* Offset 0 of the heap is an empty text, and says that there is nothing. */
enum { HEAP_NOTHING = 0 };

/* In the heap an entry's attributes are a number of bytes (32 bits), then that
 * many: for each the name with its NUL, the value's length (32 bits), the
 * value. */

#endif
