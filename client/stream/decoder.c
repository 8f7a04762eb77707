/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Decodes a stream of one format: what is between its members, and where what
 * is in them goes.
 */
#include <assert.h>
#include <errno.h>
#include <inttypes.h>

#include "format.h"
#include "stream/compression.h"

/* What one write to the sink has at most: enough that a system call for each
 * costs nothing, and it still is in the processor's cache. */
enum { OUTPUT_SIZE = 128 << 10 };

enum phase {
	PHASE_START, /* nothing came */
	PHASE_MEMBER,
	PHASE_BETWEEN, /* a member has ended */
	PHASE_PADDING, /* zeros came behind it */
};

struct decoder {
	const struct format *format;
	const char *name;
	void *state; /* the format's */
	enum phase phase;
	uint64_t taken; /* bytes of the stream so far */
	struct sink *out;
	uint64_t limit; /* decoded bytes that may still come */
	uint8_t buffer[OUTPUT_SIZE];
};

static const struct format *format_of(enum compression compression)
{
	switch (compression) {
	case COMPRESSION_GZIP:
		return &format_gzip;
	case COMPRESSION_ZSTD:
		return &format_zstd;
	case COMPRESSION_NONE:
	case COMPRESSION_BZIP2:
	case COMPRESSION_XZ:
		break;
	}
	return NULL;
}

int decoder_new(enum compression compression, struct sink *out, uint64_t limit,
    struct decoder **decoder, struct err *err)
{
	const struct format *format = format_of(compression);
	CLEANUP(decoder_free_p) struct decoder *new = NULL;

	if (!format)
		return err_set(err, EOPNOTSUPP,
		    "%s data is not read here, only gzip and zstd",
		    compression_name(compression));
	new = calloc(1, sizeof(*new));
	if (!new)
		return err_nomem(err);
	new->format = format;
	new->name = compression_name(compression);
	new->out = out;
	new->limit = limit;
	new->state = format->state_new();
	if (!new->state)
		return err_nomem(err);
	*decoder = steal(&new);
	return 0;
}

void decoder_free(struct decoder *decoder)
{
	if (!decoder)
		return;
	decoder->format->state_free(decoder->state);
	free(decoder);
}

/* Says where in the stream the sentence in err applies. */
static int at_offset(const struct decoder *decoder, struct err *err)
{
	return err_wrap(err, "%s offset %" PRIu64, decoder->name,
	    decoder->taken);
}

static int emit(struct decoder *decoder, size_t len, struct err *err)
{
	if (len == 0)
		return 0;
	if (len > decoder->limit)
		return err_set(err, EFBIG,
		    "the %s data is too large once it is decoded",
		    decoder->name);
	decoder->limit -= len;
	return sink_write(decoder->out, decoder->buffer, len, err);
}

/* Fills one buffer. 1 at the member's end, else 0; *moved: there was something
 * to read or to write. */
static int decode_some(struct decoder *decoder, struct format_input *in,
    bool *moved, struct err *err)
{
	struct format_output out = {decoder->buffer, OUTPUT_SIZE, 0};
	size_t before = in->len;
	int end = decoder->format->step(decoder->state, in, &out, err);
	int r;

	decoder->taken += before - in->len;
	if (end < 0)
		return at_offset(decoder, err);
	*moved = in->len < before || out.len > 0;
	r = emit(decoder, out.len, err);
	return r < 0 ? r : end;
}

/* To the member's end or that of the input. */
static int decode_member(struct decoder *decoder, struct format_input *in,
    struct err *err)
{
	bool moved = true;
	int end = 0;

	/* The format keeps what the buffer had no room for, so that an empty
	 * input does not mean that all was written. */
	while (end == 0 && moved)
		end = decode_some(decoder, in, &moved, err);
	if (end < 0)
		return end;
	if (end == 1)
		decoder->phase = PHASE_BETWEEN;
	assert(end == 1 || in->len == 0);
	return 0;
}

/* The next byte is the first of a member, or of zeros behind the last one. */
static int begin_member(struct decoder *decoder, uint8_t first, struct err *err)
{
	if (decoder->format->begins(first)) {
		decoder->format->begin(decoder->state);
		decoder->phase = PHASE_MEMBER;
		return 0;
	}
	if (decoder->phase == PHASE_BETWEEN && first == 0) {
		decoder->phase = PHASE_PADDING;
		return 0;
	}
	err_set(err, EINVAL,
	    decoder->phase == PHASE_START ? "no such data"
					  : "something else behind the end");
	return at_offset(decoder, err);
}

static int skip_padding(struct decoder *decoder, struct format_input *in,
    struct err *err)
{
	for (; in->len > 0; in->data++, in->len--, decoder->taken++) {
		if (*in->data == 0)
			continue;
		err_set(err, EINVAL, "something else behind the end");
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
