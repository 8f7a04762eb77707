/* SPDX-License-Identifier: Apache-2.0 */
/* The registries that routes lead to: each is opened by the first question, and
 * where it is a mirror, left alone for a while once it has failed. */
#ifndef CLIENT_ROUTES_BACKEND_H
#define CLIENT_ROUTES_BACKEND_H

#include <pthread.h>
#include <stdint.h>

#include "config/registries.h"
#include "routes/routes.h"

struct backend {
	struct backend *next;
	char *address;
	const char *path;                   /* the registries' */
	const struct endpoint_trust *trust; /* likewise */
	bool insecure;
	struct source *source;

	pthread_mutex_t lock;
	int64_t alone_until; /* under lock: clock_seconds(); 0: it works */
};

struct backends {
	struct http *http;
	struct creds *creds;
	struct routes_options options; /* the strings are the owner's */
	const char *host;              /* whose own address is the options' */
	pthread_mutex_t lock;
	struct backend *first; /* under lock; those that are there stay */
};

/* The one of an endpoint; NULL when out of memory. */
struct backend *backends_get(struct backends *backends,
    const struct endpoint *endpoint, struct err *err);
void backends_release(struct backends *backends);

/* Whether a mirror can be asked: 0, or -EBUSY while it is left alone. */
int backend_check(const struct backends *backends, struct backend *backend,
    struct err *err);

/* A mirror has answered; or it failed, and is left alone from now on. */
void backend_worked(struct backend *backend);
void backend_failed(const struct backends *backends, struct backend *backend,
    const struct err *why);

#endif
