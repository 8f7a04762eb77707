/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What credential helpers say, kept: a helper takes from milliseconds to
 * seconds, and every scope of a registry asks for the same. An answer is kept
 * until the helper is due again, after a time that grows with the time that it
 * takes, and is ten seconds at most. Where the helper then fails (a key ring is
 * locked, a network is down), what it has said before holds for an hour.
 */
#ifndef CREDS_ANSWERS_H
#define CREDS_ANSWERS_H

#include <stdbool.h>
#include <stdint.h>

#include "creds/creds.h"

struct answers;

/* NULL on failure, err filled. */
struct answers *answers_new(struct err *err);
void answers_free(struct answers *answers);

DEFINE_CLEANUP(struct answers *, answers_free);

/*
 * What docker-credential-NAME says of a server, as helper_get(). One thread
 * asks, and others that want the same wait for it. host: as it is called in
 * answers_renew().
 */
int answers_get(struct answers *answers, const char *name, const char *server,
    const char *host, struct credential *out, struct err *err);

/* Asks again for what was asked for a host, as creds_ask_again(). What fails is
 * left as it was. */
void answers_renew(struct answers *answers, const char *host,
    enum creds_doubt doubt);

/* Forgets all: another helper may be asked from now on. */
void answers_forget(struct answers *answers);

/* Grows when a helper says something else than before. */
uint64_t answers_version(struct answers *answers);

#endif
