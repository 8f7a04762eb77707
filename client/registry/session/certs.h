/* SPDX-License-Identifier: Apache-2.0 */
/*
 * containers-certs.d(5): a directory HOST[:PORT] with CA certificates in *.crt,
 * and a client's certificate and key in NAME.cert and NAME.key.
 */
#ifndef CLIENT_REGISTRY_CERTS_H
#define CLIENT_REGISTRY_CERTS_H

#include "base/err.h"

struct certs {
	char **ca_files; /* NULL-ended; NULL if there are none */
	char *cert_file; /* NULL if there is none */
	char *key_file;
};

/*
 * What a directory holds: 1, 0 if there is no such directory, or -errno with a
 * sentence (a certificate without its key). Release also after a failure.
 */
int certs_load(const char *dir, struct certs *out, struct err *err);

/* Of the first directory that there is for the host. 0 or -errno. */
int certs_find(const char *host, struct certs *out, struct err *err);

/* Copies of paths that may be NULL. */
int certs_take(const char *const *ca_files, const char *cert_file,
    const char *key_file, struct certs *out, struct err *err);

/* Frees the paths; it is zeroed then. */
void certs_release(struct certs *certs);

#endif
