/* SPDX-License-Identifier: Apache-2.0 */
/*
 * WWW-Authenticate. Commas part challenges as well as the parameters of one,
 * so that only what follows a name tells what it is: "=" makes it a parameter,
 * anything else the next scheme.
 */
#include <errno.h>
#include <string.h>
#include <strings.h>

#include "base/parse.h"
#include "http/grammar.h"

struct challenge_name {
	const char *text; /* not terminated */
	size_t len;
};

static bool name_is(struct challenge_name name, const char *text)
{
	return strlen(text) == name.len &&
	       strncasecmp(name.text, text, name.len) == 0;
}

/* Lists may have empty elements (RFC 9110 section 5.6.1.2). */
static void skip_commas(const char **cursor)
{
	*cursor += strspn(*cursor, " \t,");
}

static bool parse_value(const char **cursor, char *out, size_t size)
{
	const char *text;
	size_t len;

	if (parse_quoted(cursor, out, size))
		return true;
	if (!parse_token(cursor, &text, &len))
		return false;
	if (len >= size)
		return false;
	memcpy(out, text, len);
	out[len] = '\0';
	return true;
}

static bool parse_param(const char **cursor, struct challenge_name *name,
    char *value, size_t size)
{
	const char *p = *cursor;

	if (!(parse_token(&p, &name->text, &name->len) && parse_space(&p) &&
		parse_literal(&p, "=") && parse_space(&p) &&
		parse_value(&p, value, size)))
		return false;
	*cursor = p;
	return true;
}

/* The blob that some schemes have in place of parameters, if it is there. */
static void skip_token68(const char **cursor)
{
	*cursor += strspn(*cursor,
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
	    "0123456789-._~+/");
	*cursor += strspn(*cursor, "=");
}

static void copy_text(char *out, size_t size, const char *text)
{
	size_t len = strnlen(text, size - 1);

	memcpy(out, text, len);
	out[len] = '\0';
}

static void set_param(struct http_challenge *out, struct challenge_name name,
    const char *value)
{
	if (name_is(name, "realm"))
		copy_text(out->realm, sizeof(out->realm), value);
	else if (name_is(name, "service"))
		copy_text(out->service, sizeof(out->service), value);
	else if (name_is(name, "scope"))
		copy_text(out->scope, sizeof(out->scope), value);
	else if (name_is(name, "error"))
		copy_text(out->error, sizeof(out->error), value);
}

/* Reads parameters up to the next scheme or the end: how many. */
static size_t parse_params(const char **cursor, struct http_challenge *out)
{
	char value[CHALLENGE_TEXT_SIZE];
	const char *p = *cursor;
	struct challenge_name name;
	size_t count = 0;

	for (; parse_param(&p, &name, value, sizeof(value)); count++) {
		set_param(out, name, value);
		*cursor = p;
		parse_space(&p);
		if (*p != ',')
			return count + 1;
		skip_commas(&p);
	}
	return count;
}

/* One challenge of any scheme. */
static bool parse_challenge(const char **cursor, struct challenge_name *scheme,
    struct http_challenge *out)
{
	const char *p = *cursor;

	if (!parse_token(&p, &scheme->text, &scheme->len))
		return false;
	parse_space(&p);
	if (parse_params(&p, out) == 0)
		skip_token68(&p);
	parse_space(&p);
	if (*p && *p != ',')
		return false;
	*cursor = p;
	return true;
}

int http_challenge_next(const char **cursor, struct http_challenge *out,
    struct err *err)
{
	for (;;) {
		struct challenge_name scheme;

		skip_commas(cursor);
		if (!**cursor)
			return 0;
		memset(out, 0, sizeof(*out));
		if (!parse_challenge(cursor, &scheme, out))
			return err_set(err, EINVAL,
			    "malformed WWW-Authenticate in the answer");
		out->bearer = name_is(scheme, "Bearer");
		if (out->bearer || name_is(scheme, "Basic"))
			return 1;
	}
}
