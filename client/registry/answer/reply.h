/* SPDX-License-Identifier: Apache-2.0 */
/* What the header of an answer says. */
#ifndef CLIENT_REGISTRY_REPLY_H
#define CLIENT_REGISTRY_REPLY_H

#include <stdbool.h>

#include "base/err.h"
#include "http/http.h"
#include "oci/digest.h"

/* Whether its type says that it is written for a browser. */
bool reply_is_page(const struct http_response *response);

/* Whether it says that a registry answers, as most of them do each time. */
bool reply_is_registrys(const struct http_response *response);

/* Docker-Content-Digest; false if it is missing or none that is known. */
bool reply_digest(const struct http_response *response, struct digest *out);

/* -EBADMSG if the answer names another digest of what was sent. */
int reply_check_digest(const struct http_response *response,
    const struct digest *want, const char *what, struct err *err);

#endif
