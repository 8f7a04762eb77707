/* SPDX-License-Identifier: Apache-2.0 */
/* Link, RFC 8288: how lists that come in pages name the next one. */
#include <errno.h>
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

/* What a link says of itself. One without a relation is taken for the next one
 * where no other is, as all clients do. */
struct relation {
	bool given, next;
};

/* One "; name=value". */
static bool parse_param(const char **cursor, struct relation *relation)
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
	if (len == 3 && strncasecmp(name, "rel", len) == 0) {
		relation->given = true;
		relation->next |= has_next(value);
	}
	*cursor = p;
	return true;
}

/* "<target>"; or the target alone, as some registries write it. */
static bool parse_target(const char **cursor, const char **target, size_t *len)
{
	const char *p = *cursor;
	bool bracketed = parse_literal(&p, "<");

	*target = p;
	*len = strcspn(p, bracketed ? ">" : " \t,;<>\"");
	p += *len;
	if (bracketed ? !parse_literal(&p, ">") : *len == 0)
		return false;
	*cursor = p;
	return true;
}

/* 1; -EINVAL where it is too long. */
static int take(const char *target, size_t len, char *out, size_t size)
{
	if (len >= size)
		return -EINVAL;
	memcpy(out, target, len);
	out[len] = '\0';
	return 1;
}

/* As http_link_next(), without a sentence. */
static int find_next(const char *field, char *out, size_t size)
{
	const char *p = field;
	int found = 0;

	for (;;) {
		struct relation relation = {false, false};
		const char *target;
		size_t len;

		p += strspn(p, " \t,");
		if (!*p)
			return found;
		if (!parse_target(&p, &target, &len))
			return -EINVAL;
		while (parse_param(&p, &relation))
			;
		parse_space(&p);
		if (*p && *p != ',')
			return -EINVAL;
		if (relation.next)
			return take(target, len, out, size);
		if (!relation.given && found == 0)
			found = take(target, len, out, size);
		if (found < 0)
			return found;
	}
}

int http_link_next(const char *field, char *out, size_t size, struct err *err)
{
	int r = find_next(field, out, size);

	return r >= 0 ? r
		      : err_set(err, EINVAL,
			    "the Link \"%.200s\" cannot be parsed", field);
}
