/* SPDX-License-Identifier: Apache-2.0 */
/* The registries that routes lead to: each is opened when it is needed, and
 * where it is a mirror, left alone for a while once it has failed. */
#ifndef CLIENT_ROUTES_BACKEND_H
#define CLIENT_ROUTES_BACKEND_H

#include <stdint.h>

#include "base/turn.h"
#include "config/registries.h"
#include "routes/routes.h"

struct backend {
	struct backend *next;
	char *address;
	const char *path;                   /* the registries' */
	const struct endpoint_trust *trust; /* likewise */
	bool insecure;

	struct monitor monitor; /* of what follows */
	struct turn opening;
	struct source *source; /* NULL until it is open */
	int64_t alone_until;   /* clock_seconds(); 0: it works */
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

/* The registry, opened: 0 or what registry_open() says. A mirror is -EBUSY
 * while it is left alone. */
int backend_open(struct backends *backends, struct backend *backend,
    bool mirror, struct source **out, struct err *err);

/* A mirror has answered; or it failed, and is left alone from now on. */
void backend_worked(struct backend *backend);
void backend_failed(struct backends *backends, struct backend *backend,
    const struct err *why);

#endif
