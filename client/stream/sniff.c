/* SPDX-License-Identifier: Apache-2.0 */
/* What a stream is, by its first bytes. */
#include "stream/compression.h"

#include <string.h>

struct magic {
	enum compression compression;
	size_t len;
	uint8_t bytes[COMPRESSION_MAGIC_BYTES];
};

static const struct magic magics[] = {
    /* With the method: there never was another one than deflate. */
    {COMPRESSION_GZIP, 3, {0x1f, 0x8b, 0x08}},
    {COMPRESSION_ZSTD, 4, {0x28, 0xb5, 0x2f, 0xfd}},
    {COMPRESSION_BZIP2, 3, {'B', 'Z', 'h'}},
    {COMPRESSION_XZ, 6, {0xfd, '7', 'z', 'X', 'Z', 0x00}},
};

/* A zstd stream can begin with a skippable frame, which has 16 magics. */
static bool is_skippable_frame(const uint8_t *head, size_t len)
{
	static const uint8_t tail[] = {0x2a, 0x4d, 0x18};

	return len >= 4 && (head[0] & 0xf0) == 0x50 &&
	       memcmp(head + 1, tail, sizeof(tail)) == 0;
}

enum compression compression_sniff(const void *head, size_t len)
{
	for (size_t i = 0; i < sizeof(magics) / sizeof(magics[0]); i++) {
		const struct magic *magic = &magics[i];

		if (len >= magic->len &&
		    memcmp(head, magic->bytes, magic->len) == 0)
			return magic->compression;
	}
	if (is_skippable_frame(head, len))
		return COMPRESSION_ZSTD;
	return COMPRESSION_NONE;
}

const char *compression_name(enum compression compression)
{
	switch (compression) {
	case COMPRESSION_NONE:
		return "uncompressed";
	case COMPRESSION_GZIP:
		return "gzip";
	case COMPRESSION_ZSTD:
		return "zstd";
	case COMPRESSION_BZIP2:
		return "bzip2";
	case COMPRESSION_XZ:
		return "xz";
	}
	return "unknown";
}
