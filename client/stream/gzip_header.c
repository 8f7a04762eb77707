/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Skips the header of a gzip member. ISA-L can do that, too, but takes the
 * header's CRC of the last piece only where the header comes in several. We do
 * not check that CRC: nothing here uses what it protects.
 */
#include "gzip_header.h"

#include <errno.h>
#include <stdbool.h>

enum {
	FIXED_LEN = 10,
	POS_METHOD = 2,
	POS_FLAGS = 3,
	METHOD_DEFLATE = 8,
	FLAG_HEADER_CRC = 2,
	FLAG_EXTRA = 4,
	FLAG_NAME = 8,
	FLAG_COMMENT = 16,
	FLAGS_RESERVED = 0xe0, /* a field that we cannot skip, perhaps */
};

static bool has_field(const struct gzip_header *header)
{
	switch (header->field) {
	case GZIP_EXTRA_LEN:
	case GZIP_EXTRA:
		return header->flags & FLAG_EXTRA;
	case GZIP_NAME:
		return header->flags & FLAG_NAME;
	case GZIP_COMMENT:
		return header->flags & FLAG_COMMENT;
	case GZIP_HEADER_CRC:
		return header->flags & FLAG_HEADER_CRC;
	case GZIP_FIXED:
	case GZIP_BODY:
		break;
	}
	return true;
}

static void next_field(struct gzip_header *header)
{
	header->pos = 0;
	do
		header->field++;
	while (!has_field(header) ||
	       (header->field == GZIP_EXTRA && header->extra_len == 0));
}

static int check_fixed(unsigned pos, uint8_t byte, struct err *err)
{
	static const uint8_t magic[] = {0x1f, 0x8b};

	if (pos < sizeof(magic) && byte != magic[pos])
		return err_set(err, EINVAL, "not a gzip header");
	if (pos == POS_METHOD && byte != METHOD_DEFLATE)
		return err_set(err, EINVAL,
		    "the compression method is unknown");
	if (pos == POS_FLAGS && byte & FLAGS_RESERVED)
		return err_set(err, EINVAL, "the header has unknown fields");
	return 0;
}

/* Whether the byte is the last of its field. */
static bool ends_field(struct gzip_header *header, uint8_t byte)
{
	unsigned pos = header->pos++;

	switch (header->field) {
	case GZIP_FIXED:
		if (pos == POS_FLAGS)
			header->flags = byte;
		return pos == FIXED_LEN - 1;
	case GZIP_EXTRA_LEN:
		header->extra_len |= (uint16_t)(byte << 8 * pos);
		return pos == 1;
	case GZIP_EXTRA:
		return pos == header->extra_len - 1U;
	case GZIP_NAME:
	case GZIP_COMMENT:
		return byte == 0;
	case GZIP_HEADER_CRC:
		return pos == 1;
	case GZIP_BODY:
		break;
	}
	return false;
}

int gzip_header_skip(struct gzip_header *header, struct format_input *in,
    struct err *err)
{
	for (; header->field != GZIP_BODY && in->len > 0;
	     in->data++, in->len--) {
		if (header->field == GZIP_FIXED &&
		    check_fixed(header->pos, *in->data, err) < 0)
			return -EINVAL;
		if (ends_field(header, *in->data))
			next_field(header);
	}
	return header->field == GZIP_BODY;
}
