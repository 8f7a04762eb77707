/* SPDX-License-Identifier: Apache-2.0 */
/* The names under which credentials are stored, and which of them serves. */
#ifndef CREDS_KEY_H
#define CREDS_KEY_H

#include <stdbool.h>
#include <stddef.h>

/* What docker calls Docker Hub in its files and to its helpers. */
#define KEY_DOCKER_HUB "https://index.docker.io/v1/"

/* What docker writes as the user's name where there is an identity token and no
 * password. */
#define KEY_TOKEN_USER "<token>"

/* Whether the host is Docker Hub under any of its names. */
bool key_is_hub(const char *host, size_t len);

/* The host that a stored key is of, as one types it ("docker.io" for all names
 * of Docker Hub): a new string, or NULL when out of memory. */
char *key_host(const char *key);

/*
 * How well a stored key serves a repository (may be NULL) of host: 0 not at
 * all, larger is better. A namespace ("host/ns") beats the host, the host as it
 * stands beats its old spellings ("https://host/v1/"), and those beat what has
 * another path.
 */
size_t key_match(const char *key, const char *host, const char *repository);

#endif
