/* SPDX-License-Identifier: Apache-2.0 */
/* Text that is kept compressed. */
#include "toc_text.h"

#include <errno.h>
#include <stdlib.h>
#include <zstd.h>

enum {
	LEVEL = 3,
	WINDOW_LOG = 20, /* of 21: half the memory */
	COMPRESSED_MAX = 64 << 20,
	ROOM = 64 << 10,
};

struct toc_text {
	ZSTD_CCtx *zstd;
	uint64_t size;
	struct buf out;
};

int toc_text_new(struct toc_text **out, struct err *err)
{
	CLEANUP(toc_text_free_p)
	struct toc_text *text = calloc(1, sizeof(*text));

	if (!text)
		return err_nomem(err);
	text->out = BUF_INIT(COMPRESSED_MAX);
	text->zstd = ZSTD_createCCtx();
	if (!text->zstd)
		return err_nomem(err);
	ZSTD_CCtx_setParameter(text->zstd, ZSTD_c_compressionLevel, LEVEL);
	ZSTD_CCtx_setParameter(text->zstd, ZSTD_c_windowLog, WINDOW_LOG);
	*out = steal(&text);
	return 0;
}

void toc_text_free(struct toc_text *text)
{
	if (!text)
		return;
	ZSTD_freeCCtx(text->zstd);
	buf_release(&text->out);
	free(text);
}

/* What libzstd says is left to do; less than 0 on failure. */
static int64_t step(struct toc_text *text, ZSTD_inBuffer *in,
    ZSTD_EndDirective directive, struct err *err)
{
	ZSTD_outBuffer out = {.size = ROOM};
	size_t left;
	int r = buf_reserve(&text->out, ROOM, err);

	if (r < 0)
		return r;
	out.dst = text->out.data + text->out.len;
	left = ZSTD_compressStream2(text->zstd, &out, in, directive);
	if (ZSTD_isError(left))
		return err_nomem(err);
	text->out.len += out.pos;
	text->out.data[text->out.len] = '\0';
	return (int64_t)left;
}

int toc_text_add(struct toc_text *text, const void *data, size_t len,
    struct err *err)
{
	ZSTD_inBuffer in = {data, len, 0};

	text->size += len;
	while (in.pos < in.size) {
		int64_t left = step(text, &in, ZSTD_e_continue, err);

		if (left < 0)
			return (int)left;
	}
	return 0;
}

int toc_text_end(struct toc_text *text, const struct buf **out, uint64_t *size,
    struct err *err)
{
	ZSTD_inBuffer none = {NULL, 0, 0};
	int64_t left;

	do
		left = step(text, &none, ZSTD_e_end, err);
	while (left > 0);
	*out = &text->out;
	*size = text->size;
	return left < 0 ? (int)left : 0;
}
