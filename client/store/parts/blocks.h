/* SPDX-License-Identifier: Apache-2.0 */
/* Which blocks of a blob are there. Blocks are numbered; `last` is the one
 * behind the last that is meant. */
#ifndef STORE_BLOCKS_H
#define STORE_BLOCKS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

struct blocks {
	uint64_t size;  /* of the blob, in bytes */
	uint64_t *bits; /* one a block */
};

/* None of them are there. -EFBIG, -ENOMEM. */
int blocks_init(struct blocks *blocks, uint64_t size, struct err *err);
void blocks_release(struct blocks *blocks);

/* The block that the byte is in, and the one behind the byte before end. */
uint64_t blocks_first(uint64_t off);
uint64_t blocks_last(uint64_t end);

/* The byte behind the block before last. */
uint64_t blocks_end(const struct blocks *blocks, uint64_t last);

bool blocks_has(const struct blocks *blocks, uint64_t block);
void blocks_set(struct blocks *blocks, uint64_t first, uint64_t last,
    bool there);
void blocks_clear(struct blocks *blocks);

/* How many bytes are there. */
uint64_t blocks_bytes(const struct blocks *blocks);

/* Adds those that are in a sparse file, without a hole in them. */
void blocks_find(struct blocks *blocks, int fd);

#endif
