/* SPDX-License-Identifier: Apache-2.0 */
/* The header of a gzip member, RFC 1952 section 2.3, which is only skipped. */
#ifndef STREAM_GZIP_HEADER_H
#define STREAM_GZIP_HEADER_H

#include <stdint.h>

#include "base/err.h"
#include "format.h"

enum gzip_field {
	GZIP_FIXED,
	GZIP_EXTRA_LEN,
	GZIP_EXTRA,
	GZIP_NAME,
	GZIP_COMMENT,
	GZIP_HEADER_CRC,
	GZIP_BODY, /* the header is over */
};

/* Zeroed at a member's start. */
struct gzip_header {
	enum gzip_field field;
	unsigned pos; /* in the field, where its length is known */
	uint8_t flags;
	uint16_t extra_len;
};

/* Moves the input ahead. 1 when it stands after the header, 0 when more is
 * needed, -EINVAL. */
int gzip_header_skip(struct gzip_header *header, struct format_input *in,
    struct err *err);

#endif
