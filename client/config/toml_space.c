/* SPDX-License-Identifier: Apache-2.0 */
/* What stands between the values of a TOML text. */
#include <errno.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "toml_read.h"

static int line_error(unsigned line, struct err *err, const char *fmt,
    va_list args)
{
	char what[256], clean[256];

	vsnprintf(what, sizeof(what), fmt, args);
	/* Keys may have any character. */
	err_clean(clean, sizeof(clean), what, strlen(what));
	return err_set(err, EINVAL, "line %u: %s", line, clean);
}

int toml_error(const struct toml_reader *reader, struct err *err,
    const char *fmt, ...)
{
	va_list args;
	int r;

	va_start(args, fmt);
	r = line_error(reader->line, err, fmt, args);
	va_end(args);
	return r;
}

int toml_refuse(const struct toml *value, struct err *err, const char *fmt, ...)
{
	va_list args;
	int r;

	va_start(args, fmt);
	r = line_error(value->line, err, fmt, args);
	va_end(args);
	return r;
}

char toml_peek(const struct toml_reader *reader, size_t more)
{
	return more < (size_t)(reader->end - reader->at) ? reader->at[more]
							 : '\0';
}

bool toml_skip(struct toml_reader *reader, const char *text)
{
	size_t len = strlen(text);

	if (len > (size_t)(reader->end - reader->at) ||
	    memcmp(reader->at, text, len) != 0)
		return false;
	reader->at += len;
	return true;
}

void toml_skip_blanks(struct toml_reader *reader)
{
	while (toml_peek(reader, 0) == ' ' || toml_peek(reader, 0) == '\t')
		reader->at++;
}

bool toml_skip_newline(struct toml_reader *reader)
{
	if (!toml_skip(reader, "\n") && !toml_skip(reader, "\r\n"))
		return false;
	reader->line++;
	return true;
}

static bool is_control(char c)
{
	return (unsigned char)c < ' ' || c == 0x7f;
}

int toml_skip_comment(struct toml_reader *reader, struct err *err)
{
	if (!toml_skip(reader, "#"))
		return 0;
	for (; reader->at < reader->end; reader->at++) {
		struct toml_reader there = *reader;

		if (toml_skip_newline(&there))
			break;
		if (is_control(*reader->at) && *reader->at != '\t')
			return toml_error(reader, err,
			    "a control character in a comment");
	}
	return 0;
}

int toml_skip_space(struct toml_reader *reader, struct err *err)
{
	int r = 0;

	do {
		toml_skip_blanks(reader);
		r = toml_skip_comment(reader, err);
	} while (r == 0 && toml_skip_newline(reader));
	return r;
}

/* The bytes of the character that begins with c, 0 where none does, and the
 * least code that needs so many. */
static size_t utf8_length(unsigned char c, uint32_t *code, uint32_t *least)
{
	static const struct {
		unsigned char mask, begin;
		uint32_t least;
	} forms[] = {
	    {0x80, 0x00, 0},
	    {0xe0, 0xc0, 0x80},
	    {0xf0, 0xe0, 0x800},
	    {0xf8, 0xf0, 0x10000},
	};

	for (size_t i = 0; i < sizeof(forms) / sizeof(*forms); i++) {
		if ((c & forms[i].mask) != forms[i].begin)
			continue;
		*code = c & (unsigned char)~forms[i].mask;
		*least = forms[i].least;
		return i + 1;
	}
	return 0;
}

bool toml_is_utf8(const char *text, size_t len)
{
	const unsigned char *p = (const unsigned char *)text;

	while (len > 0) {
		uint32_t code, least;
		size_t n = utf8_length(*p, &code, &least);

		if (n == 0 || n > len)
			return false;
		for (size_t i = 1; i < n; i++) {
			if ((p[i] & 0xc0) != 0x80)
				return false;
			code = code << 6 | (p[i] & 0x3f);
		}
		if (code < least || code > 0x10ffff ||
		    (code >= 0xd800 && code <= 0xdfff))
			return false;
		p += n;
		len -= n;
	}
	return true;
}
