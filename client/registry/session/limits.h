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

void limits_init(struct limits *limits);
void limits_release(struct limits *limits);

/* Takes note of what an answer says, which is nothing mostly. */
void limits_read(struct limits *limits, const struct http_response *response);

struct source_limit limits_get(struct limits *limits);

#endif
