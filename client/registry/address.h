/* SPDX-License-Identifier: Apache-2.0 */
/* A registry's address as users write it. */
#ifndef CLIENT_REGISTRY_ADDRESS_H
#define CLIENT_REGISTRY_ADDRESS_H

#include <stdbool.h>

#include "base/err.h"

/* A DNS name has at most 253 characters; a port adds 6. */
enum { ADDRESS_HOST_SIZE = 264 };

enum address_scheme { ADDRESS_ANY, ADDRESS_HTTPS, ADDRESS_HTTP };

struct address {
	enum address_scheme scheme;
	char host[ADDRESS_HOST_SIZE]; /* as written, with the port */
	const char *server; /* who answers for it: host, or Docker Hub's */
	bool hub;
	bool loopback;
};

/* -EINVAL with a sentence. The struct must stay where it is. */
int address_parse(struct address *address, const char *text, struct err *err);

#endif
