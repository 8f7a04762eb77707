/* SPDX-License-Identifier: Apache-2.0 */
/* Where the bytes of one blob can come from. */
#ifndef STORE_SOURCES_H
#define STORE_SOURCES_H

#include <pthread.h>
#include <stdbool.h>

#include "store/store.h"

/* The same blob can be in several repositories, and each can fail alone. */
enum { SOURCES_MAX = 4 };

struct sources {
	pthread_mutex_t lock;
	/* Under lock. */
	struct store_source list[SOURCES_MAX];
	unsigned count;
	unsigned users; /* between sources_begin() and sources_end() */
};

/* Makes it empty. */
void sources_init(struct sources *sources);
/* Releases all of them. */
void sources_release(struct sources *sources);

/* Takes one more. Where there are enough, one is released at once: the oldest,
 * or while they are used the new one. */
void sources_add(struct sources *sources, const struct store_source *source);

/* Until sources_end() what sources_get() gave stays valid. */
void sources_begin(struct sources *sources);
void sources_end(struct sources *sources);

/* Opens the blob where a source has it as a file: the descriptor, or -1 where
 * none has. */
int sources_open(struct sources *sources, const struct digest *digest,
    uint64_t size);

/* Bytes that came were not the blob's: whether any of them would get others the
 * next time. */
bool sources_wrong(struct sources *sources, const struct digest *digest);

/* The i-th of them; false where there are not so many. */
bool sources_get(struct sources *sources, unsigned i, struct store_source *out);

#endif
