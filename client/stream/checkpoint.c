/* SPDX-License-Identifier: Apache-2.0 */
/* Decodes what is between two checkpoints. */
#include "stream/checkpoint.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "format.h"

struct span {
	const struct format *format;
	void *state;
	bool in_member;
	struct format_input in;
	struct format_output out;
};

static void span_release(struct span *span)
{
	if (span->state)
		span->format->state_free(span->state);
}

static int too_short(const struct span *span, struct err *err)
{
	return err_set(err, EINVAL, "the data ends after %zu of %zu bytes",
	    span->out.len, span->out.size);
}

static int begin_member(struct span *span, struct err *err)
{
	/* What else can be here, by what the decoder took, is padding. */
	if (span->in.len == 0 || !span->format->begins(*span->in.data))
		return too_short(span, err);
	span->format->begin(span->state);
	span->in_member = true;
	return 0;
}

static int decode_some(struct span *span, struct err *err)
{
	size_t in_before = span->in.len;
	size_t out_before = span->out.len;
	int end = span->format->step(span->state, &span->in, &span->out, err);

	if (end < 0)
		return end;
	/* Of which no more is touched than what comes out. */
	if (end == FORMAT_WINDOW)
		return span->format->allow(span->state, err);
	if (end == FORMAT_MEMBER_END)
		span->in_member = false;
	else if (span->in.len == in_before && span->out.len == out_before)
		return too_short(span, err);
	return 0;
}

static int decode_span(struct span *span, struct err *err)
{
	int r = 0;

	while (r == 0 && span->out.len < span->out.size)
		r = span->in_member ? decode_some(span, err)
				    : begin_member(span, err);
	return r;
}

static int enter(struct span *span, const struct checkpoint *from,
    struct err *err)
{
	if (from->at_member)
		return 0;
	if (!span->format->enter || from->bits > 7 ||
	    from->window_len > CHECKPOINT_WINDOW)
		return err_set(err, EINVAL, "the checkpoint is not valid");
	span->format->enter(span->state, from, &span->in);
	span->in_member = true;
	return 0;
}

int checkpoint_decode(enum compression compression,
    const struct checkpoint *from, const void *in, size_t in_len, void *out,
    size_t size, struct err *err)
{
	CLEANUP(span_release)
	struct span span = {
	    .in = {in, in_len},
	    .out = {out, size, 0},
	};
	int r;

	if (compression == COMPRESSION_NONE) {
		if (in_len < size)
			return too_short(&span, err);
		memcpy(out, in, size);
		return 0;
	}
	span.format = format_of(compression);
	span.state = span.format->state_new();
	if (!span.state)
		return err_nomem(err);
	r = enter(&span, from, err);
	if (r == 0)
		r = decode_span(&span, err);
	if (r < 0)
		return err_wrap(err, "%s from offset %" PRIu64,
		    compression_name(compression), from->in);
	return 0;
}
