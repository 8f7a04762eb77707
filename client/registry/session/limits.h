/* SPDX-License-Identifier: Apache-2.0 */
/* What a registry says of its limit of requests, of any answer the latest. */
#ifndef CLIENT_REGISTRY_LIMITS_H
#define CLIENT_REGISTRY_LIMITS_H

#include <pthread.h>

#include "http/http.h"
#include "registry/registry.h"

struct limits {
	pthread_mutex_t lock;
	struct source_limit latest; /* under lock */
};

/* The struct is zeroed before: nothing has been said of limits. No thread uses
 * it when it is released. */
void limits_init(struct limits *limits);
void limits_release(struct limits *limits);

/* Takes note of what an answer says, which is nothing mostly. */
void limits_read(struct limits *limits, const struct http_response *response);

/* Whether a request was refused less than a minute ago because a limit is used
 * up, and nothing that was said since is otherwise: what counts would be
 * refused again. From any thread. */
bool limits_used_up(struct limits *limits);

/* What was said last, a copy. From any thread. */
struct source_limit limits_get(struct limits *limits);

#endif
