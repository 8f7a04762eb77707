/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The content of an auth file: docker's config.json, containers-auth.json(5)
 * and ~/.dockercfg. They are one format: a key of "auths" can be a namespace in
 * the second, and the last has no "auths" around its entries.
 */
#ifndef CREDS_AUTHFILE_H
#define CREDS_AUTHFILE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "creds/creds.h"

struct authfile_answer {
	char *helper; /* the program to ask first, "docker-credential-" left
	               * out; NULL if none */
	bool found;   /* whether the file itself has a credential */
	struct credential credential;
};

/*
 * What the text says on a host and a repository there (may be NULL). Fills
 * *out, which is to be released also after a failure. -EINVAL with a sentence
 * that does not repeat the text.
 */
int authfile_find(const char *text, size_t len, const char *host,
    const char *repository, struct authfile_answer *out, struct err *err);

/* Calls each() for the hosts that the text has credentials or helpers for; one
 * may come twice. -EINVAL as authfile_find(). */
int authfile_hosts(const char *text, size_t len, creds_host_fn *each, void *arg,
    struct err *err);

/* Frees the strings; the credential's are overwritten first. */
void authfile_answer_release(struct authfile_answer *answer);

#endif
