/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The Authorization values that a registry took, by what they are for (a
 * scope). Many threads share them, and only one at a time asks for a certain
 * one, without a lock:
 *
 *	version = creds_version(creds);
 *	r = grants_begin(grants, scope, refused, version, &value, err);
 *	if (r == 0) {
 *		... obtain value ...
 *		grants_end(grants, scope, value, lifetime, err);
 *	}
 */
#ifndef CLIENT_REGISTRY_GRANTS_H
#define CLIENT_REGISTRY_GRANTS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/turn.h"

enum {
	/* More repositories than anything works on at a time, and a bound to
	 * the memory that a walk over thousands of them costs. */
	GRANTS_MAX = 64,
};

/* A lifetime that only a refusal or other credentials end. */
#define GRANT_FOREVER UINT64_MAX

struct grant {
	char *scope;      /* NULL where free */
	char *value;      /* NULL until a token has come */
	uint64_t expires; /* seconds, CLOCK_BOOTTIME */
	uint64_t used;    /* by grants.uses */
	/* At obtaining the value; its version is that of the credentials. */
	struct turn turn;
	unsigned waiting; /* threads that wait for that one */
};

struct grants {
	struct monitor monitor; /* of all below */
	uint64_t uses;
	struct grant slots[GRANTS_MAX];
};

/* init makes an empty one. No thread uses it when it is released, which
 * overwrites the values. */
void grants_init(struct grants *grants);
void grants_release(struct grants *grants);

/*
 * 1 with a copy of a valid value in *value (secret_free() it); 0 if the caller
 * has to obtain one now, and then to call grants_end() in any case; or -errno,
 * also that of the thread that was waited for. A value that equals `refused`
 * (may be NULL), or was obtained with credentials before `version`, is not
 * valid any more: a logout takes effect.
 */
int grants_begin(struct grants *grants, const char *scope, const char *refused,
    uint64_t version, char **value, struct err *err);

/* value: copied, valid for `lifetime` seconds; NULL if it was not to be had, as
 * err says. */
void grants_end(struct grants *grants, const char *scope, const char *value,
    uint64_t lifetime, const struct err *err);

/* A valid value in *value or NULL, without waiting. 0 or -ENOMEM. */
int grants_peek(struct grants *grants, const char *scope, uint64_t version,
    char **value, struct err *err);

#endif
