/* SPDX-License-Identifier: Apache-2.0 */
/* JSON that Go's readers take and jansson does not. */
#include "mend.h"

#include <errno.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/parse.h"

/* U+FFFD, which Go puts in the place of what is no character. */
static const char replacement[] = "\xef\xbf\xbd";

enum { ESCAPE = sizeof("\\uXXXX") - 1 };

/* How many bytes a character has that begins so; 0 for what begins none. */
static size_t length_of(uint8_t first)
{
	if (first < 0x80)
		return 1;
	if (first >= 0xc2 && first < 0xe0)
		return 2;
	if (first >= 0xe0 && first < 0xf0)
		return 3;
	return first >= 0xf0 && first < 0xf5 ? 4 : 0;
}

/* RFC 3629: no longer than it has to be, and no half of a surrogate pair. */
static bool is_second(uint8_t first, uint8_t second)
{
	switch (first) {
	case 0xe0:
		return second >= 0xa0;
	case 0xed:
		return second < 0xa0;
	case 0xf0:
		return second >= 0x90;
	case 0xf4:
		return second < 0x90;
	default:
		return true;
	}
}

/* The bytes of the character that is next; 0 where they are not one. */
static size_t character(const uint8_t *text, size_t len)
{
	size_t n = length_of(*text);

	if (n == 0 || n > len || (n > 1 && !is_second(text[0], text[1])))
		return 0;
	for (size_t i = 1; i < n; i++)
		if ((text[i] & 0xc0) != 0x80)
			return 0;
	return n;
}

/* The code of an escape "\uXXXX" that is next; false for anything else. */
static bool read_escape(const char *text, size_t len, unsigned *code)
{
	char digits[5] = "";
	const char *p = digits;
	uint8_t bytes[2];

	if (len < ESCAPE || text[0] != '\\' || text[1] != 'u')
		return false;
	for (size_t i = 0; i < 4; i++)
		digits[i] = text[2 + i] >= 'A' && text[2 + i] <= 'F'
				? (char)(text[2 + i] | 0x20)
				: text[2 + i];
	if (!parse_hex(&p, bytes, sizeof(bytes)))
		return false;
	*code = (unsigned)bytes[0] << 8 | bytes[1];
	return true;
}

/* What of an escape is to stay: all of a pair, 0 of what is no character. */
static size_t escape_length(const char *text, size_t len)
{
	unsigned code, second;

	if (!read_escape(text, len, &code))
		return len < 2 ? len : 2;
	if (code >= 0xd800 && code < 0xdc00)
		return read_escape(text + ESCAPE, len - ESCAPE, &second) &&
			       second >= 0xdc00 && second < 0xe000
			   ? 2 * (size_t)ESCAPE
			   : 0;
	return code == 0 || (code >= 0xdc00 && code < 0xe000) ? 0 : ESCAPE;
}

struct mending {
	const char *text;
	size_t len, at;
	size_t max_depth, depth;
	struct buf *out;
};

/* What is nested too deep is passed over. */
static int put(struct mending *mending, const char *text, size_t len,
    struct err *err)
{
	return mending->depth > mending->max_depth
		   ? 0
		   : buf_add(mending->out, text, len, err);
}

static int mend_character(struct mending *mending, struct err *err)
{
	const char *text = mending->text + mending->at;
	size_t left = mending->len - mending->at;
	bool escape = *text == '\\';
	size_t n = escape ? escape_length(text, left)
			  : character((const uint8_t *)text, left);

	mending->at += n > 0 ? n : escape ? ESCAPE : 1;
	return n > 0 ? put(mending, text, n, err)
		     : put(mending, replacement, strlen(replacement), err);
}

static int mend_string(struct mending *mending, struct err *err)
{
	int r = put(mending, "\"", 1, err);

	mending->at++;
	while (r == 0 && mending->at < mending->len &&
	       mending->text[mending->at] != '"')
		r = mend_character(mending, err);
	if (r < 0 || mending->at >= mending->len)
		return r;
	mending->at++;
	return put(mending, "\"", 1, err);
}

/* What jansson has nearest to a number that it has not, else NULL. */
static const char *nearest(const char *number)
{
	bool negative = *number == '-';

	errno = 0;
	if (number[strspn(number, "-0123456789")] != '\0') {
		if (isfinite(strtod(number, NULL)))
			return NULL;
		return negative ? "-1e308" : "1e308";
	}
	strtoll(number, NULL, 10);
	if (errno == 0)
		return NULL;
	return negative ? "-9223372036854775808" : "9223372036854775807";
}

static bool is_number(char first)
{
	return first == '-' || (first >= '0' && first <= '9');
}

static int mend_number(struct mending *mending, struct err *err)
{
	const char *text = mending->text + mending->at;
	AUTO_BUF struct buf number = BUF_INIT(SIZE_MAX / 2);
	const char *near;
	size_t len = 0;

	while (mending->at + len < mending->len &&
	       strchr("+-.0123456789eE", text[len]) && text[len])
		len++;
	mending->at += len;
	if (buf_add(&number, text, len, err) < 0)
		return -err->code;
	near = nearest(buf_str(&number));
	return near ? put(mending, near, strlen(near), err)
		    : put(mending, text, len, err);
}

static int mend_bracket(struct mending *mending, char bracket, struct err *err)
{
	bool opens = bracket == '{' || bracket == '[';
	int r = 0;

	mending->at++;
	if (opens && mending->depth == mending->max_depth)
		r = put(mending, "null", strlen("null"), err);
	if (opens)
		mending->depth++;
	if (r == 0)
		r = put(mending, &bracket, 1, err);
	if (!opens && mending->depth > 0)
		mending->depth--;
	return r;
}

int json_mend(const char *text, size_t len, size_t max_depth, struct buf *out,
    struct err *err)
{
	struct mending mending = {.text = text,
	    .len = len,
	    .max_depth = max_depth,
	    .out = out};
	int r = 0;

	while (r == 0 && mending.at < len) {
		switch (text[mending.at]) {
		case '"':
			r = mend_string(&mending, err);
			break;
		case '{':
		case '[':
		case '}':
		case ']':
			r = mend_bracket(&mending, text[mending.at], err);
			break;
		default:
			r = is_number(text[mending.at])
				? mend_number(&mending, err)
				: mend_character(&mending, err);
		}
	}
	return r;
}
