/* SPDX-License-Identifier: Apache-2.0 */
/* The records of a pax extended header: "LENGTH KEY=VALUE\n". */
#include "pax.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/parse.h"

#define SPARSE_PREFIX "GNU.sparse."
#define SPARSE_OFFSET SPARSE_PREFIX "offset"
#define SPARSE_SIZE SPARSE_PREFIX "numbytes"
#define XATTR_PREFIX "SCHILY.xattr."
#define NANOS_PER_SECOND 1000000000

static int bad_record(struct err *err)
{
	return err_set(err, EINVAL, "the pax header has an invalid record");
}

static int bad_value(const char *key, struct err *err)
{
	return err_set(err, EINVAL, "the pax header has an invalid %s", key);
}

/* An optional sign and decimal digits. */
static bool parse_signed(const char **cursor, int64_t *out)
{
	const char *p = *cursor;
	bool negative = parse_literal(&p, "-");
	uint64_t value;

	if (!negative)
		parse_literal(&p, "+");
	if (!parse_u64(&p, INT64_MAX, &value))
		return false;
	*out = negative ? -(int64_t)value : (int64_t)value;
	*cursor = p;
	return true;
}

static bool parse_whole(const char *text, int64_t *out)
{
	return parse_signed(&text, out) && *text == '\0';
}

/* Digits after the point; those below a nanosecond are dropped. */
static bool parse_fraction(const char *text, uint32_t *nanos)
{
	uint32_t unit = NANOS_PER_SECOND;

	*nanos = 0;
	for (; *text >= '0' && *text <= '9'; text++) {
		unit /= 10;
		*nanos += unit * (uint32_t)(*text - '0');
	}
	return *text == '\0';
}

static bool parse_time(const char *text, int64_t *seconds, uint32_t *nanos)
{
	bool negative = *text == '-';

	*nanos = 0;
	if (!parse_signed(&text, seconds))
		return false;
	if (parse_literal(&text, ".")) {
		if (!parse_fraction(text, nanos))
			return false;
	} else if (*text != '\0') {
		return false;
	}
	/* -1.25 is 1.25 before 1970: two seconds before and 0.75 after. */
	if (negative && *nanos > 0) {
		*seconds -= 1;
		*nanos = NANOS_PER_SECOND - *nanos;
	}
	return true;
}

/* In all of these an empty value takes back what an earlier record said. */
static bool set_name(const char *value, const char **out)
{
	*out = *value ? value : NULL;
	return true;
}

static bool set_number(const char *value, bool *has, int64_t *out)
{
	*has = *value != '\0';
	return !*has || parse_whole(value, out);
}

static bool set_time(const char *value, struct pax *out)
{
	out->has_mtime = *value != '\0';
	return !out->has_mtime ||
	       parse_time(value, &out->mtime, &out->mtime_nanos);
}

/* One that nothing depends on, and that need not be right. */
static bool set_other_time(const char *value, struct tar_time *out)
{
	out->is_set =
	    *value != '\0' && parse_time(value, &out->seconds, &out->nanos);
	return true;
}

/* A number of a map of version 0.0: offsets and sizes take turns. */
static int add_number(const char *key, const char *value, size_t len,
    struct pax_sparse *out, struct err *err)
{
	bool is_offset = strcmp(key, SPARSE_OFFSET) == 0;
	int64_t number;

	if (is_offset == out->is_offset || strlen(value) != len ||
	    !parse_whole(value, &number))
		return bad_value(key, err);
	out->present = true;
	out->is_offset = is_offset;
	return buf_addf(&out->numbers, err, "%s%s",
	    out->numbers.len > 0 ? "," : "", value);
}

static int add_xattr(const char *name, const char *value, size_t len,
    struct pax *out, struct err *err)
{
	struct tar_xattr xattr = {.name = name, .value = value, .len = len};

	/* No file can have one without a name. */
	if (*name == '\0')
		return 0;
	return buf_add(&out->xattrs, &xattr, sizeof(xattr), err);
}

/* These are false for a key that is not theirs. */
static bool apply_sparse(const char *key, const char *value,
    struct pax_sparse *out, bool *valid)
{
	if (!parse_literal(&key, SPARSE_PREFIX))
		return false;
	out->present = true;
	if (strcmp(key, "name") == 0)
		*valid = set_name(value, &out->name);
	else if (strcmp(key, "major") == 0)
		*valid = set_name(value, &out->major);
	else if (strcmp(key, "minor") == 0)
		*valid = set_name(value, &out->minor);
	else if (strcmp(key, "map") == 0)
		*valid = set_name(value, &out->map);
	else if (strcmp(key, "size") == 0)
		*valid = set_number(value, &out->has_size, &out->size);
	else if (strcmp(key, "realsize") == 0)
		*valid =
		    set_number(value, &out->has_real_size, &out->real_size);
	else if (strcmp(key, "numblocks") == 0)
		*valid = set_number(value, &out->has_count, &out->count);
	else
		return false;
	return true;
}

static bool apply_field(const char *key, const char *value, struct pax *out,
    bool *valid)
{
	if (strcmp(key, "path") == 0)
		*valid = set_name(value, &out->name);
	else if (strcmp(key, "linkpath") == 0)
		*valid = set_name(value, &out->link);
	else if (strcmp(key, "size") == 0)
		*valid = set_number(value, &out->has_size, &out->size);
	else if (strcmp(key, "uid") == 0)
		*valid = set_number(value, &out->has_uid, &out->uid);
	else if (strcmp(key, "gid") == 0)
		*valid = set_number(value, &out->has_gid, &out->gid);
	else if (strcmp(key, "mtime") == 0)
		*valid = set_time(value, out);
	else if (strcmp(key, "atime") == 0)
		*valid = set_other_time(value, &out->atime);
	else if (strcmp(key, "ctime") == 0)
		*valid = set_other_time(value, &out->ctime);
	else
		return false;
	return true;
}

static int apply(const char *key, const char *value, size_t len,
    struct pax *out, struct err *err)
{
	const char *name = key;
	bool valid;

	if (parse_literal(&name, XATTR_PREFIX))
		return add_xattr(name, value, len, out, err);
	if (strcmp(key, SPARSE_OFFSET) == 0 || strcmp(key, SPARSE_SIZE) == 0)
		return add_number(key, value, len, &out->sparse, err);
	if (!apply_field(key, value, out, &valid) &&
	    !apply_sparse(key, value, &out->sparse, &valid))
		return 0;
	if (!valid || strlen(value) != len)
		return bad_value(key, err);
	return 0;
}

/* Takes one record apart; 0, or -EINVAL. */
static int parse_record(char **text, const char *end, struct pax *out,
    struct err *err)
{
	char *start = *text;
	const char *cursor = start;
	char *key, *value, *stop;
	uint64_t len;

	/* The text ends in a NUL: no parser here runs past it. */
	if (!parse_u64(&cursor, (uint64_t)(end - start), &len) ||
	    !parse_literal(&cursor, " "))
		return bad_record(err);
	key = start + (cursor - start);
	stop = start + len - 1;
	if (key >= stop || *stop != '\n')
		return bad_record(err);
	value = memchr(key, '=', (size_t)(stop - key));
	if (!value || value == key || memchr(key, '\0', (size_t)(value - key)))
		return bad_record(err);
	*value++ = '\0';
	*stop = '\0';
	*text = stop + 1;
	return apply(key, value, (size_t)(stop - value), out, err);
}

/* By name, then as they stand in the text. */
static int compare_xattrs(const void *a, const void *b)
{
	const struct tar_xattr *one = a, *other = b;
	int order = strcmp(one->name, other->name);

	return order ? order : (one->name > other->name ? 1 : -1);
}

/* Of each name the last. */
static void drop_earlier_xattrs(struct buf *xattrs)
{
	void *data = xattrs->data;
	struct tar_xattr *list = data;
	size_t count = xattrs->len / sizeof(*list);
	size_t kept = 0;

	if (count < 2)
		return;
	qsort(list, count, sizeof(*list), compare_xattrs);
	for (size_t i = 0; i < count; i++)
		if (i + 1 == count ||
		    strcmp(list[i].name, list[i + 1].name) != 0)
			list[kept++] = list[i];
	xattrs->len = kept * sizeof(*list);
}

int pax_parse(char *text, size_t len, struct pax *out, struct err *err)
{
	const char *end = text + len;

	while (text < end) {
		int r = parse_record(&text, end, out, err);

		if (r < 0)
			return r;
	}
	drop_earlier_xattrs(&out->xattrs);
	return 0;
}

void pax_release(struct pax *pax)
{
	buf_release(&pax->sparse.numbers);
	buf_release(&pax->xattrs);
	*pax = PAX_INIT;
}

static bool is_version(const struct pax_sparse *sparse, const char *major,
    const char *minor)
{
	return sparse->major && strcmp(sparse->major, major) == 0 &&
	       sparse->minor && strcmp(sparse->minor, minor) == 0;
}

enum sparse_version pax_sparse_version(const struct pax *pax)
{
	const struct pax_sparse *sparse = &pax->sparse;

	if (!sparse->present)
		return SPARSE_NOT;
	if (is_version(sparse, "1", "0"))
		return SPARSE_PAX_1;
	if (is_version(sparse, "0", "0") || is_version(sparse, "0", "1"))
		return SPARSE_PAX_0;
	/* Version 0 did not use to say so. */
	if (!sparse->major && !sparse->minor && *pax_sparse_map(pax))
		return SPARSE_PAX_0;
	return SPARSE_UNKNOWN;
}

const char *pax_sparse_map(const struct pax *pax)
{
	const struct pax_sparse *sparse = &pax->sparse;

	if (sparse->numbers.len > 0)
		return sparse->numbers.data;
	return sparse->map ? sparse->map : "";
}
