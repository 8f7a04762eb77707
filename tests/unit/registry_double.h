/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A registry in memory for unit tests: as much of the distribution API as a
 * client that reads and pushes uses, with counts, and refusals on demand.
 */
#ifndef TESTS_REGISTRY_DOUBLE_H
#define TESTS_REGISTRY_DOUBLE_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/map.h"
#include "server.h"

struct stored {
	char *data;
	size_t len;
	char type[128]; /* a manifest's */
};

struct registry_double {
	struct server *server;
	pthread_mutex_t lock;
	pthread_cond_t changed;

	/* Under lock. */
	struct map blobs;     /* "REPOSITORY DIGEST" */
	struct map manifests; /* "REPOSITORY TAG", "REPOSITORY DIGEST" */
	bool holding;
	unsigned held;

	atomic_uint heads; /* of blobs */
	atomic_uint uploads, mounts, manifest_puts;
	/* A status that answers instead, unless 0. */
	atomic_int refuse_uploads, refuse_mounts, refuse_manifests;
};

struct registry_double *registry_double_new(void);
void registry_double_free(struct registry_double *registry);

/* NULL if there is none. Valid while the registry lives. */
const struct stored *registry_double_manifest(struct registry_double *registry,
    const char *repository, const char *reference);
const struct stored *registry_double_blob(struct registry_double *registry,
    const char *repository, const char *digest);

/* Forgets a blob of all repositories. */
void registry_double_lose_blobs(struct registry_double *registry);

/* From now on the ends of uploads are received and not answered, until it is
 * called with false. */
void registry_double_hold(struct registry_double *registry, bool hold);

/* Waits until that many are held. */
void registry_double_await_held(struct registry_double *registry,
    unsigned count);

#endif
