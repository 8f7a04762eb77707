/* SPDX-License-Identifier: Apache-2.0 */
/* zstd by libzstd. */
#include "format.h"

#include <errno.h>
#include <zstd.h>

/* The most that `zstd --long` asks for without another option: 128 MiB. A
 * frame that needs more is not worth the memory. */
enum { WINDOW_LOG_MAX = 27 };

static void *unzstd_new(void)
{
	ZSTD_DCtx *context = ZSTD_createDCtx();

	if (context)
		ZSTD_DCtx_setParameter(context, ZSTD_d_windowLogMax,
		    WINDOW_LOG_MAX);
	return context;
}

static void unzstd_free(void *context)
{
	ZSTD_freeDCtx(context);
}

/* Of a frame, or of one that is to be skipped. */
static bool unzstd_begins(uint8_t first)
{
	return first == 0x28 || (first & 0xf0) == 0x50;
}

static void unzstd_begin(void *context)
{
	ZSTD_DCtx_reset(context, ZSTD_reset_session_only);
}

static int unzstd_step(void *context, struct format_input *in,
    struct format_output *out, struct err *err)
{
	ZSTD_inBuffer input = {in->data, in->len, 0};
	ZSTD_outBuffer output = {out->data, out->size, out->len};
	size_t left = ZSTD_decompressStream(context, &output, &input);

	in->data += input.pos;
	in->len -= input.pos;
	out->len = output.pos;
	if (ZSTD_isError(left))
		return err_set(err, EINVAL, "%s", ZSTD_getErrorName(left));
	return left == 0 ? FORMAT_MEMBER_END : FORMAT_USED_UP;
}

const struct format format_zstd = {
    .state_new = unzstd_new,
    .state_free = unzstd_free,
    .begins = unzstd_begins,
    .begin = unzstd_begin,
    .step = unzstd_step,
};
