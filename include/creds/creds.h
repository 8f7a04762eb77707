/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Credentials from where docker, podman and skopeo keep them:
 * containers-auth.json(5), ~/.docker/config.json, and the programs
 * docker-credential-NAME.
 */
#ifndef CREDS_CREDS_H
#define CREDS_CREDS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "base/err.h"

struct creds;

struct credential {
	char *username;       /* NULL if none */
	char *password;       /* NULL if none */
	char *identity_token; /* an OAuth2 refresh token, NULL if none */
	char *registry_token; /* a bearer token to be sent as it is, or NULL */
};

/*
 * authfile: the only file to be read, or NULL for the usual ones in their order
 * ($REGISTRY_AUTH_FILE alone if set; else DOCKER_AUTH_CONFIG,
 * $XDG_RUNTIME_DIR/containers/auth.json, ~/.config/containers/auth.json,
 * $DOCKER_CONFIG or ~/.docker/config.json, ~/.dockercfg). The environment is
 * read now, files are not; but an authfile has to be readable (-errno in err).
 */
struct creds *creds_new(const char *authfile, struct err *err);

/* The same to log in and out: the authfile need not be there yet. */
struct creds *creds_new_to_store(const char *authfile, struct err *err);

/* Wipes what it knows. No thread uses it any more. */
void creds_free(struct creds *creds);

DEFINE_CLEANUP(struct creds *, creds_free);

/*
 * The credential for a registry host ("localhost:5000", "docker.io") and a
 * repository there (may be NULL): 1 found, 0 none, or -errno with a sentence
 * (-EINVAL a broken file, -EIO a helper that failed, -EINTR). Files are read
 * again, so a `docker login` is seen at once. Any thread may ask.
 */
int creds_lookup(struct creds *creds, const char *host, const char *repository,
    struct credential *out, struct err *err);

/* Called for a host; nonzero ends the calls, and is returned. */
typedef int creds_host_fn(void *arg, const char *host, struct err *err);

/*
 * Calls each() for the hosts that the files have logins for, or helpers; one
 * may come twice. What cannot be read, or is broken, has none. Any thread may
 * ask.
 */
int creds_hosts(struct creds *creds, creds_host_fn *each, void *arg,
    struct err *err);

/*
 * Grows with each change of the files that are looked into: one that comes,
 * goes, or is written, as `docker login` and `docker logout` do; and when a
 * credential helper says something else than before. What was looked up after a
 * call that gave a smaller number may not be what is there now. Costs a stat()
 * a file. Any thread may ask.
 */
uint64_t creds_version(struct creds *creds);

/* How far what a helper has said may be relied on. */
enum creds_doubt {
	CREDS_FINE,    /* until the helper is due: ten seconds at most */
	CREDS_REFUSED, /* a server refuses it: it may be over. Once: what is
	                * said again holds until the helper is due */
	CREDS_CHANGE,  /* what follows must not happen in a wrong name */
};

/*
 * Asks the credential helpers again that were asked for a host, as far as the
 * doubt goes, for creds_version(): no file has to change with a helper's store.
 * Does nothing where no helper was asked; what one that fails has said before
 * holds, for an hour. Any thread may ask; who finds another one at it waits,
 * but for CREDS_FINE.
 */
void creds_ask_again(struct creds *creds, const char *host,
    enum creds_doubt doubt);

/*
 * Keeps an identity token, or user and password, for a host: in the file where
 * the host's credentials are found now; else in docker's config.json, which
 * docker, podman and skopeo read, if it is there; else in podman's auth.json,
 * if that is there; else in docker's, made. If the file names a credential
 * helper for the host, in that. What else is in the file stays.
 *
 * *where: what it is kept in, a new string for messages. 0 or -errno with a
 * sentence: -EEXIST where DOCKER_AUTH_CONFIG has others, which would be used;
 * -EINVAL for a broken file, which stays as it is; what writing, or the helper,
 * fails with.
 */
int creds_store(struct creds *creds, const char *host,
    const struct credential *credential, char **where, struct err *err);

/* Told of each place from which creds_erase() has taken something. */
typedef void creds_erased_fn(void *arg, const char *where);

/*
 * Takes the credentials of a host out of all files that are looked into, and
 * out of the helpers that they name for it. Those of namespaces there stay.
 * The number of places, or -errno: where one fails, others are tried; -EEXIST
 * where DOCKER_AUTH_CONFIG has some, which nobody can take out of it.
 */
int creds_erase(struct creds *creds, const char *host, creds_erased_fn *erased,
    void *arg, struct err *err);

/* Wipes and frees the strings. */
void credential_release(struct credential *credential);

/* "Basic …" for username and password, RFC 7617: the value of Authorization.
 * A new string, to be freed with secret_free(); NULL when out of memory. */
char *credential_basic(const struct credential *credential);

#endif
