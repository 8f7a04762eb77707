/* SPDX-License-Identifier: Apache-2.0 */
/* A registry's address as users write it. */
#ifndef CLIENT_REGISTRY_ADDRESS_H
#define CLIENT_REGISTRY_ADDRESS_H

#include <stdbool.h>

#include "base/err.h"
#include "oci/reference.h"

enum { ADDRESS_HOST_SIZE = REFERENCE_HOST_MAX + 1 };

enum address_scheme { ADDRESS_ANY, ADDRESS_HTTPS, ADDRESS_HTTP };

struct address {
	enum address_scheme scheme;
	char host[ADDRESS_HOST_SIZE]; /* as written, with the port */
	const char *server; /* who answers for it: host, or Docker Hub's */
	bool hub;
	bool loopback; /* by itself: no table is asked */
};

/* -EINVAL with a sentence. The struct must stay where it is. */
int address_parse(struct address *address, const char *text, struct err *err);

/* Whether a repository is one of Docker's own, whose namespace "library" nobody
 * types. */
bool address_official(const struct address *address, const char *repository);

/*
 * The reference of a repository there, in full and under the one name that
 * Docker Hub has in references. plain: it is reached by plain HTTP; the port
 * then is said where clients would not take the host for one. -ENAMETOOLONG.
 */
int address_reference(const struct address *address, bool plain,
    const char *repository, struct reference *out, struct err *err);

#endif
