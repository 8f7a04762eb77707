/* SPDX-License-Identifier: Apache-2.0 */
/* Content-Range, the Range of an upload's progress, and Retry-After. */
#include <curl/curl.h>

#include "base/parse.h"
#include "http/grammar.h"

static bool at_end(const char *p)
{
	return parse_space(&p) && *p == '\0';
}

static bool parse_total(const char **cursor, uint64_t *total)
{
	if (parse_literal(cursor, "*")) {
		*total = UINT64_MAX;
		return true;
	}
	return parse_u64(cursor, INT64_MAX, total);
}

bool http_content_range(const char *field, uint64_t *first, uint64_t *last,
    uint64_t *total)
{
	const char *p = field;
	uint64_t from, to, of;

	if (!(parse_space(&p) && parse_literal_nocase(&p, "bytes ") &&
		parse_space(&p) && parse_u64(&p, INT64_MAX, &from) &&
		parse_literal(&p, "-") && parse_u64(&p, INT64_MAX, &to) &&
		parse_literal(&p, "/") && parse_total(&p, &of) && at_end(p)))
		return false;
	if (from > to || to >= of)
		return false;
	*first = from;
	*last = to;
	*total = of;
	return true;
}

/*
 * The last byte is named, so that nothing has no form of its own: servers
 * write "0-0" (distribution) or "0--1" (Quay). One byte would be "0-0" too; but
 * an upload that just began is what it nearly always means.
 */
bool http_upload_range(const char *field, uint64_t *received)
{
	const char *p = field;
	uint64_t last;

	parse_space(&p);
	if (parse_literal_nocase(&p, "bytes=") ||
	    parse_literal_nocase(&p, "bytes "))
		parse_space(&p);
	if (!parse_literal(&p, "0-"))
		return false;
	if (parse_literal(&p, "-1"))
		last = 0;
	else if (!parse_u64(&p, INT64_MAX, &last))
		return false;
	if (!at_end(p))
		return false;
	*received = last ? last + 1 : 0;
	return true;
}

bool http_retry_after(const char *field, time_t now, uint64_t *seconds)
{
	const char *p = field;
	time_t when;

	parse_space(&p);
	if (parse_u64(&p, INT64_MAX, seconds))
		return at_end(p);
	when = curl_getdate(field, NULL);
	if (when < 0)
		return false;
	*seconds = when > now ? (uint64_t)(when - now) : 0;
	return true;
}
