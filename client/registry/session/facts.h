/* SPDX-License-Identifier: Apache-2.0 */
/* What the API of a service has said of repositories and tags beside their
 * names. From any thread. */
#ifndef CLIENT_REGISTRY_FACTS_H
#define CLIENT_REGISTRY_FACTS_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/map.h"
#include "source/source.h"

struct facts {
	pthread_mutex_t lock;
	/* Under lock. */
	struct map kept; /* "REPOSITORY", "REPOSITORY:TAG" → struct facts_of */
	struct map read; /* repository → when its tags were, int64_t */
};

/* init makes an empty one; no thread uses it when it is released. */
void facts_init(struct facts *facts);
void facts_release(struct facts *facts);

/*
 * Keeps what is said of a repository or a tag ("REPOSITORY:TAG"), each in the
 * place of what was said under its name: text is "NAME\0VALUE\0…" of len bytes,
 * copied. Where there is too much to keep, or no memory, what was kept is
 * dropped.
 */
void facts_keep(struct facts *facts, const char *of, const char *text,
    size_t len);

/* Calls each for what is kept. 0, or nonzero of each, or -ENOMEM. */
int facts_each(struct facts *facts, const char *of, source_fact_fn *each,
    void *arg, struct err *err);

/* The tags of a repository are being read now; and whether that is less than
 * age seconds ago. */
void facts_note_read(struct facts *facts, const char *repository);
bool facts_are_read(struct facts *facts, const char *repository, unsigned age);

#endif
