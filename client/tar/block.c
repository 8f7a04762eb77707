/* SPDX-License-Identifier: Apache-2.0 */
/* Header blocks: ustar, GNU's and star's variants of it, and old v7. */
#include "block.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "number.h"

#define MAGIC_USTAR "ustar" /* and a NUL */
#define MAGIC_GNU "ustar  " /* and a NUL */
#define TRAILER_STAR "tar"  /* and a NUL, at the block's end */

enum {
	STAR_PREFIX_LEN = 131, /* its times follow in what is prefix in ustar */
	STAR_TRAILER = 508,
	GNU_ATIME = 345,
	GNU_CTIME = 357,
};

bool block_is_zero(const uint8_t *data)
{
	return data[0] == 0 && memcmp(data, data + 1, TAR_BLOCK - 1) == 0;
}

static bool in_checksum(size_t i)
{
	return i >= BLOCK_CHECKSUM && i < BLOCK_CHECKSUM + BLOCK_ID_LEN;
}

uint32_t block_checksum(const uint8_t *data)
{
	uint32_t sum = 0;

	for (size_t i = 0; i < TAR_BLOCK; i++)
		sum += in_checksum(i) ? ' ' : data[i];
	return sum;
}

/* What writers came to whose char is signed (old Sun tars). */
static int32_t signed_checksum(const uint8_t *data)
{
	int32_t sum = 0;

	for (size_t i = 0; i < TAR_BLOCK; i++)
		sum += in_checksum(i) ? ' ' : (int8_t)data[i];
	return sum;
}

static bool checksum_right(const uint8_t *data)
{
	int64_t sum;

	return tar_octal_parse(data + BLOCK_CHECKSUM, BLOCK_ID_LEN, &sum) &&
	       (sum == block_checksum(data) || sum == signed_checksum(data));
}

bool tar_sniff(const void *head, size_t len)
{
	return len >= TAR_BLOCK &&
	       (checksum_right(head) || block_is_zero(head));
}

static bool parse_numbers(const uint8_t *data, struct block *out)
{
	return tar_number_parse(data + BLOCK_MODE, BLOCK_ID_LEN, &out->mode) &&
	       tar_number_parse(data + BLOCK_UID, BLOCK_ID_LEN, &out->uid) &&
	       tar_number_parse(data + BLOCK_GID, BLOCK_ID_LEN, &out->gid) &&
	       tar_number_parse(data + BLOCK_SIZE, BLOCK_LONG_LEN,
		   &out->size) &&
	       tar_number_parse(data + BLOCK_MTIME, BLOCK_LONG_LEN,
		   &out->mtime);
}

static bool parse_devices(const uint8_t *data, struct block *out)
{
	return tar_number_parse(data + BLOCK_DEV_MAJOR, BLOCK_ID_LEN,
		   &out->dev_major) &&
	       tar_number_parse(data + BLOCK_DEV_MINOR, BLOCK_ID_LEN,
		   &out->dev_minor);
}

static bool is_gnu(const uint8_t *data)
{
	return memcmp(data + BLOCK_MAGIC, MAGIC_GNU, sizeof(MAGIC_GNU)) == 0;
}

static bool is_ascii(const uint8_t *text, size_t len)
{
	for (size_t i = 0; i < len && text[i] != '\0'; i++) {
		if (text[i] & 0x80)
			return false;
	}
	return true;
}

/*
 * Go before 1.8 wrote a prefix into headers of GNU's, which have times there.
 * Like Go since then, we take what is no time for a prefix.
 */
static bool has_go_prefix(const uint8_t *data)
{
	int64_t time;

	return is_gnu(data) &&
	       (!tar_number_parse(data + GNU_ATIME, BLOCK_LONG_LEN, &time) ||
		   !tar_number_parse(data + GNU_CTIME, BLOCK_LONG_LEN,
		       &time)) &&
	       is_ascii(data + BLOCK_PREFIX, BLOCK_PREFIX_LEN);
}

/* GNU has other things in the prefix's place, v7 has nothing there. */
static int prefix_length(const uint8_t *data)
{
	if (has_go_prefix(data))
		return BLOCK_PREFIX_LEN;
	if (memcmp(data + BLOCK_MAGIC, MAGIC_USTAR, sizeof(MAGIC_USTAR)) != 0)
		return 0;
	if (memcmp(data + STAR_TRAILER, TRAILER_STAR, sizeof(TRAILER_STAR)) ==
	    0)
		return STAR_PREFIX_LEN;
	return BLOCK_PREFIX_LEN;
}

static void parse_names(const uint8_t *data, struct block *out)
{
	const char *text = (const char *)data;
	const char *prefix = text + BLOCK_PREFIX;
	int prefix_len = prefix_length(data);
	bool has_prefix = prefix_len > 0 && prefix[0] != '\0';

	snprintf(out->name, sizeof(out->name), "%.*s%s%.*s",
	    has_prefix ? prefix_len : 0, prefix, has_prefix ? "/" : "",
	    BLOCK_NAME_LEN, text + BLOCK_NAME);
	snprintf(out->link, sizeof(out->link), "%.*s", BLOCK_LINK_LEN,
	    text + BLOCK_LINK);
}

static bool has_times(const uint8_t *data)
{
	if (is_gnu(data))
		return data[GNU_ATIME] != 0 || data[GNU_CTIME] != 0;
	return prefix_length(data) == STAR_PREFIX_LEN;
}

int block_parse(const uint8_t *data, struct block *out, struct err *err)
{
	*out = (struct block){.type = (char)data[BLOCK_TYPE]};
	if (!checksum_right(data))
		return err_set(err, EINVAL,
		    "the tar header is missing or damaged");
	out->is_gnu = is_gnu(data);
	if (!parse_numbers(data, out) ||
	    ((out->is_gnu || prefix_length(data)) && !parse_devices(data, out)))
		return err_set(err, EINVAL, "the header has an invalid number");
	out->has_times = has_times(data);
	parse_names(data, out);
	return 0;
}
