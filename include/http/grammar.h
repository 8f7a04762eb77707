/* SPDX-License-Identifier: Apache-2.0 */
/* Grammars of header fields, and url arithmetic. */
#ifndef HTTP_GRAMMAR_H
#define HTTP_GRAMMAR_H

#include <stdbool.h>
#include <stdint.h>
#include <time.h>

#include "base/err.h"

enum { CHALLENGE_TEXT_SIZE = 2048 };

/* One challenge of WWW-Authenticate, RFC 9110 section 11.6.1. Absent parameters
 * are "". */
struct http_challenge {
	bool bearer; /* else basic */
	char realm[CHALLENGE_TEXT_SIZE];
	char service[CHALLENGE_TEXT_SIZE];
	char scope[CHALLENGE_TEXT_SIZE];
	char error[64];
};

/*
 * The next challenge of a field's value that is Bearer or Basic; others are
 * passed over. 1, 0 at the end, -EINVAL for what is no such field.
 */
int http_challenge_next(const char **cursor, struct http_challenge *out,
    struct err *err);

/*
 * The target of the rel="next" link of a Link field, RFC 8288, into out: 1, or
 * 0 where it has no such link. A target without <> is read, too, and where no
 * link has that relation, one without any is taken for it: registries send
 * both. -EINVAL: it cannot be read, or the target does not fit.
 */
int http_link_next(const char *field, char *out, size_t size, struct err *err);

/* "bytes first-last/total", total UINT64_MAX where it is "*". */
bool http_content_range(const char *field, uint64_t *first, uint64_t *last,
    uint64_t *total);

/* Upload progress "0-n", also "bytes=0-n": bytes received so far. "0-0", which
 * can be none or one, is none. */
bool http_upload_range(const char *field, uint64_t *received);

/* Seconds from `now` that a Retry-After asks for: a number, or a date. */
bool http_retry_after(const char *field, time_t now, uint64_t *seconds);

/* Whether an url is one of http, and not of https. */
bool http_url_is_plain(const char *url);

/* Resolves a reference (Location, realm, Link) against a base url: a new
 * string, or NULL with err filled (-EINVAL). Only http and https. */
char *http_url_resolve(const char *base, const char *reference,
    struct err *err);

/* Whether two urls have the same scheme, host and port. */
bool http_same_origin(const char *a, const char *b);

/* Percent-encodes all but RFC 3986's unreserved characters; NULL when out of
 * memory. */
char *http_url_escape(const char *text);

#endif
