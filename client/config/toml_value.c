/* SPDX-License-Identifier: Apache-2.0 */
/* Strings, and what is written without quotes. */
#include <ctype.h>
#include <errno.h>
#include <regex.h>
#include <stdint.h>
#include <string.h>

#include "base/buf.h"
#include "toml_read.h"

enum {
	STRING_MAX = 1 << 20, /* bytes; files are not longer */
	SCALAR_MAX = 64,      /* bytes of what has no quotes */
};

/* Appends a code point as UTF-8. */
static int add_code(struct buf *out, uint32_t code, struct err *err)
{
	char bytes[4];
	size_t len = code < 0x80      ? 1
		     : code < 0x800   ? 2
		     : code < 0x10000 ? 3
				      : 4;
	static const unsigned char begins[] = {0, 0, 0xc0, 0xe0, 0xf0};

	for (size_t i = len; i-- > 1; code >>= 6)
		bytes[i] = (char)(0x80 | (code & 0x3f));
	bytes[0] = (char)(begins[len] | code);
	return buf_add(out, bytes, len, err);
}

/* The digits of \u or \U. */
static int read_code(struct toml_reader *reader, unsigned digits,
    struct buf *out, struct err *err)
{
	uint32_t code = 0;

	for (unsigned i = 0; i < digits; i++) {
		char c = toml_peek(reader, 0);

		if (!isxdigit((unsigned char)c))
			return toml_error(reader, err,
			    "an escape needs %u hexadecimal digits", digits);
		code = code << 4 | (uint32_t)(isdigit((unsigned char)c)
						  ? c - '0'
						  : (c | ' ') - 'a' + 10);
		reader->at++;
	}
	if (code == 0 || code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff))
		return toml_error(reader, err,
		    "an escape that is no character");
	return add_code(out, code, err);
}

/* In a string of many lines: a backslash takes the line's end, and all space
 * after it. Whether it does here. */
static bool skip_fold(struct toml_reader *reader)
{
	struct toml_reader there = *reader;

	toml_skip_blanks(&there);
	if (!toml_skip_newline(&there))
		return false;
	do
		toml_skip_blanks(&there);
	while (toml_skip_newline(&there));
	*reader = there;
	return true;
}

/* After a backslash. */
static int read_escape(struct toml_reader *reader, bool lines, struct buf *out,
    struct err *err)
{
	static const char letters[] = "btnfr\"\\", values[] = "\b\t\n\f\r\"\\";
	char c = toml_peek(reader, 0);
	const char *letter = c ? strchr(letters, c) : NULL;

	if (lines && skip_fold(reader))
		return 0;
	reader->at += reader->at < reader->end;
	if (letter)
		return buf_add(out, &values[letter - letters], 1, err);
	if (c == 'u' || c == 'U')
		return read_code(reader, c == 'u' ? 4 : 8, out, err);
	return toml_error(reader, err, "a string has an unknown escape");
}

/* One character of a string, whatever it is. */
static int read_char(struct toml_reader *reader, char quote, bool lines,
    struct buf *out, struct err *err)
{
	char c = toml_peek(reader, 0);

	if (reader->at == reader->end)
		return toml_error(reader, err, "a string has no end");
	if (lines && toml_skip_newline(reader))
		return buf_add(out, "\n", 1, err);
	if (c == '\n' || c == '\r')
		return toml_error(reader, err, "a string has no end");
	if (((unsigned char)c < ' ' && c != '\t') || c == 0x7f)
		return toml_error(reader, err,
		    "a control character in a string");
	reader->at++;
	if (c == '\\' && quote == '"')
		return read_escape(reader, lines, out, err);
	return buf_add(out, &c, 1, err);
}

/* The end of a string of many lines, which may have two quotes before it. */
static bool skip_end(struct toml_reader *reader, char quote, struct buf *out)
{
	size_t quotes = 0;

	while (quotes < 5 && toml_peek(reader, quotes) == quote)
		quotes++;
	if (quotes < 3)
		return false;
	for (size_t i = 3; i < quotes; i++)
		if (buf_add(out, &quote, 1, ERR_IGNORE) < 0)
			return false;
	reader->at += quotes;
	return true;
}

int toml_read_string(struct toml_reader *reader, bool lines, char **out,
    struct err *err)
{
	const char quote = toml_peek(reader, 0);
	const char three[] = {quote, quote, quote, '\0'};
	AUTO_BUF struct buf text = BUF_INIT(STRING_MAX);
	bool long_form = lines && toml_skip(reader, three);
	int r = 0;

	if (long_form)
		toml_skip_newline(reader);
	else
		reader->at++;
	while (r == 0) {
		if (long_form ? skip_end(reader, quote, &text)
			      : toml_skip(reader, (char[]){quote, '\0'}))
			break;
		r = read_char(reader, quote, long_form, &text, err);
	}
	if (r < 0)
		return r;
	*out = strdup(buf_str(&text));
	return *out ? 0 : err_nomem(err);
}

#define DIGITS "[0-9](_?[0-9])*"
#define INTEGER "[+-]?(0|[1-9](_?[0-9])*)"
#define TIME "[0-2][0-9]:[0-5][0-9]:[0-6][0-9](\\.[0-9]+)?"
#define DATE "[0-9]{4}-[01][0-9]-[0-3][0-9]"

static const char other[] =
    "^(" INTEGER "|0x[0-9a-fA-F](_?[0-9a-fA-F])*|0o[0-7](_?[0-7])*"
    "|0b[01](_?[01])*|[+-]?(inf|nan)"
    "|" INTEGER "(\\." DIGITS ")?([eE][+-]?" DIGITS ")?"
    "|" DATE "([Tt ]" TIME "([Zz]|[+-][0-2][0-9]:[0-5][0-9])?)?|" TIME ")$";

static int is_other(const char *text, struct err *err)
{
	regex_t form;
	int r;

	if (regcomp(&form, other, REG_EXTENDED | REG_NOSUB) != 0)
		return err_nomem(err);
	r = regexec(&form, text, 0, NULL, 0) == 0;
	regfree(&form);
	return r;
}

/* How far a word without quotes goes: a date may have a time after a blank. */
static size_t word_length(const struct toml_reader *reader)
{
	size_t len = 0;

	for (;; len++) {
		char c = toml_peek(reader, len);

		if (c == ' ' && len == strlen("1979-05-27") &&
		    toml_peek(reader, 4) == '-' &&
		    isdigit((unsigned char)toml_peek(reader, len + 1)))
			continue;
		if (c == '\0' || strchr(" \t\r\n,]}#", c))
			return len;
	}
}

int toml_read_scalar(struct toml_reader *reader, struct toml *value,
    struct err *err)
{
	char word[SCALAR_MAX];
	size_t len = word_length(reader);
	int r;

	if (len == 0)
		return toml_error(reader, err, "a value is missing");
	if (len >= sizeof(word))
		return toml_error(reader, err,
		    "a value that is no string is too long");
	memcpy(word, reader->at, len);
	word[len] = '\0';
	value->type = TOML_BOOLEAN;
	value->truth = strcmp(word, "true") == 0;
	if (!value->truth && strcmp(word, "false") != 0) {
		value->type = TOML_OTHER;
		r = is_other(word, err);
		if (r < 0)
			return r;
		if (r == 0)
			return toml_error(reader, err,
			    "a value that TOML does not know: strings need "
			    "quotes");
	}
	reader->at += len;
	return 0;
}
