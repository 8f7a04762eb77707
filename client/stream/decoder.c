/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Decodes a stream of one format: what is between its members, and where what
 * is in them goes.
 */
#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "format.h"
#include "stream/checkpoint.h"
#include "stream/compression.h"

/* What one write to the sink has at most: enough that a system call for each
 * costs nothing, and it still is in the processor's cache. */
enum { OUTPUT_SIZE = 128 << 10 };

enum phase {
	PHASE_START, /* nothing came */
	PHASE_MEMBER,
	PHASE_BETWEEN, /* a member has ended */
	PHASE_PADDING, /* zeros came after it */
};

/* Who is told of checkpoints, and from which decoded byte on one is due. */
struct marks {
	uint64_t due, distance;
	int (*found)(void *, const struct checkpoint *, struct err *);
	void *arg;
};

/* The turns of its windows. */
struct sharing {
	struct windows *windows; /* NULL: it has them without a turn */
	int (*ready)(void *, struct err *);
	void *arg;
	uint64_t taken; /* bytes of the account */
};

struct decoder {
	const struct format *format;
	const char *name;
	void *state; /* the format's */
	enum phase phase;
	uint64_t taken;   /* bytes of the stream so far */
	uint64_t decoded; /* bytes that went to out */
	uint64_t member;  /* and had when the member began */
	struct sink *out;
	uint64_t limit; /* decoded bytes that may still come */
	struct marks marks;
	struct sharing sharing;

	/* What is decoded comes after what was decoded last. */
	uint8_t buffer[CHECKPOINT_WINDOW + OUTPUT_SIZE];
};

int decoder_new(enum compression compression, struct sink *out, uint64_t limit,
    struct decoder **decoder, struct err *err)
{
	CLEANUP(decoder_free_p) struct decoder *new = NULL;

	new = calloc(1, sizeof(*new));
	if (!new)
		return err_nomem(err);
	new->format = format_of(compression);
	new->name = compression_name(compression);
	new->out = out;
	new->limit = limit;
	new->marks.due = UINT64_MAX;
	new->state = new->format->state_new();
	if (!new->state)
		return err_nomem(err);
	*decoder = steal(&new);
	return 0;
}

void decoder_free(struct decoder *decoder)
{
	if (!decoder)
		return;
	if (decoder->state)
		decoder->format->state_free(decoder->state);
	if (decoder->sharing.windows)
		windows_give(decoder->sharing.windows, decoder->sharing.taken);
	free(decoder);
}

/* Says where in the stream the sentence in err applies. */
static int at_offset(const struct decoder *decoder, struct err *err)
{
	return err_wrap(err, "%s offset %" PRIu64, decoder->name,
	    decoder->taken);
}

void decoder_mark(struct decoder *decoder, uint64_t distance,
    int (*found)(void *arg, const struct checkpoint *point, struct err *err),
    void *arg)
{
	assert(decoder->phase == PHASE_START && distance > 0);
	decoder->marks = (struct marks){0, distance, found, arg};
}

void decoder_share(struct decoder *decoder, struct windows *windows,
    int (*ready)(void *arg, struct err *err), void *arg)
{
	assert(decoder->phase == PHASE_START);
	decoder->sharing = (struct sharing){windows, ready, arg, 0};
}

/* The format has stopped in front of a large window. */
static int take_turn(struct sharing *sharing, uint64_t window, struct err *err)
{
	int r;

	if (!sharing->windows)
		return 0;
	windows_give(sharing->windows, sharing->taken);
	sharing->taken = 0;
	r = sharing->ready ? sharing->ready(sharing->arg, err) : 0;
	if (r == 0)
		r = windows_take(sharing->windows, window, err);
	if (r == 0)
		sharing->taken = window;
	return r;
}

static int open_window(struct decoder *decoder, struct err *err)
{
	const struct format *format = decoder->format;
	int r =
	    take_turn(&decoder->sharing, format->window(decoder->state), err);

	return r < 0 ? r : format->allow(decoder->state, err);
}

static bool mark_is_due(const struct decoder *decoder)
{
	return decoder->decoded >= decoder->marks.due;
}

static int mark(struct decoder *decoder, const struct checkpoint *point,
    struct err *err)
{
	struct marks *marks = &decoder->marks;

	if (__builtin_add_overflow(point->out, marks->distance, &marks->due))
		marks->due = UINT64_MAX;
	return marks->found(marks->arg, point, err);
}

/* The format has stopped between two blocks. */
static int mark_block(struct decoder *decoder, struct err *err)
{
	const struct format *format = decoder->format;
	uint64_t bits = decoder->taken * 8 - format->bits_ahead(decoder->state);
	uint64_t since = decoder->decoded - decoder->member;
	size_t len = since < CHECKPOINT_WINDOW ? since : CHECKPOINT_WINDOW;
	struct checkpoint point = {
	    .in = bits / 8,
	    .out = decoder->decoded,
	    .bits = bits % 8,
	    .window = decoder->buffer + CHECKPOINT_WINDOW - len,
	    .window_len = len,
	};

	format->resume(decoder->state, point.window, point.window_len);
	return mark(decoder, &point, err);
}

static int mark_member(struct decoder *decoder, struct err *err)
{
	struct checkpoint point = {
	    .in = decoder->taken,
	    .out = decoder->decoded,
	    .at_member = true,
	};

	return mark(decoder, &point, err);
}

/* Not past the place where a checkpoint is due, since it takes a step to ask
 * for a stop. */
static size_t room_for_step(const struct decoder *decoder)
{
	uint64_t left = decoder->marks.due - decoder->decoded;

	return mark_is_due(decoder) || left > OUTPUT_SIZE ? OUTPUT_SIZE : left;
}

static int emit(struct decoder *decoder, const struct format_output *out,
    struct err *err)
{
	int r;

	if (out->len == 0)
		return 0;
	if (out->len > decoder->limit)
		return err_set(err, EFBIG,
		    "the %s data is too large once it is decoded",
		    decoder->name);
	decoder->limit -= out->len;
	decoder->decoded += out->len;
	r = sink_write(decoder->out, out->data, out->len, err);
	/* For the window of a checkpoint, where one can follow that close. */
	if (decoder->decoded + CHECKPOINT_WINDOW >= decoder->marks.due &&
	    decoder->format->stop)
		memmove(decoder->buffer, decoder->buffer + out->len,
		    CHECKPOINT_WINDOW);
	return r;
}

/* Fills one buffer. An enum format_end; *moved: there was something to read or
 * to write. */
static int decode_some(struct decoder *decoder, struct format_input *in,
    bool *moved, struct err *err)
{
	struct format_output out = {decoder->buffer + CHECKPOINT_WINDOW,
	    room_for_step(decoder), 0};
	const struct format *format = decoder->format;
	size_t before = in->len;
	int end, r;

	if (mark_is_due(decoder) && format->stop)
		format->stop(decoder->state);
	end = format->step(decoder->state, in, &out, err);
	decoder->taken += before - in->len;
	if (end < 0)
		return at_offset(decoder, err);
	*moved = in->len < before || out.len > 0 || end == FORMAT_BLOCK_END ||
		 end == FORMAT_WINDOW;
	r = emit(decoder, &out, err);
	if (r == 0 && end == FORMAT_BLOCK_END)
		r = mark_block(decoder, err);
	if (r == 0 && end == FORMAT_WINDOW)
		r = open_window(decoder, err);
	return r < 0 ? r : end;
}

/* To the member's end or that of the input. */
static int decode_member(struct decoder *decoder, struct format_input *in,
    struct err *err)
{
	bool moved = true;
	int end = FORMAT_USED_UP;

	/* The format keeps what the buffer had no room for, so that an empty
	 * input does not mean that all was written. */
	while (end >= 0 && end != FORMAT_MEMBER_END && moved)
		end = decode_some(decoder, in, &moved, err);
	if (end < 0)
		return end;
	if (end == FORMAT_MEMBER_END)
		decoder->phase = PHASE_BETWEEN;
	assert(end == FORMAT_MEMBER_END || in->len == 0);
	return 0;
}

/* The next byte is the first of a member, or of zeros after the last one. */
static int begin_member(struct decoder *decoder, uint8_t first, struct err *err)
{
	if (decoder->format->begins(first)) {
		decoder->format->begin(decoder->state);
		decoder->phase = PHASE_MEMBER;
		decoder->member = decoder->decoded;
		return mark_is_due(decoder) ? mark_member(decoder, err) : 0;
	}
	if (decoder->phase == PHASE_BETWEEN && first == 0) {
		decoder->phase = PHASE_PADDING;
		return 0;
	}
	err_set(err, EINVAL,
	    decoder->phase == PHASE_START
		? "the header is missing"
		: "there is other data after the end");
	return at_offset(decoder, err);
}

static int skip_padding(struct decoder *decoder, struct format_input *in,
    struct err *err)
{
	for (; in->len > 0; in->data++, in->len--, decoder->taken++) {
		if (*in->data == 0)
			continue;
		err_set(err, EINVAL, "there is other data after the end");
		return at_offset(decoder, err);
	}
	return 0;
}

int decoder_write(struct decoder *decoder, const void *data, size_t len,
    struct err *err)
{
	struct format_input in = {data, len};
	int r = 0;

	while (r == 0 && in.len > 0) {
		switch (decoder->phase) {
		case PHASE_START:
		case PHASE_BETWEEN:
			r = begin_member(decoder, *in.data, err);
			break;
		case PHASE_MEMBER:
			r = decode_member(decoder, &in, err);
			break;
		case PHASE_PADDING:
			r = skip_padding(decoder, &in, err);
			break;
		}
	}
	return r;
}

bool decoder_at_end(const struct decoder *decoder)
{
	return decoder->phase == PHASE_BETWEEN ||
	       decoder->phase == PHASE_PADDING;
}
