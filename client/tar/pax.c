/* SPDX-License-Identifier: Apache-2.0 */
/* The records of a pax extended header: "LENGTH KEY=VALUE\n". */
#include "pax.h"

#include <errno.h>
#include <string.h>

#include "base/parse.h"

#define SPARSE_PREFIX "GNU.sparse."
#define NANOS_PER_SECOND 1000000000

static int bad_record(struct err *err)
{
	return err_set(err, EINVAL, "a pax header with a bad record");
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

/* Digits behind the point; those below a nanosecond are dropped. */
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

static int apply(const char *key, const char *value, size_t len,
    struct pax *out, struct err *err)
{
	bool valid;

	if (strncmp(key, SPARSE_PREFIX, strlen(SPARSE_PREFIX)) == 0)
		out->is_sparse = true;
	if (strcmp(key, "path") == 0)
		valid = set_name(value, &out->name);
	else if (strcmp(key, SPARSE_PREFIX "name") == 0)
		valid = set_name(value, &out->sparse_name);
	else if (strcmp(key, "linkpath") == 0)
		valid = set_name(value, &out->link);
	else if (strcmp(key, "size") == 0)
		valid = set_number(value, &out->has_size, &out->size);
	else if (strcmp(key, "uid") == 0)
		valid = set_number(value, &out->has_uid, &out->uid);
	else if (strcmp(key, "gid") == 0)
		valid = set_number(value, &out->has_gid, &out->gid);
	else if (strcmp(key, "mtime") == 0)
		valid = set_time(value, out);
	else
		return 0;
	if (!valid || strlen(value) != len)
		return err_set(err, EINVAL, "a pax header with a bad %s", key);
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

int pax_parse(char *text, size_t len, struct pax *out, struct err *err)
{
	const char *end = text + len;

	*out = (struct pax){0};
	while (text < end) {
		int r = parse_record(&text, end, out, err);

		if (r < 0)
			return r;
	}
	return 0;
}
