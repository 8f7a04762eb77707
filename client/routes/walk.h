/* SPDX-License-Identifier: Apache-2.0 */
/* One server after the other, until one has what is wanted. */
#ifndef CLIENT_ROUTES_WALK_H
#define CLIENT_ROUTES_WALK_H

#include "backend.h"
#include "base/map.h"

enum { SERVED_MAX = 64 };

/* The source. */
struct routes {
	struct source source;
	struct registries *registries;
	struct backends backends;
	char *address, *repository, *host; /* of the options; host: canonical */

	pthread_mutex_t lock;
	/* Under lock: the repositories that were written, and which server
	 * gave bytes of which blob last, in a ring. */
	struct map written;
	struct {
		struct digest digest;
		struct backend *by;
		bool mirror;
	} served[SERVED_MAX];
	unsigned serving;
};

/* What is asked of a server, with the repository's name there. by: the server,
 * and whether it is a mirror. */
struct walk_step {
	struct source *source;
	const char *repository;
	struct backend *by;
	bool mirror;
};
typedef int walk_fn(const struct walk_step *step, void *arg, struct err *err);

enum walk_order {
	WALK_BY_TAG,    /* mirrors for tags, the registry */
	WALK_BY_DIGEST, /* mirrors for digests, the registry, other mirrors */
	WALK_LISTS,     /* the registry, mirrors */
};

/* The repository's name in full; NULL when out of memory. */
char *walk_name(const struct routes *routes, const char *repository);

/*
 * Asks until one succeeds: 0 or more of fn. Where none does: what the registry
 * itself failed with; -EPERM where a file forbids it. An interrupt ends it.
 * reference: may be NULL.
 */
int walk(struct routes *routes, const char *repository, const char *reference,
    enum walk_order order, walk_fn *fn, void *arg, struct err *err);

/* Asks the registry that takes what is written. */
int walk_write(struct routes *routes, const char *repository,
    const char *reference, walk_fn *fn, void *arg, struct err *err);

/* Notes that a repository was written. */
void walk_wrote(struct routes *routes, const char *repository);

#endif
