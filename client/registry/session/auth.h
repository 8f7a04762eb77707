/* SPDX-License-Identifier: Apache-2.0 */
/* Answers to challenges. */
#ifndef CLIENT_REGISTRY_AUTH_H
#define CLIENT_REGISTRY_AUTH_H

#include "session.h"

/*
 * The value of Authorization for a scope, in *value: a new string for
 * secret_free(), or NULL if none is needed as far as is known. own: what a 401
 * asked for, NULL before the first request. refused: the value that it came
 * for, NULL if none was sent.
 *
 * 0, -EACCES with a sentence, or what http_open() and creds_lookup() say.
 */
int auth_authorize(struct registry *registry, const char *repository,
    const char *scope, const struct challenges *own, const char *refused,
    char **value, struct err *err);

/*
 * The same for one credential, whatever is kept, asked for once: for `docker
 * login`'s question. identity, if not NULL: where the token server gives a
 * token that stands for user and password, that one, for secret_free(); else it
 * is left as it is. A refusal of the token server leaves its status in
 * err->http.
 */
int auth_obtain_once(struct registry *registry,
    const struct credential *credential, char **value, char **identity,
    struct err *err);

#endif
