/* SPDX-License-Identifier: Apache-2.0 */
/* Entries of a table of contents as JSON. */
#include "toc_print.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/base64.h"

/* How many bytes the character takes that begins here; 0 if none does: RFC
 * 3629. */
static size_t utf8_len(const uint8_t *p)
{
	/* The least second byte behind these first ones, and the greatest. */
	uint8_t least = p[0] == 0xe0 ? 0xa0 : p[0] == 0xf0 ? 0x90 : 0x80;
	uint8_t most = p[0] == 0xed ? 0x9f : p[0] == 0xf4 ? 0x8f : 0xbf;
	size_t len = p[0] < 0x80   ? 1
		     : p[0] < 0xc2 ? 0
		     : p[0] < 0xe0 ? 2
		     : p[0] < 0xf0 ? 3
		     : p[0] < 0xf5 ? 4
				   : 0;

	if (len > 1 && (p[1] < least || p[1] > most))
		return 0;
	for (size_t i = 2; i < len; i++)
		if ((p[i] & 0xc0) != 0x80)
			return 0;
	return len;
}

static int add_character(struct buf *out, const uint8_t *p, size_t len,
    struct err *err)
{
	if (*p < 0x20)
		return buf_addf(out, err, "\\u%04x", *p);
	if (*p == '"' || *p == '\\')
		return buf_addf(out, err, "\\%c", *p);
	return buf_add(out, p, len, err);
}

int toc_print_string(struct buf *out, const char *text, struct err *err)
{
	int r = buf_addstr(out, "\"", err);

	for (const uint8_t *p = (const uint8_t *)text; *p && r == 0;) {
		size_t len = utf8_len(p);

		if (len == 0)
			return err_set(err, EOPNOTSUPP,
			    "a name that is not in UTF-8");
		r = add_character(out, p, len, err);
		p += len;
	}
	return r < 0 ? r : buf_addstr(out, "\"", err);
}

int toc_print_digest(struct buf *out, const char *name,
    const struct digest *digest, struct err *err)
{
	char text[DIGEST_TEXT_SIZE];

	return buf_addf(out, err, ",\"%s\":\"%s\"", name,
	    digest_format(digest, text));
}

int toc_print_number(struct buf *out, const char *name, uint64_t number,
    struct err *err)
{
	if (number == 0)
		return 0;
	return buf_addf(out, err, ",\"%s\":%" PRIu64, name, number);
}

static int add_time(struct buf *out, const char *name, int64_t seconds,
    uint32_t nanos, struct err *err)
{
	time_t time = seconds;
	struct tm tm;
	char fraction[16] = "";

	if (!gmtime_r(&time, &tm) || tm.tm_year < -1899 || tm.tm_year > 8099)
		return err_set(err, EOPNOTSUPP, "a time that is past JSON's");
	if (nanos > 0)
		snprintf(fraction, sizeof(fraction), ".%09" PRIu32, nanos);
	return buf_addf(out, err,
	    ",\"%s\":\"%04d-%02d-%02dT%02d:%02d:%02d%sZ\"", name,
	    tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday, tm.tm_hour, tm.tm_min,
	    tm.tm_sec, fraction);
}

static int add_other_time(struct buf *out, const char *name,
    const struct tar_time *time, struct err *err)
{
	if (!time->is_set)
		return 0;
	return add_time(out, name, time->seconds, time->nanos, err);
}

static int add_times(struct buf *out, const struct tar_entry *entry,
    struct err *err)
{
	int r = add_time(out, "modtime", entry->mtime, entry->mtime_nanos, err);

	if (r == 0)
		r = add_other_time(out, "accesstime", &entry->atime, err);
	return r < 0 ? r
		     : add_other_time(out, "changetime", &entry->ctime, err);
}

static int add_xattr(struct buf *out, const struct tar_xattr *xattr,
    struct err *err)
{
	AUTO_FREE char *value = base64_encode(":\"", xattr->value, xattr->len);
	int r =
	    value ? toc_print_string(out, xattr->name, err) : err_nomem(err);

	if (r == 0)
		r = buf_addstr(out, value, err);
	return r < 0 ? r : buf_addstr(out, "\"", err);
}

static int add_xattrs(struct buf *out, const struct tar_entry *entry,
    struct err *err)
{
	int r = 0;

	if (entry->xattr_count == 0)
		return 0;
	for (size_t i = 0; i < entry->xattr_count && r == 0; i++) {
		r = buf_addstr(out, i == 0 ? ",\"xattrs\":{" : ",", err);
		if (r == 0)
			r = add_xattr(out, &entry->xattrs[i], err);
	}
	return r < 0 ? r : buf_addstr(out, "}", err);
}

static const char *type_name(enum tar_type type)
{
	switch (type) {
	case TAR_FILE:
		break;
	case TAR_HARDLINK:
		return "hardlink";
	case TAR_SYMLINK:
		return "symlink";
	case TAR_CHAR:
		return "char";
	case TAR_BLOCK_DEVICE:
		return "block";
	case TAR_DIRECTORY:
		return "dir";
	case TAR_FIFO:
		return "fifo";
	}
	return "reg";
}

static int add_names(struct buf *out, const struct tar_entry *entry,
    struct err *err)
{
	int r = buf_addf(out, err,
	    "{\"type\":\"%s\",\"name\":", type_name(entry->type));

	if (r == 0)
		r = toc_print_string(out, entry->name, err);
	if (r < 0 || !*entry->link)
		return r;
	r = buf_addstr(out, ",\"linkName\":", err);
	return r < 0 ? r : toc_print_string(out, entry->link, err);
}

int toc_print_entry(struct buf *out, const struct tar_entry *entry,
    struct err *err)
{
	int r = add_names(out, entry, err);

	if (r == 0)
		r = toc_print_number(out, "mode", (uint64_t)entry->raw_mode,
		    err);
	if (r == 0)
		r = toc_print_number(out, "size", entry->size, err);
	if (r == 0)
		r = toc_print_number(out, "uid", entry->uid, err);
	if (r == 0)
		r = toc_print_number(out, "gid", entry->gid, err);
	if (r == 0)
		r = add_times(out, entry, err);
	if (r == 0)
		r = toc_print_number(out, "devMajor", entry->dev_major, err);
	if (r == 0)
		r = toc_print_number(out, "devMinor", entry->dev_minor, err);
	return r < 0 ? r : add_xattrs(out, entry, err);
}
