/* SPDX-License-Identifier: Apache-2.0 */
/* What a compression format is to those who decode it. */
#ifndef STREAM_FORMAT_H
#define STREAM_FORMAT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "stream/checkpoint.h"
#include "stream/compression.h"

struct format_input {
	const uint8_t *data;
	size_t len;
};

struct format_output {
	uint8_t *data;
	size_t size;
	size_t len; /* what is in it */
};

/* Where a step ended. */
enum format_end {
	FORMAT_USED_UP,    /* the input, or the room in the output */
	FORMAT_MEMBER_END, /* the input stands right after it */
	FORMAT_BLOCK_END,  /* see stop() */
	FORMAT_WINDOW,     /* see window() */
};

/* A window up to this size is as small as any, and nobody is asked for it: the
 * default of `xz`, and of `zstd` up to level 19. */
#define FORMAT_WINDOW_FREE (UINT64_C(8) << 20)

/* "Member" here is also zstd's frame. */
struct format {
	/* NULL when out of memory. */
	void *(*state_new)(void);
	void (*state_free)(void *state);

	/* Whether a member can begin with this byte, and makes ready for it. */
	bool (*begins)(uint8_t first);
	void (*begin)(void *state);

	/* Decodes what fits and moves both ahead. An enum format_end, -EINVAL
	 * or -ENOMEM. */
	int (*step)(void *state, struct format_input *in,
	    struct format_output *out, struct err *err);

	/* Both NULL where windows are small. */

	/* After FORMAT_WINDOW: how many bytes of memory the window takes that
	 * comes next, more than those before it. Until allow(), which has to
	 * come before the next step, the state holds none that is not free. */
	uint64_t (*window)(const void *state);
	/* 0; -ENOMEM. */
	int (*allow)(void *state, struct err *err);

	/* The rest is NULL where decoding can begin only at a member. */

	/*
	 * Asks for a stop at the end of the block that is being decoded. To no
	 * effect between blocks and in a member's last one: ask before each
	 * step. After the stop, resume() has to come before the next step.
	 */
	void (*stop)(void *state);

	/* How many bits of what was taken from the input belong to what comes
	 * after the stop. */
	unsigned (*bits_ahead)(const void *state);

	/* Goes on after a stop, with what was decoded last. */
	void (*resume)(void *state, const uint8_t *window, size_t len);

	/* Makes ready to go on at a checkpoint inside a member, the input at
	 * its `in`. The checksum of that member will not be looked at. */
	void (*enter)(void *state, const struct checkpoint *from,
	    struct format_input *in);
};

extern const struct format format_gzip;
extern const struct format format_zstd;
extern const struct format format_bzip2;
extern const struct format format_xz;

/* Not of COMPRESSION_NONE. */
const struct format *format_of(enum compression compression);

#endif
