/* SPDX-License-Identifier: Apache-2.0 */
/* bzip2 by libbz2. A "member" is a whole stream, of which `pbzip2` writes many.
 */
#include <bzlib.h>
#include <errno.h>
#include <stdlib.h>

#include "format.h"

/* libbz2 counts in 32 bits. */
#define PIECE_MAX ((size_t)1 << 20)

struct unbzip2 {
	bz_stream stream;
	int state; /* BZ_OK while a member is under way */
	bool open;
};

static void *unbzip2_new(void)
{
	return calloc(1, sizeof(struct unbzip2));
}

static void close_stream(struct unbzip2 *unbzip2)
{
	if (unbzip2->open)
		BZ2_bzDecompressEnd(&unbzip2->stream);
	unbzip2->open = false;
}

static void unbzip2_free(void *arg)
{
	close_stream(arg);
	free(arg);
}

static bool unbzip2_begins(uint8_t first)
{
	return first == 'B';
}

static void unbzip2_begin(void *arg)
{
	struct unbzip2 *unbzip2 = arg;

	close_stream(unbzip2);
	unbzip2->stream = (bz_stream){0};
	unbzip2->state = BZ2_bzDecompressInit(&unbzip2->stream, 0, 0);
	unbzip2->open = unbzip2->state == BZ_OK;
}

static int settle(int state, struct err *err)
{
	switch (state) {
	case BZ_OK:
		return FORMAT_USED_UP;
	case BZ_STREAM_END:
		return FORMAT_MEMBER_END;
	case BZ_MEM_ERROR:
		return err_nomem(err);
	case BZ_DATA_ERROR_MAGIC:
		return err_set(err, EINVAL, "the header is missing");
	default:
		return err_set(err, EINVAL, "the data is damaged");
	}
}

static unsigned piece_of(size_t len)
{
	return (unsigned)(len < PIECE_MAX ? len : PIECE_MAX);
}

static int unbzip2_step(void *arg, struct format_input *in,
    struct format_output *out, struct err *err)
{
	struct unbzip2 *unbzip2 = arg;
	bz_stream *stream = &unbzip2->stream;
	unsigned in_len = piece_of(in->len);
	unsigned out_len = piece_of(out->size - out->len);

	if (unbzip2->state != BZ_OK)
		return settle(unbzip2->state, err);
	/* It takes no pointer to const, and changes nothing. */
	stream->next_in = (char *)(uintptr_t)in->data;
	stream->avail_in = in_len;
	stream->next_out = (char *)out->data + out->len;
	stream->avail_out = out_len;
	unbzip2->state = BZ2_bzDecompress(stream);
	in->data += in_len - stream->avail_in;
	in->len -= in_len - stream->avail_in;
	out->len += out_len - stream->avail_out;
	return settle(unbzip2->state, err);
}

const struct format format_bzip2 = {
    .state_new = unbzip2_new,
    .state_free = unbzip2_free,
    .begins = unbzip2_begins,
    .begin = unbzip2_begin,
    .step = unbzip2_step,
};
