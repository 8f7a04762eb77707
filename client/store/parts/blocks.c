/* SPDX-License-Identifier: Apache-2.0 */
/* Which blocks of a blob are there. */
#include "blocks.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "store/parts.h"

enum { WORD_BITS = 64 };

/* A manifest can claim any size; this one takes two megabytes of bits. */
static const uint64_t BLOB_MAX = 1ULL << 40;

static uint64_t count(const struct blocks *blocks)
{
	return blocks_last(blocks->size);
}

static size_t words(const struct blocks *blocks)
{
	return (size_t)(count(blocks) / WORD_BITS + 1);
}

int blocks_init(struct blocks *blocks, uint64_t size, struct err *err)
{
	if (size > BLOB_MAX)
		return err_set(err, EFBIG, "a blob of %llu bytes is too large",
		    (unsigned long long)size);
	blocks->size = size;
	blocks->bits = calloc(words(blocks), sizeof(*blocks->bits));
	return blocks->bits ? 0 : err_nomem(err);
}

void blocks_release(struct blocks *blocks)
{
	free(blocks->bits);
}

uint64_t blocks_first(uint64_t off)
{
	return off / PARTS_BLOCK;
}

uint64_t blocks_last(uint64_t end)
{
	return end / PARTS_BLOCK + (end % PARTS_BLOCK != 0);
}

uint64_t blocks_end(const struct blocks *blocks, uint64_t last)
{
	uint64_t end = last * PARTS_BLOCK;

	return end < blocks->size ? end : blocks->size;
}

bool blocks_has(const struct blocks *blocks, uint64_t block)
{
	return blocks->bits[block / WORD_BITS] >> (block % WORD_BITS) & 1;
}

void blocks_set(struct blocks *blocks, uint64_t first, uint64_t last,
    bool there)
{
	for (uint64_t block = first; block < last; block++) {
		uint64_t bit = 1ULL << (block % WORD_BITS);
		uint64_t *word = &blocks->bits[block / WORD_BITS];

		*word = there ? *word | bit : *word & ~bit;
	}
}

void blocks_clear(struct blocks *blocks)
{
	memset(blocks->bits, 0, words(blocks) * sizeof(*blocks->bits));
}

uint64_t blocks_bytes(const struct blocks *blocks)
{
	uint64_t n = count(blocks), bytes = 0;

	for (size_t i = 0; i < words(blocks); i++)
		bytes += (uint64_t)__builtin_popcountll(blocks->bits[i]) *
			 PARTS_BLOCK;
	/* The blob's last block may be a short one. */
	if (n > 0 && blocks_has(blocks, n - 1))
		bytes -= n * PARTS_BLOCK - blocks->size;
	return bytes;
}

void blocks_find(struct blocks *blocks, int fd)
{
	uint64_t hole = 0;

	while (hole < blocks->size) {
		off_t data = lseek(fd, (off_t)hole, SEEK_DATA);
		off_t end = data < 0 ? -1 : lseek(fd, data, SEEK_HOLE);

		if (data < 0 || end < 0)
			return;
		hole = (uint64_t)end;
		if (hole < blocks->size)
			end -= end % PARTS_BLOCK;
		else
			end = (off_t)blocks->size;
		blocks_set(blocks, blocks_last((uint64_t)data),
		    blocks_last((uint64_t)end), true);
	}
}
