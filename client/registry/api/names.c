/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Names out of a JSON text. It is no validator: it follows strings and
 * brackets, which is enough to find the array and to tell JSON from a page.
 */
#include "names.h"

#include <errno.h>
#include <stdint.h>
#include <string.h>

struct consumer {
	names_fn *each;
	void *arg;
};

void names_init(struct names_parser *names, const char *member)
{
	memset(names, 0, sizeof(*names));
	names->member = member;
}

static bool is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static void add(struct names_parser *names, unsigned c)
{
	/* Names are ASCII; a NUL would cut them. */
	if (c == 0 || c >= 0x80 || names->len + 1 >= sizeof(names->text))
		names->unfit = true;
	else
		names->text[names->len++] = (char)c;
}

static void add_hex(struct names_parser *names, char c)
{
	static const char digits[] = "0123456789abcdefABCDEF";
	const char *found = memchr(digits, c, sizeof(digits) - 1);
	unsigned digit = found ? (unsigned)(found - digits) : 0;

	if (!found)
		names->unfit = true;
	names->unicode = names->unicode << 4 | (digit < 16 ? digit : digit - 6);
	if (--names->hex_left == 0)
		add(names, names->unicode);
}

static void add_escape(struct names_parser *names, char c)
{
	names->escaped = false;
	names->unicode = 0;
	if (c == 'u')
		names->hex_left = 4;
	else if (c == '/' || c == '\\' || c == '"')
		add(names, (unsigned char)c);
	else
		names->unfit = true;
}

static int end_string(struct names_parser *names, struct consumer to,
    struct err *err)
{
	names->in_string = false;
	names->text[names->len] = '\0';
	if (names->depth == 1 && !names->value)
		names->wanted =
		    !names->unfit && strcmp(names->text, names->member) == 0;
	if (names->depth != 2 || !names->listing || names->unfit)
		return 0;
	return to.each(to.arg, names->text, names->len, err);
}

/* A character inside of a string. */
static int take_text(struct names_parser *names, char c, struct consumer to,
    struct err *err)
{
	if (names->hex_left)
		add_hex(names, c);
	else if (names->escaped)
		add_escape(names, c);
	else if (c == '\\')
		names->escaped = true;
	else if (c == '"')
		return end_string(names, to, err);
	else
		add(names, (unsigned char)c);
	return 0;
}

/* A character between strings. */
static void take_structure(struct names_parser *names, char c)
{
	switch (c) {
	case '"':
		names->in_string = true;
		names->unfit = false;
		names->len = 0;
		break;
	case '[':
	case '{':
		names->depth++;
		if (names->depth == 2) {
			names->listing =
			    c == '[' && names->value && names->wanted;
			names->found |= names->listing;
		}
		break;
	case ']':
	case '}':
		names->depth--;
		if (names->depth == 1)
			names->listing = false;
		names->ended = names->depth == 0;
		break;
	case ':':
		if (names->depth == 1)
			names->value = true;
		break;
	case ',':
		if (names->depth == 1)
			names->value = false;
		break;
	case 'n':
		if (names->depth == 1 && names->value && names->wanted)
			names->found = true;
		break;
	default:
		break;
	}
}

int names_feed(struct names_parser *names, const char *data, size_t len,
    names_fn *each, void *arg, struct err *err)
{
	struct consumer to = {each, arg};
	int r = 0;

	for (size_t i = 0; r == 0 && i < len; i++) {
		char c = data[i];

		if (names->in_string)
			r = take_text(names, c, to, err);
		else if (names->depth > 0)
			take_structure(names, c);
		else if (c == '{' && !names->ended)
			names->depth = 1;
		else if (!is_space(c))
			return err_set(err, EIO, "the list is not JSON");
	}
	return r;
}

int names_finish(const struct names_parser *names, struct err *err)
{
	if (!names->ended)
		return err_set(err, EIO, "the list is truncated");
	if (!names->found)
		return err_set(err, EIO, "the answer has no list \"%s\"",
		    names->member);
	return 0;
}
