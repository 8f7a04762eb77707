/* SPDX-License-Identifier: Apache-2.0 */
/* Text in formats that have rules. */
#include "base/escape.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#define REPLACEMENT "\xef\xbf\xbd"

/* The well-formed sequences (Unicode 3.9, table 3-7): which first bytes, which
 * second ones. Those that follow are 80 to BF. */
static const struct {
	uint8_t first, last;
	uint8_t low, high;
	uint8_t len;
} sequences[] = {
    {0xc2, 0xdf, 0x80, 0xbf, 2},
    {0xe0, 0xe0, 0xa0, 0xbf, 3},
    {0xe1, 0xec, 0x80, 0xbf, 3},
    {0xed, 0xed, 0x80, 0x9f, 3},
    {0xee, 0xef, 0x80, 0xbf, 3},
    {0xf0, 0xf0, 0x90, 0xbf, 4},
    {0xf1, 0xf3, 0x80, 0xbf, 4},
    {0xf4, 0xf4, 0x80, 0x8f, 4},
};

/* The bytes of the character at text, which is not at its end; 0: not a
 * character.
 */
static size_t utf8_length(const char *text)
{
	const uint8_t *p = (const uint8_t *)text;
	size_t n;

	if (*p < 0x80)
		return 1;
	for (size_t i = 0; i < sizeof(sequences) / sizeof(*sequences); i++) {
		if (*p < sequences[i].first || *p > sequences[i].last)
			continue;
		if (p[1] < sequences[i].low || p[1] > sequences[i].high)
			return 0;
		for (n = 2; n < sequences[i].len; n++)
			if (p[n] < 0x80 || p[n] > 0xbf)
				return 0;
		return n;
	}
	return 0;
}

static int add_json_char(struct buf *out, char c, struct err *err)
{
	if (c == '"' || c == '\\')
		return buf_addf(out, err, "\\%c", c);
	return buf_addf(out, err, "\\u%04x", (unsigned)(unsigned char)c);
}

static bool is_special_in_json(char c)
{
	return c == '"' || c == '\\' || (unsigned char)c < 0x20;
}

static int add_label_char(struct buf *out, char c, struct err *err)
{
	return buf_addf(out, err, "\\%c", c == '\n' ? 'n' : c);
}

static bool is_special_in_label(char c)
{
	return c == '"' || c == '\\' || c == '\n';
}

static int escape(struct buf *out, const char *text, bool (*special)(char c),
    int (*add)(struct buf *out, char c, struct err *err), struct err *err)
{
	int r = buf_addstr(out, "\"", err);

	while (*text && r == 0) {
		size_t len = utf8_length(text);

		if (len == 0)
			r = buf_addstr(out, REPLACEMENT, err);
		else if (special(*text))
			r = add(out, *text, err);
		else
			r = buf_add(out, text, len, err);
		text += len ? len : 1;
	}
	return r < 0 ? r : buf_addstr(out, "\"", err);
}

int escape_json(struct buf *out, const char *text, struct err *err)
{
	return escape(out, text, is_special_in_json, add_json_char, err);
}

int escape_label(struct buf *out, const char *text, struct err *err)
{
	return escape(out, text, is_special_in_label, add_label_char, err);
}

/* Of a character of len bytes, well formed. */
static uint32_t code_point(const char *text, size_t len)
{
	static const uint8_t masks[] = {0, 0x7f, 0x1f, 0x0f, 0x07};
	uint32_t code = (uint8_t)*text & masks[len];

	for (size_t i = 1; i < len; i++)
		code = code << 6 | ((uint8_t)text[i] & 0x3f);
	return code;
}

/* Controls, marks of direction and line separators: Unicode's classes Cc, Zl,
 * Zp, and Bidi_Control (UAX 9). */
static bool is_unseen(uint32_t code)
{
	return code < 0x20 || (code >= 0x7f && code < 0xa0) || code == 0x61c ||
	       code == 0x200e || code == 0x200f ||
	       (code >= 0x2028 && code <= 0x202e) ||
	       (code >= 0x2066 && code <= 0x2069);
}

static int add_unseen(struct buf *out, uint32_t code, struct err *err)
{
	if (code == '\n')
		return buf_addstr(out, "\\n", err);
	if (code == '\t')
		return buf_addstr(out, "\\t", err);
	return buf_addf(out, err, code < 0x80 ? "\\x%02x" : "\\u%04x", code);
}

static int add_seen(struct buf *out, const char *text, size_t len,
    struct err *err)
{
	return buf_add(out, text, len, err);
}

static int add_html(struct buf *out, const char *text, size_t len,
    struct err *err)
{
	return strchr("&<>\"'", *text) ? buf_addf(out, err, "&#%d;", *text)
				       : buf_add(out, text, len, err);
}

static int make_visible(struct buf *out, const char *text,
    int (*add)(struct buf *out, const char *text, size_t len, struct err *err),
    struct err *err)
{
	int r = 0;

	while (*text && r == 0) {
		size_t len = utf8_length(text);
		uint32_t code = len ? code_point(text, len) : 0;

		if (len == 0)
			r = buf_addf(out, err, "\\x%02x", (uint8_t)*text);
		else if (is_unseen(code))
			r = add_unseen(out, code, err);
		else
			r = add(out, text, len, err);
		text += len ? len : 1;
	}
	return r;
}

int escape_visible(struct buf *out, const char *text, struct err *err)
{
	return make_visible(out, text, add_seen, err);
}

int escape_html(struct buf *out, const char *text, struct err *err)
{
	return make_visible(out, text, add_html, err);
}
