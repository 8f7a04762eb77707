/* SPDX-License-Identifier: Apache-2.0 */
/* zstd by libzstd. */
#include "format.h"

#include <errno.h>
#include <stdlib.h>
#include <zstd.h>

#include "zstd_header.h"

/* The most that `zstd --long` asks for without another option: 128 MiB. A
 * frame that needs more is not worth the memory. */
enum { WINDOW_LOG_MAX = 27 };

struct unzstd {
	ZSTD_DCtx *context; /* NULL: see format.h, window() */
	uint64_t allowed;   /* for its window */
	uint64_t window;    /* of the frame; once its header is there */
	bool in_frame;      /* what follows is after the header, */

	/* which the context is given first where it came in pieces. */
	uint8_t header[ZSTD_HEADER_MAX];
	size_t header_len;
};

static ZSTD_DCtx *context_new(void)
{
	ZSTD_DCtx *context = ZSTD_createDCtx();

	if (context)
		ZSTD_DCtx_setParameter(context, ZSTD_d_windowLogMax,
		    WINDOW_LOG_MAX);
	return context;
}

static void unzstd_free(void *arg)
{
	struct unzstd *unzstd = arg;

	ZSTD_freeDCtx(unzstd->context);
	free(unzstd);
}

static void *unzstd_new(void)
{
	struct unzstd *unzstd = calloc(1, sizeof(*unzstd));

	if (!unzstd)
		return NULL;
	unzstd->allowed = FORMAT_WINDOW_FREE;
	unzstd->context = context_new();
	if (unzstd->context)
		return unzstd;
	unzstd_free(unzstd);
	return NULL;
}

/* Of a frame, or of one that is to be skipped. */
static bool unzstd_begins(uint8_t first)
{
	return first == 0x28 || (first & 0xf0) == 0x50;
}

static void unzstd_begin(void *arg)
{
	struct unzstd *unzstd = arg;

	ZSTD_DCtx_reset(unzstd->context, ZSTD_reset_session_only);
	unzstd->in_frame = false;
	unzstd->header_len = 0;
}

/* Takes as much of the header as there is. Whether that is all. */
static bool take_header(struct unzstd *unzstd, struct format_input *in)
{
	uint8_t *header = unzstd->header;

	while (in->len > 0 && unzstd->header_len < zstd_header_need(header,
						       unzstd->header_len)) {
		header[unzstd->header_len++] = *in->data++;
		in->len--;
	}
	return unzstd->header_len >=
	       zstd_header_need(header, unzstd->header_len);
}

/* Learns the frame's window. False while more of its header has to come. */
static bool enter_frame(struct unzstd *unzstd, struct format_input *in)
{
	struct format_input before = *in;
	bool in_one_piece = unzstd->header_len == 0;

	if (!take_header(unzstd, in))
		return false;
	unzstd->in_frame = true;
	unzstd->window = zstd_header_window(unzstd->header);
	/* A frame that is there from its start to its end is decoded faster. */
	if (in_one_piece) {
		*in = before;
		unzstd->header_len = 0;
	}
	return true;
}

static bool wants_more(const struct unzstd *unzstd)
{
	return unzstd->window > unzstd->allowed &&
	       unzstd->window <= UINT64_C(1) << WINDOW_LOG_MAX;
}

static uint64_t unzstd_window(const void *arg)
{
	const struct unzstd *unzstd = arg;

	return unzstd->window;
}

static int unzstd_allow(void *arg, struct err *err)
{
	struct unzstd *unzstd = arg;

	unzstd->context = context_new();
	unzstd->allowed = unzstd->window;
	return unzstd->context ? 0 : err_nomem(err);
}

static int decode(struct unzstd *unzstd, struct format_input *in,
    struct format_output *out, struct err *err)
{
	ZSTD_inBuffer input = {in->data, in->len, 0};
	ZSTD_outBuffer output = {out->data, out->size, out->len};
	size_t left = ZSTD_decompressStream(unzstd->context, &output, &input);

	in->data += input.pos;
	in->len -= input.pos;
	out->len = output.pos;
	if (ZSTD_isError(left))
		return err_set(err, EINVAL, "%s", ZSTD_getErrorName(left));
	return left == 0 ? FORMAT_MEMBER_END : FORMAT_USED_UP;
}

static int unzstd_step(void *arg, struct format_input *in,
    struct format_output *out, struct err *err)
{
	struct unzstd *unzstd = arg;
	struct format_input header;
	int r = 0;

	if (!unzstd->in_frame && !enter_frame(unzstd, in))
		return FORMAT_USED_UP;
	if (wants_more(unzstd)) {
		ZSTD_freeDCtx(steal(&unzstd->context));
		return FORMAT_WINDOW;
	}
	header = (struct format_input){unzstd->header, unzstd->header_len};
	while (r >= 0 && header.len > 0)
		r = decode(unzstd, &header, out, err);
	unzstd->header_len = 0;
	return r < 0 ? r : decode(unzstd, in, out, err);
}

const struct format format_zstd = {
    .state_new = unzstd_new,
    .state_free = unzstd_free,
    .begins = unzstd_begins,
    .begin = unzstd_begin,
    .step = unzstd_step,
    .window = unzstd_window,
    .allow = unzstd_allow,
};
