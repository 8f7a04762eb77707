/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Why a registry says no: distribution-spec "Error Codes", and the other bodies
 * that registries send.
 */
#ifndef CLIENT_REGISTRY_REFUSAL_H
#define CLIENT_REGISTRY_REFUSAL_H

#include <stddef.h>

#include "base/err.h"
#include "http/http.h"

struct refusal {
	int status;
	char code[64];     /* "" if none is given */
	char message[256]; /* clean; "" if none is given */
};

/* Reads the body as far as it is of use. Cannot fail: what is not understood
 * leaves the texts empty. */
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

#endif
