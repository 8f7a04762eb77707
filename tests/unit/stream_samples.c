/* SPDX-License-Identifier: Apache-2.0 */
#include "stream_samples.h"

#include <stdbool.h>

void append(struct buf *buf, const void *data, size_t len)
{
	struct err err = ERR_INIT;

	assert_int_equal(buf_add(buf, data, len, &err), 0);
}

void sample_make(enum kind kind, struct buf *out)
{
	unsigned seed = 1;

	while (out->len < PLAIN_SIZE) {
		char word[32];
		int n = snprintf(word, sizeof(word), "%d of %x, ",
		    rand_r(&seed) % 1000, rand_r(&seed) % 5000);

		if (kind == NOISE)
			for (int i = 0; i < n; i++)
				word[i] = (char)rand_r(&seed);
		if (kind == ZEROS)
			memset(word, 0, (size_t)n);
		append(out, word, (size_t)n);
	}
}

void gzip(int level, const void *data, size_t len, struct buf *out)
{
	struct libdeflate_compressor *compressor =
	    libdeflate_alloc_compressor(level);
	size_t room = libdeflate_gzip_compress_bound(compressor, len);
	AUTO_FREE char *member = malloc(room);

	append(out, member,
	    libdeflate_gzip_compress(compressor, data, len, member, room));
	libdeflate_free_compressor(compressor);
}

/* Blocks that end on a byte and are not the last, `how` 0 and 1 in codes that
 * ISA-L has ready and `how` 2 in their own. */
static void deflate_blocks(int how, const void *data, size_t len,
    struct buf *out)
{
	AUTO_FREE struct isal_zstream *z = calloc(1, sizeof(*z));
	AUTO_FREE uint8_t *level_buf = malloc(ISAL_DEF_LVL1_MIN);
	AUTO_FREE uint8_t *bytes = malloc(2 * len + 1000);

	isal_deflate_init(z);
	if (how == 0)
		isal_deflate_set_hufftables(z, NULL, IGZIP_HUFFTABLE_STATIC);
	if (how == 2) {
		z->level = 1;
		z->level_buf = level_buf;
		z->level_buf_size = ISAL_DEF_LVL1_MIN;
	}
	z->flush = SYNC_FLUSH;
	z->next_in = (uint8_t *)(uintptr_t)data;
	z->avail_in = (uint32_t)len;
	z->next_out = bytes;
	z->avail_out = (uint32_t)(2 * len + 1000);
	assert_int_equal(isal_deflate(z), COMP_OK);
	append(out, bytes, z->total_out);
}

static void store_block(bool last, const void *data, uint16_t len,
    struct buf *out)
{
	const uint8_t head[] = {last, len & 0xff, len >> 8, ~len & 0xff,
	    (uint8_t)(~len >> 8)};

	append(out, head, sizeof(head));
	append(out, data, len);
}

void gzip_mixed(const struct buf *plain, struct buf *out)
{
	static const uint8_t header[10] = {0x1f, 0x8b, 8};
	uint32_t trailer[2] = {crc32_gzip_refl(0, (const uint8_t *)plain->data,
				   plain->len),
	    (uint32_t)plain->len};
	unsigned seed = 1;

	append(out, header, sizeof(header));
	for (size_t done = 0, n; done < plain->len; done += n) {
		int how = rand_r(&seed) % 4;

		n = (size_t)rand_r(&seed) % 4000;
		if (n > plain->len - done)
			n = plain->len - done;
		if (how == 3)
			store_block(false, plain->data + done, (uint16_t)n,
			    out);
		else
			deflate_blocks(how, plain->data + done, n, out);
	}
	store_block(true, "", 0, out);
	append(out, trailer, sizeof(trailer)); /* on little endian */
}

void zstd_frame(const void *data, size_t len, struct buf *out)
{
	AUTO_FREE char *frame = malloc(ZSTD_compressBound(len));
	size_t n = ZSTD_compress(frame, ZSTD_compressBound(len), data, len, 1);

	assert_false(ZSTD_isError(n));
	append(out, frame, n);
}
