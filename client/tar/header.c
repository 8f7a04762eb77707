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

enum { MODE_FILE = 0644, MODE_DIRECTORY = 0755 };

/* Whether a field of that length holds the number: octal digits and a NUL. */
static bool fits(int64_t number, size_t len)
{
	return number >= 0 && (uint64_t)number >> (3 * (len - 1)) == 0;
}

/* What ustar leaves to the reader's guess. */
static bool is_ascii(const char *text)
{
	for (; *text; text++) {
		if (*text & 0x80)
			return false;
	}
	return true;
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

/* What does not fit is in the pax header in front of this one. */
static void put_text(uint8_t *field, size_t size, const char *text)
{
	size_t len = strlen(text);

	memcpy(field, text, len < size ? len : size);
}

static void put_name(uint8_t *block, const char *name)
{
	int prefix_len = split_name(name, strlen(name));

	if (prefix_len > 0) {
		memcpy(block + BLOCK_PREFIX, name, (size_t)prefix_len);
		name += prefix_len + 1;
	}
	put_text(block + BLOCK_NAME, BLOCK_NAME_LEN, name);
}

static void put_number(uint8_t *block, size_t field, size_t len, int64_t number)
{
	tar_octal_print(block + field, len,
	    fits(number, len) ? (uint64_t)number : 0);
}

static int add_block(struct buf *out, char type, const struct tar_entry *entry,
    struct err *err)
{
	uint8_t block[TAR_BLOCK] = {0};

	put_name(block, entry->name);
	put_number(block, BLOCK_MODE, BLOCK_ID_LEN, entry->mode);
	put_number(block, BLOCK_UID, BLOCK_ID_LEN, entry->uid);
	put_number(block, BLOCK_GID, BLOCK_ID_LEN, entry->gid);
	put_number(block, BLOCK_SIZE, BLOCK_LONG_LEN, (int64_t)entry->size);
	put_number(block, BLOCK_MTIME, BLOCK_LONG_LEN, entry->mtime);
	block[BLOCK_TYPE] = (uint8_t)type;
	put_text(block + BLOCK_LINK, BLOCK_LINK_LEN, entry->link);
	memcpy(block + BLOCK_MAGIC, magic, sizeof(magic));
	put_number(block, BLOCK_DEV_MAJOR, BLOCK_ID_LEN, entry->dev_major);
	put_number(block, BLOCK_DEV_MINOR, BLOCK_ID_LEN, entry->dev_minor);
	/* Six digits, a NUL and a space: a form that no other field has. */
	tar_octal_print(block + BLOCK_CHECKSUM, BLOCK_ID_LEN - 1,
	    block_checksum(block));
	block[BLOCK_CHECKSUM + BLOCK_ID_LEN - 1] = ' ';
	return buf_add(out, block, sizeof(block), err);
}

/* "LENGTH KEY=VALUE\n", where LENGTH counts its own digits, too. */
static int add_record(struct buf *out, const char *key, const void *value,
    size_t value_len, struct err *err)
{
	size_t rest = strlen(key) + value_len + strlen(" =\n");
	size_t len = rest;
	int r;

	while (len != rest + (size_t)snprintf(NULL, 0, "%zu", len))
		len = rest + (size_t)snprintf(NULL, 0, "%zu", len);
	r = buf_addf(out, err, "%zu %s=", len, key);
	if (r == 0)
		r = buf_add(out, value, value_len, err);
	return r < 0 ? r : buf_add(out, "\n", 1, err);
}

static int add_text(struct buf *out, const char *key, const char *text,
    bool fits_block, struct err *err)
{
	if (fits_block && is_ascii(text))
		return 0;
	return add_record(out, key, text, strlen(text), err);
}

static int add_number(struct buf *out, const char *key, int64_t number,
    size_t field_len, struct err *err)
{
	char text[24];

	if (fits(number, field_len))
		return 0;
	snprintf(text, sizeof(text), "%" PRId64, number);
	return add_record(out, key, text, strlen(text), err);
}

/* Decimal seconds, of which those before 1970 count backwards. */
static int add_mtime(struct buf *out, const struct tar_entry *entry,
    struct err *err)
{
	enum { SECOND = 1000000000 };
	int64_t seconds = entry->mtime;
	uint32_t nanos = entry->mtime_nanos;
	bool before = seconds < 0;
	char text[40];

	if (nanos == 0)
		return add_number(out, "mtime", seconds, BLOCK_LONG_LEN, err);
	if (before) {
		seconds = -(seconds + 1);
		nanos = SECOND - nanos;
	}
	snprintf(text, sizeof(text), "%s%" PRId64 ".%09" PRIu32,
	    before ? "-" : "", seconds, nanos);
	return add_record(out, "mtime", text, strlen(text), err);
}

static int add_xattrs(struct buf *out, const struct tar_entry *entry,
    struct err *err)
{
	for (size_t i = 0; i < entry->xattr_count; i++) {
		const struct tar_xattr *xattr = &entry->xattrs[i];
		char key[sizeof("SCHILY.xattr.") + 255]; /* XATTR_NAME_MAX */
		int len =
		    snprintf(key, sizeof(key), "SCHILY.xattr.%s", xattr->name);
		int r;

		if (strchr(xattr->name, '=') || (size_t)len >= sizeof(key))
			return err_set(err, EINVAL,
			    "%s: a tar cannot hold its attribute %s",
			    entry->name, xattr->name);
		r = add_record(out, key, xattr->value, xattr->len, err);
		if (r < 0)
			return r;
	}
	return 0;
}

/* What the block cannot say. */
static int add_records(struct buf *out, const struct tar_entry *entry,
    struct err *err)
{
	size_t len = strlen(entry->name);
	int r = add_text(out, "path", entry->name,
	    split_name(entry->name, len) >= 0, err);

	if (r == 0)
		r = add_text(out, "linkpath", entry->link,
		    strlen(entry->link) <= BLOCK_LINK_LEN, err);
	if (r == 0)
		r = add_number(out, "size", (int64_t)entry->size,
		    BLOCK_LONG_LEN, err);
	if (r == 0)
		r = add_mtime(out, entry, err);
	if (r == 0)
		r = add_number(out, "uid", entry->uid, BLOCK_ID_LEN, err);
	if (r == 0)
		r = add_number(out, "gid", entry->gid, BLOCK_ID_LEN, err);
	return r < 0 ? r : add_xattrs(out, entry, err);
}

static int add_pax(struct buf *out, const struct buf *records, struct err *err)
{
	static const char zeros[TAR_BLOCK];
	const struct tar_entry pax = {.name = "pax-header",
	    .link = "",
	    .mode = MODE_FILE,
	    .size = records->len};
	int r = add_block(out, TYPE_PAX, &pax, err);

	if (r == 0)
		r = buf_add(out, records->data, records->len, err);
	if (r == 0)
		r = buf_add(out, zeros, tar_padding(records->len), err);
	return r;
}

int tar_entry_print(struct buf *out, const struct tar_entry *entry,
    struct err *err)
{
	AUTO_BUF struct buf records = BUF_INIT(TAR_EXTENDED_MAX);
	size_t len = strlen(entry->name);
	int r;

	if (len == 0 || len > TAR_NAME_MAX ||
	    strlen(entry->link) > TAR_NAME_MAX || entry->size > INT64_MAX ||
	    !fits(entry->dev_major, BLOCK_ID_LEN) ||
	    !fits(entry->dev_minor, BLOCK_ID_LEN))
		return err_set(err, EINVAL, "a tar cannot hold %s",
		    entry->name);
	r = add_records(&records, entry, err);
	if (r == -EFBIG)
		return err_set(err, EINVAL,
		    "%s: its attributes are too large for a tar", entry->name);
	if (r == 0 && records.len > 0)
		r = add_pax(out, &records, err);
	return r < 0 ? r : add_block(out, (char)entry->type, entry, err);
}

int tar_header_print(struct buf *out, const char *name, uint64_t size,
    int64_t mtime, struct err *err)
{
	size_t len = strlen(name);
	bool is_directory = len > 0 && name[len - 1] == '/';
	const struct tar_entry entry = {.type = is_directory ? TAR_DIRECTORY
							     : TAR_FILE,
	    .name = name,
	    .link = "",
	    .mode = is_directory ? MODE_DIRECTORY : MODE_FILE,
	    .size = size,
	    .mtime = mtime};

	return tar_entry_print(out, &entry, err);
}
