/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Bearer tokens: distribution's "Token Authentication Specification" (a GET
 * with a password or nobody's), and its OAuth2 form (a POST with an identity
 * token).
 */
#ifndef CLIENT_REGISTRY_TOKEN_H
#define CLIENT_REGISTRY_TOKEN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include "base/err.h"
#include "creds/creds.h"
#include "http/http.h"

struct token_request {
	const char *realm; /* an absolute url */
	const char *service;
	const char *scopes; /* separated by spaces */
	const struct http_tls *tls;
	const struct credential *credential; /* all NULL: anonymous */
	bool once;    /* not again where the server fails */
	bool offline; /* an identity token is wanted, too */
};

struct token {
	char *text;        /* secret_free() it */
	char *identity;    /* likewise; NULL if the server gives none */
	uint64_t lifetime; /* seconds from when it was asked for */
};

/*
 * Asks for a token. -EACCES where it is refused, with the status in err->http;
 * else what http_open() says.
 */
int token_fetch(struct http *http, const struct token_request *request,
    struct token *out, struct err *err);

/* Parses an answer that came at `now`. -EIO with a sentence. */
int token_parse(const char *text, size_t len, time_t now, struct token *out,
    struct err *err);

#endif
