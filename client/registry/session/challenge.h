/* SPDX-License-Identifier: Apache-2.0 */
/* What a 401 asks for. */
#ifndef CLIENT_REGISTRY_CHALLENGE_H
#define CLIENT_REGISTRY_CHALLENGE_H

#include <stdbool.h>

#include "http/grammar.h"
#include "http/http.h"

struct challenges {
	bool basic;
	bool bearer;
	struct http_challenge token; /* the first Bearer challenge */
};

/* Of all WWW-Authenticate lines; those that cannot be read count as none. */
void challenges_read(const struct http_response *response,
    struct challenges *out);

#endif
