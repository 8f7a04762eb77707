/* SPDX-License-Identifier: Apache-2.0 */
/* gzip by ISA-L, which decodes twice as fast as zlib. */
#include <errno.h>
#include <isa-l.h>
#include <stdlib.h>

#include "base/simd.h"
#include "format.h"
#include "gzip_header.h"

/* ISA-L 2.30 overflows where avail_in is near its type's maximum. */
#define PIECE_MAX ((size_t)1 << 20)

struct gunzip {
	struct gzip_header header;
	bool stopping; /* the block's bfinal is ours */
	bool entered;  /* in the middle: nothing is known of the checksum */
	struct inflate_state inflate;
};

static void *gunzip_new(void)
{
	return calloc(1, sizeof(struct gunzip));
}

static bool gunzip_begins(uint8_t first)
{
	return first == 0x1f;
}

static void gunzip_begin(void *arg)
{
	struct gunzip *gunzip = arg;

	gunzip->header = (struct gzip_header){0};
	gunzip->stopping = false;
	gunzip->entered = false;
	isal_inflate_init(&gunzip->inflate);
	/* Compares CRC and size at the member's end. */
	gunzip->inflate.crc_flag = ISAL_GZIP_NO_HDR_VER;
}

/*
 * ISA-L stops at the end of no block but the last. So it is told that this is
 * the last one: it sets bfinal when it reads a block's header, and looks at it
 * when the block is over. The checksum has to go on without being compared.
 */
static void gunzip_stop(void *arg)
{
	struct gunzip *gunzip = arg;
	struct inflate_state *state = &gunzip->inflate;
	bool in_block = state->block_state == ISAL_BLOCK_CODED ||
			state->block_state == ISAL_BLOCK_TYPE0;

	if (!in_block || state->bfinal)
		return;
	state->bfinal = 1;
	state->crc_flag = ISAL_GZIP_NO_HDR;
	gunzip->stopping = true;
}

static unsigned gunzip_bits_ahead(const void *arg)
{
	const struct gunzip *gunzip = arg;

	return (unsigned)gunzip->inflate.read_in_length;
}

static void gunzip_resume(void *arg, const uint8_t *window, size_t len)
{
	struct gunzip *gunzip = arg;
	struct inflate_state *state = &gunzip->inflate;

	gunzip->stopping = false;
	state->bfinal = 0;
	state->crc_flag = ISAL_GZIP_NO_HDR_VER;
	state->block_state = ISAL_BLOCK_NEW_HDR;
	/* What a last block leaves behind is not what a next one needs. */
	isal_inflate_set_dict(state, (uint8_t *)(uintptr_t)window,
	    (uint32_t)len);
}

static void gunzip_enter(void *arg, const struct checkpoint *from,
    struct format_input *in)
{
	struct gunzip *gunzip = arg;

	gunzip_begin(gunzip);
	gunzip->header.field = GZIP_BODY;
	gunzip->entered = true;
	gunzip_resume(gunzip, from->window, from->window_len);
	if (from->bits == 0 || in->len == 0)
		return;
	gunzip->inflate.read_in = *in->data >> from->bits;
	gunzip->inflate.read_in_length = 8 - from->bits;
	in->data++;
	in->len--;
}

static uint32_t piece_of(size_t len)
{
	return (uint32_t)(len < PIECE_MAX ? len : PIECE_MAX);
}

static int inflate_some(struct gunzip *gunzip, struct format_input *in,
    struct format_output *out, struct err *err)
{
	struct inflate_state *state = &gunzip->inflate;
	int result;

	state->next_in = (uint8_t *)(uintptr_t)in->data;
	state->avail_in = piece_of(in->len);
	state->next_out = out->data + out->len;
	state->avail_out = piece_of(out->size - out->len);
	result = isal_inflate(state);
	simd_clear();
	/* Not by what is available: that is wrong where it fails. */
	in->len -= (size_t)(state->next_in - in->data);
	in->data = state->next_in;
	out->len = (size_t)(state->next_out - out->data);
	if (result == ISAL_INCORRECT_CHECKSUM && !gunzip->entered)
		return err_set(err, EINVAL, "the checksum is wrong");
	if (result < 0 && result != ISAL_INCORRECT_CHECKSUM)
		return err_set(err, EINVAL, "the data is damaged");
	if (state->block_state != ISAL_BLOCK_FINISH)
		return FORMAT_USED_UP;
	return gunzip->stopping ? FORMAT_BLOCK_END : FORMAT_MEMBER_END;
}

static int gunzip_step(void *arg, struct format_input *in,
    struct format_output *out, struct err *err)
{
	struct gunzip *gunzip = arg;
	int r = gzip_header_skip(&gunzip->header, in, err);

	if (r < 0)
		return r;
	return r == 0 ? FORMAT_USED_UP : inflate_some(gunzip, in, out, err);
}

const struct format format_gzip = {
    .state_new = gunzip_new,
    .state_free = free,
    .begins = gunzip_begins,
    .begin = gunzip_begin,
    .step = gunzip_step,
    .stop = gunzip_stop,
    .bits_ahead = gunzip_bits_ahead,
    .resume = gunzip_resume,
    .enter = gunzip_enter,
};
