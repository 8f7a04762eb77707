/* SPDX-License-Identifier: Apache-2.0 */
/* Small parsers over NUL-terminated text. */
#include "base/parse.h"

#include <string.h>
#include <strings.h>

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

bool parse_literal(const char **cursor, const char *text)
{
	size_t len = strlen(text);

	if (strncmp(*cursor, text, len) != 0)
		return false;
	*cursor += len;
	return true;
}

static char lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

bool parse_literal_nocase(const char **cursor, const char *text)
{
	const char *p = *cursor;

	for (; *text; p++, text++)
		if (lower(*p) != lower(*text))
			return false;
	*cursor = p;
	return true;
}

bool parse_u64(const char **cursor, uint64_t max, uint64_t *out)
{
	const char *p = *cursor;
	uint64_t value = 0;

	for (; is_digit(*p); p++) {
		uint64_t digit = (uint64_t)(*p - '0');

		if (value > max / 10 || digit > max - value * 10)
			return false;
		value = value * 10 + digit;
	}
	if (p == *cursor)
		return false;
	*cursor = p;
	*out = value;
	return true;
}

static bool is_token_char(char c)
{
	return is_digit(c) || (lower(c) >= 'a' && lower(c) <= 'z') ||
	       (c && strchr("!#$%&'*+-.^_`|~", c));
}

bool parse_token(const char **cursor, const char **out, size_t *len)
{
	const char *p = *cursor;

	while (is_token_char(*p))
		p++;
	if (p == *cursor)
		return false;
	*out = *cursor;
	*len = (size_t)(p - *cursor);
	*cursor = p;
	return true;
}

/* What can stand in a quoted-string: no control character but the tab. */
static bool is_text(char c)
{
	unsigned char u = (unsigned char)c;

	return c == '\t' || (u >= 0x20 && u != 0x7f);
}

bool parse_quoted(const char **cursor, char *out, size_t size)
{
	const char *p = *cursor;
	size_t n = 0;

	if (*p++ != '"')
		return false;
	while (*p != '"') {
		if (*p == '\\')
			p++;
		if (!is_text(*p) || n + 1 >= size)
			return false;
		out[n++] = *p++;
	}
	if (n >= size)
		return false;
	out[n] = '\0';
	*cursor = p + 1;
	return true;
}

bool parse_space(const char **cursor)
{
	*cursor += strspn(*cursor, " \t");
	return true;
}

/* A digit's value, plus one. An index has a digest for each chunk of a file,
 * and branches cost the more the less the digits can be foreseen. */
static const uint8_t hex_values[256] = {
    ['0'] = 1,
    ['1'] = 2,
    ['2'] = 3,
    ['3'] = 4,
    ['4'] = 5,
    ['5'] = 6,
    ['6'] = 7,
    ['7'] = 8,
    ['8'] = 9,
    ['9'] = 10,
    ['a'] = 11,
    ['b'] = 12,
    ['c'] = 13,
    ['d'] = 14,
    ['e'] = 15,
    ['f'] = 16,
};

bool parse_hex(const char **cursor, uint8_t *out, size_t len)
{
	const char *p = *cursor;

	for (size_t i = 0; i < len; i++, p += 2) {
		unsigned high = hex_values[(unsigned char)p[0]];
		unsigned low = high ? hex_values[(unsigned char)p[1]] : 0;

		if (!low)
			return false;
		out[i] = (uint8_t)((high - 1) << 4 | (low - 1));
	}
	*cursor = p;
	return true;
}

/* Exactly `digits` digits with a value from min to max. */
static bool parse_field(const char **cursor, int digits, int min, int max,
    int *out)
{
	const char *p = *cursor;
	int value = 0;

	for (int i = 0; i < digits; i++, p++) {
		if (!is_digit(*p))
			return false;
		value = value * 10 + (*p - '0');
	}
	if (value < min || value > max)
		return false;
	*cursor = p;
	*out = value;
	return true;
}

static bool is_leap(int year)
{
	return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

static int days_in(int year, int month)
{
	static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30,
	    31};

	return days[month - 1] + (month == 2 && is_leap(year));
}

/* Leap days before the year, counted from a fixed one 400 years before 0. */
static int leap_days_before(int year)
{
	int past = year + 399;

	return past / 4 - past / 100 + past / 400;
}

/* Days since 1970-01-01, negative before. */
static int64_t days_since_epoch(int year, int month, int day)
{
	int days = (year - 1970) * 365 + leap_days_before(year) -
		   leap_days_before(1970);

	for (int m = 1; m < month; m++)
		days += days_in(year, m);
	return days + day - 1;
}

static bool parse_date(const char **cursor, int64_t *days)
{
	int year, month, day;

	if (!(parse_field(cursor, 4, 0, 9999, &year) &&
		parse_literal(cursor, "-") &&
		parse_field(cursor, 2, 1, 12, &month) &&
		parse_literal(cursor, "-") &&
		parse_field(cursor, 2, 1, 31, &day)))
		return false;
	if (day > days_in(year, month))
		return false;
	*days = days_since_epoch(year, month, day);
	return true;
}

/* Any number of digits; those after the ninth are too fine to keep. */
static bool parse_fraction(const char **cursor, uint32_t *nanos)
{
	uint32_t unit = 100000000;

	*nanos = 0;
	if (!parse_literal(cursor, "."))
		return true;
	if (!is_digit(**cursor))
		return false;
	for (; is_digit(**cursor); ++*cursor, unit /= 10)
		*nanos += (uint32_t)(**cursor - '0') * unit;
	return true;
}

static bool parse_zone(const char **cursor, int *seconds)
{
	int sign = **cursor == '-' ? -1 : 1;
	int hour, minute;

	*seconds = 0;
	if (parse_literal_nocase(cursor, "z"))
		return true;
	if (!(parse_literal(cursor, "+") || parse_literal(cursor, "-")) ||
	    !parse_field(cursor, 2, 0, 23, &hour) ||
	    !parse_literal(cursor, ":") ||
	    !parse_field(cursor, 2, 0, 59, &minute))
		return false;
	*seconds = sign * (hour * 3600 + minute * 60);
	return true;
}

bool parse_rfc3339(const char **cursor, int64_t *seconds, uint32_t *nanos)
{
	const char *p = *cursor;
	int hour, minute, second, zone;
	uint32_t fraction;
	int64_t days;

	/* Second 60 is a leap second: the same as the next minute's first. */
	if (!(parse_date(&p, &days) && parse_literal_nocase(&p, "t") &&
		parse_field(&p, 2, 0, 23, &hour) && parse_literal(&p, ":") &&
		parse_field(&p, 2, 0, 59, &minute) && parse_literal(&p, ":") &&
		parse_field(&p, 2, 0, 60, &second) &&
		parse_fraction(&p, &fraction) && parse_zone(&p, &zone)))
		return false;
	*seconds = days * 86400 + hour * 3600 + minute * 60 + second - zone;
	*nanos = fraction;
	*cursor = p;
	return true;
}
