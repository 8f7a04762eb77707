/* SPDX-License-Identifier: Apache-2.0 */
/* Writes tar headers. */
#include "tar/header.h"

#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "block.h"
#include "number.h"

/* With the version, "00"; neither ends in a NUL where it stands. */
static const char magic[BLOCK_MAGIC_LEN] = "ustar\0"
					   "00";

/* What eleven octal digits hold. */
#define USTAR_NUMBER_MAX ((INT64_C(1) << 33) - 1)

enum { MODE_FILE = 0644, MODE_DIRECTORY = 0755 };

static bool fits(int64_t number)
{
	return number >= 0 && number <= USTAR_NUMBER_MAX;
}

/*
 * Where a name can be split into prefix and name, at a slash that goes to
 * neither: the prefix's length, 0 if no split is needed, -1 if none is
 * possible. A directory's last slash stays with the name.
 */
static int split_name(const char *name, size_t len)
{
	if (len <= BLOCK_NAME_LEN)
		return 0;
	for (size_t i = len - BLOCK_NAME_LEN - 1;
	     i <= BLOCK_PREFIX_LEN && i + 1 < len; i++)
		if (name[i] == '/' && i > 0)
			return (int)i;
	return -1;
}

static void put_name(uint8_t *block, const char *name)
{
	size_t len = strlen(name);
	int prefix_len = split_name(name, len);

	if (prefix_len > 0) {
		memcpy(block + BLOCK_PREFIX, name, (size_t)prefix_len);
		name += prefix_len + 1;
		len -= (size_t)prefix_len + 1;
	}
	/* What does not fit is in the pax header in front of this one. */
	memcpy(block + BLOCK_NAME, name,
	    len < BLOCK_NAME_LEN ? len : BLOCK_NAME_LEN);
}

static void put_number(uint8_t *block, size_t field, size_t len, int64_t number)
{
	tar_octal_print(block + field, len,
	    fits(number) ? (uint64_t)number : 0);
}

static int add_block(struct buf *out, char type, const char *name, int64_t size,
    int64_t mtime, struct err *err)
{
	uint8_t block[TAR_BLOCK] = {0};

	put_name(block, name);
	put_number(block, BLOCK_MODE, BLOCK_ID_LEN,
	    type == TAR_DIRECTORY ? MODE_DIRECTORY : MODE_FILE);
	put_number(block, BLOCK_UID, BLOCK_ID_LEN, 0);
	put_number(block, BLOCK_GID, BLOCK_ID_LEN, 0);
	put_number(block, BLOCK_SIZE, BLOCK_LONG_LEN, size);
	put_number(block, BLOCK_MTIME, BLOCK_LONG_LEN, mtime);
	block[BLOCK_TYPE] = (uint8_t)type;
	memcpy(block + BLOCK_MAGIC, magic, sizeof(magic));
	put_number(block, BLOCK_DEV_MAJOR, BLOCK_ID_LEN, 0);
	put_number(block, BLOCK_DEV_MINOR, BLOCK_ID_LEN, 0);
	/* Six digits, a NUL and a space: a form that no other field has. */
	tar_octal_print(block + BLOCK_CHECKSUM, BLOCK_ID_LEN - 1,
	    block_checksum(block));
	block[BLOCK_CHECKSUM + BLOCK_ID_LEN - 1] = ' ';
	return buf_add(out, block, sizeof(block), err);
}

/* "LENGTH KEY=VALUE\n", where LENGTH counts its own digits, too. */
static int add_record(struct buf *out, const char *key, const char *value,
    struct err *err)
{
	size_t rest = strlen(key) + strlen(value) + strlen(" =\n");
	size_t len = rest;

	while (len != rest + (size_t)snprintf(NULL, 0, "%zu", len))
		len = rest + (size_t)snprintf(NULL, 0, "%zu", len);
	return buf_addf(out, err, "%zu %s=%s\n", len, key, value);
}

static int add_number_record(struct buf *out, const char *key, int64_t number,
    struct err *err)
{
	char text[24];

	snprintf(text, sizeof(text), "%" PRId64, number);
	return add_record(out, key, text, err);
}

static int add_pax(struct buf *out, const struct buf *records, struct err *err)
{
	static const char zeros[TAR_BLOCK];
	int r =
	    add_block(out, 'x', "pax-header", (int64_t)records->len, 0, err);

	if (r == 0)
		r = buf_add(out, records->data, records->len, err);
	if (r == 0)
		r = buf_add(out, zeros, tar_padding(records->len), err);
	return r;
}

int tar_header_print(struct buf *out, const char *name, uint64_t size,
    int64_t mtime, struct err *err)
{
	AUTO_BUF struct buf records = BUF_INIT(TAR_EXTENDED_MAX);
	size_t len = strlen(name);
	bool is_directory = len > 0 && name[len - 1] == '/';
	int r = 0;

	if (len == 0 || len > TAR_NAME_MAX || size > INT64_MAX)
		return err_set(err, EINVAL, "no tar can hold %s", name);
	if (split_name(name, len) < 0)
		r = add_record(&records, "path", name, err);
	if (r == 0 && !fits((int64_t)size))
		r = add_number_record(&records, "size", (int64_t)size, err);
	if (r == 0 && !fits(mtime))
		r = add_number_record(&records, "mtime", mtime, err);
	if (r == 0 && records.len > 0)
		r = add_pax(out, &records, err);
	if (r == 0)
		r = add_block(out, is_directory ? TAR_DIRECTORY : TAR_FILE,
		    name, (int64_t)size, mtime, err);
	return r;
}
