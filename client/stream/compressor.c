/* SPDX-License-Identifier: Apache-2.0 */
/* Pieces: members by a deflater, frames by libzstd. */
#include "compressor.h"

#include <assert.h>
#include <zstd.h>

#include "deflater.h"

enum { ZSTD_LEVEL = 3 };

/* One of the two. */
struct compressor {
	struct deflater *deflater;
	ZSTD_CCtx *zstd;
};

static int begin_gzip(struct compressor *compressor, int level, struct err *err)
{
	return deflater_new(level == COMPRESSION_LEVEL_DEFAULT
				? DEFLATER_DEFAULT
				: level,
	    &compressor->deflater, err);
}

static int begin_zstd(struct compressor *compressor, int level, struct err *err)
{
	compressor->zstd = ZSTD_createCCtx();
	if (!compressor->zstd)
		return err_nomem(err);
	ZSTD_CCtx_setParameter(compressor->zstd, ZSTD_c_compressionLevel,
	    level == COMPRESSION_LEVEL_DEFAULT ? ZSTD_LEVEL : level);
	return 0;
}

int compressor_new(enum compression compression, int level,
    struct compressor **out, struct err *err)
{
	CLEANUP(compressor_free_p)
	struct compressor *compressor = calloc(1, sizeof(*compressor));
	int r;

	assert(
	    compression == COMPRESSION_GZIP || compression == COMPRESSION_ZSTD);
	if (!compressor)
		return err_nomem(err);
	r = compression == COMPRESSION_GZIP
		? begin_gzip(compressor, level, err)
		: begin_zstd(compressor, level, err);
	if (r == 0)
		*out = steal(&compressor);
	return r;
}

void compressor_free(struct compressor *compressor)
{
	if (!compressor)
		return;
	deflater_free(compressor->deflater);
	ZSTD_freeCCtx(compressor->zstd);
	free(compressor);
}

size_t compressor_bound(const struct compressor *compressor, size_t len)
{
	return compressor->deflater ? deflater_bound(len)
				    : ZSTD_compressBound(len);
}

size_t compressor_run(struct compressor *compressor, const void *in, size_t len,
    void *out)
{
	size_t n;

	if (compressor->deflater)
		return deflater_gzip(compressor->deflater, in, len, out);
	n = ZSTD_compress2(compressor->zstd, out, ZSTD_compressBound(len), in,
	    len);
	return ZSTD_isError(n) ? 0 : n;
}
