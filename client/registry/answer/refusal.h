/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Why a registry says no: distribution-spec "Error Codes", and the other bodies
 * that registries send.
 */
#ifndef CLIENT_REGISTRY_REFUSAL_H
#define CLIENT_REGISTRY_REFUSAL_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "http/http.h"

enum refusal_form {
	REFUSAL_SPOKEN, /* a document or a line that says why, or nothing */
	REFUSAL_PAGE,   /* for a browser; the message is its first words */
	REFUSAL_STRANGE /* anything else; likewise */
};

struct refusal {
	int status;
	char code[64];     /* "" if none is given */
	char message[256]; /* clean; "" if none is given */
	enum refusal_form form;
};

/* Reads the body as far as it is of use. Cannot fail. */
void refusal_read(struct http_response *response, struct refusal *out);

/* The same of a body alone; status is left as it is. */
void refusal_parse(const char *text, size_t len, struct refusal *out);

/* The errno, positive. */
int refusal_errno(const struct refusal *refusal);

/*
 * A sentence "HOST: what: MESSAGE (CODE)" in err, with errno and status; scope
 * (may be NULL) is named where access is what is missing. Returns -errno.
 */
int refusal_err(const struct refusal *refusal, const char *host,
    const char *what, const char *scope, struct err *err);

/* The same for the body of a 200 that is not what was asked for, without host
 * and what: "answered 200 with a page: …". Returns -EIO. */
int refusal_of_body(const char *text, size_t len, struct err *err);

/*
 * Whether it is the registry's own word that there is no such thing. Gateways
 * and login pages answer 404 as well, without one of the specification's codes.
 */
bool refusal_is_absence(const struct refusal *refusal);

/*
 * Whether a request that failed so may have been carried out: its answer is a
 * success that the specification does not have, or a redirect, or was lost, be
 * it between the registry and a gateway.
 */
bool refusal_is_open(const struct err *err);

#endif
