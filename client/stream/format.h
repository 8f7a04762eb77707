/* SPDX-License-Identifier: Apache-2.0 */
/* What a compression format is to the decoder. */
#ifndef STREAM_FORMAT_H
#define STREAM_FORMAT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

struct format_input {
	const uint8_t *data;
	size_t len;
};

struct format_output {
	uint8_t *data;
	size_t size;
	size_t len; /* what is in it */
};

/* "Member" here is also zstd's frame. */
struct format {
	/* NULL when out of memory. */
	void *(*state_new)(void);
	void (*state_free)(void *state);

	/* Whether a member can begin with this byte, and makes ready for it. */
	bool (*begins)(uint8_t first);
	void (*begin)(void *state);

	/*
	 * Decodes what fits and moves both ahead. 1 at the member's end with
	 * the input right behind it; 0 when either is used up; -EINVAL.
	 */
	int (*step)(void *state, struct format_input *in,
	    struct format_output *out, struct err *err);
};

extern const struct format format_gzip;
extern const struct format format_zstd;

#endif
