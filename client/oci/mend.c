/* SPDX-License-Identifier: Apache-2.0 */
/* JSON that Go's readers take and jansson does not. */
#include "mend.h"

#include <stdbool.h>
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

int json_mend(const char *text, size_t len, struct buf *out, struct err *err)
{
	int r = 0;

	for (size_t at = 0; r == 0 && at < len;) {
		bool escape = text[at] == '\\';
		size_t n =
		    escape ? escape_length(text + at, len - at)
			   : character((const uint8_t *)text + at, len - at);

		r = n > 0 ? buf_add(out, text + at, n, err)
			  : buf_addstr(out, replacement, err);
		at += n > 0 ? n : escape ? ESCAPE : 1;
	}
	return r;
}
