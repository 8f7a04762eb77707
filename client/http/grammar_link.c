/* SPDX-License-Identifier: Apache-2.0 */
/* Link, RFC 8288: how lists that come in pages name the next one. */
#include <string.h>
#include <strings.h>

#include "base/parse.h"
#include "http/grammar.h"

/* Longer values are of parameters that do not matter here. */
enum { PARAM_SIZE = 256 };

/* Whether the space-separated list of relations has "next". */
static bool has_next(const char *relations)
{
	for (const char *p = relations; *p;) {
		size_t len = strcspn(p, " \t");

		if (len == 4 && strncasecmp(p, "next", len) == 0)
			return true;
		p += len;
		parse_space(&p);
	}
	return false;
}

static bool parse_value(const char **cursor, char *out, size_t size)
{
	size_t len;

	if (**cursor == '"')
		return parse_quoted(cursor, out, size);
	len = strcspn(*cursor, " \t,;");
	if (len >= size)
		return false;
	memcpy(out, *cursor, len);
	out[len] = '\0';
	*cursor += len;
	return true;
}

/* One "; name=value"; *next is set when it says that the link is the next. */
static bool parse_param(const char **cursor, bool *next)
{
	const char *p = *cursor, *name;
	char value[PARAM_SIZE] = "";
	size_t len;

	if (!(parse_space(&p) && parse_literal(&p, ";") && parse_space(&p) &&
		parse_token(&p, &name, &len) && parse_space(&p)))
		return false;
	if (parse_literal(&p, "=") &&
	    !(parse_space(&p) && parse_value(&p, value, sizeof(value))))
		return false;
	if (len == 3 && strncasecmp(name, "rel", len) == 0 && has_next(value))
		*next = true;
	*cursor = p;
	return true;
}

bool http_link_next(const char *field, char *out, size_t size)
{
	const char *p = field;

	for (;;) {
		const char *target;
		bool next = false;
		size_t len;

		p += strspn(p, " \t,");
		if (!parse_literal(&p, "<"))
			return false;
		target = p;
		len = strcspn(p, ">");
		p += len;
		if (!parse_literal(&p, ">"))
			return false;
		while (parse_param(&p, &next))
			;
		if (!next)
			continue;
		if (len >= size)
			return false;
		memcpy(out, target, len);
		out[len] = '\0';
		return true;
	}
}
