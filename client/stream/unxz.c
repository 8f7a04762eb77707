/* SPDX-License-Identifier: Apache-2.0 */
/* xz by liblzma. A "member" is xz's stream. */
#include <errno.h>
#include <lzma.h>
#include <stdlib.h>

#include "format.h"

/* What the window of `xz -9` needs, and as much as zstd's may have. */
#define MEMORY_MAX (UINT64_C(129) << 20)
/* A free window, and what is beside it. */
#define MEMORY_FREE (FORMAT_WINDOW_FREE + (UINT64_C(1) << 20))

struct unxz {
	lzma_stream stream;
	uint64_t allowed;
	lzma_ret state; /* LZMA_OK while a member is under way */
};

static void *unxz_new(void)
{
	struct unxz *unxz = malloc(sizeof(*unxz));

	if (unxz)
		*unxz = (struct unxz){LZMA_STREAM_INIT, MEMORY_FREE, LZMA_OK};
	return unxz;
}

static void unxz_free(void *arg)
{
	struct unxz *unxz = arg;

	lzma_end(&unxz->stream);
	free(unxz);
}

static bool unxz_begins(uint8_t first)
{
	return first == 0xfd;
}

static void unxz_begin(void *arg)
{
	struct unxz *unxz = arg;

	unxz->state = lzma_stream_decoder(&unxz->stream, unxz->allowed, 0);
}

static int settle(lzma_ret state, struct err *err)
{
	switch ((int)state) {
	case LZMA_OK:
	case LZMA_BUF_ERROR: /* nothing to read, or no room */
		return FORMAT_USED_UP;
	case LZMA_STREAM_END:
		return FORMAT_MEMBER_END;
	case LZMA_MEM_ERROR:
		return err_nomem(err);
	case LZMA_MEMLIMIT_ERROR:
		return err_set(err, EINVAL, "the window is too large");
	case LZMA_FORMAT_ERROR:
		return err_set(err, EINVAL, "the header is missing");
	case LZMA_OPTIONS_ERROR:
		return err_set(err, EINVAL, "the options are unknown");
	default:
		return err_set(err, EINVAL, "the data is damaged");
	}
}

/* As much as a window may have, as a later block can have a larger one. */
static uint64_t unxz_window(const void *arg)
{
	(void)arg;
	return MEMORY_MAX;
}

static int unxz_allow(void *arg, struct err *err)
{
	struct unxz *unxz = arg;

	unxz->allowed = MEMORY_MAX;
	return settle(lzma_memlimit_set(&unxz->stream, MEMORY_MAX), err);
}

static bool wants_more(const struct unxz *unxz)
{
	return unxz->state == LZMA_MEMLIMIT_ERROR &&
	       unxz->allowed < MEMORY_MAX &&
	       lzma_memusage(&unxz->stream) <= MEMORY_MAX;
}

static int unxz_step(void *arg, struct format_input *in,
    struct format_output *out, struct err *err)
{
	struct unxz *unxz = arg;
	lzma_stream *stream = &unxz->stream;

	if (unxz->state != LZMA_OK)
		return settle(unxz->state, err);
	stream->next_in = in->data;
	stream->avail_in = in->len;
	stream->next_out = out->data + out->len;
	stream->avail_out = out->size - out->len;
	unxz->state = lzma_code(stream, LZMA_RUN);
	in->data = stream->next_in;
	in->len = stream->avail_in;
	out->len = out->size - stream->avail_out;
	if (wants_more(unxz)) {
		unxz->state = LZMA_OK;
		return FORMAT_WINDOW;
	}
	if (unxz->state == LZMA_BUF_ERROR)
		unxz->state = LZMA_OK;
	return settle(unxz->state, err);
}

const struct format format_xz = {
    .state_new = unxz_new,
    .state_free = unxz_free,
    .begins = unxz_begins,
    .begin = unxz_begin,
    .step = unxz_step,
    .window = unxz_window,
    .allow = unxz_allow,
};
