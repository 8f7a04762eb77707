/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Programs docker-credential-NAME: the server's name on standard input, a JSON
 * object with Username and Secret on standard output, or exit status 1 with a
 * message there. To store, that object is the input.
 */
#ifndef CREDS_HELPER_H
#define CREDS_HELPER_H

#include "base/err.h"
#include "creds/creds.h"

/*
 * Asks docker-credential-NAME for a server. 1 found, 0 it knows none, or -errno
 * with a sentence: -EIO, -EINTR, -ETIMEDOUT after a time that a person needs to
 * unlock a key ring at most.
 */
int helper_get(const char *name, const char *server, struct credential *out,
    struct err *err);

/* Has docker-credential-NAME keep an identity token, or user and password. 0 or
 * -errno as above. */
int helper_store(const char *name, const char *server,
    const struct credential *credential, struct err *err);

/* Has it forget them. 1, 0 it knew none, or -errno as above. */
int helper_erase(const char *name, const char *server, struct err *err);

#endif
