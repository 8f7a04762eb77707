/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Getting bytes of a blob from its sources, one after the other where they
 * fail. Whoever wants the bytes embeds it as the first member, and sets all but
 * what is said to be the delivery's own.
 */
#ifndef STORE_DELIVERY_H
#define STORE_DELIVERY_H

#include "cache/state.h"
#include "sources.h"

struct delivery {
	struct sink sink; /* own: what the sources write to */
	struct store *store;
	const struct digest *digest;
	const char *name; /* the digest, for messages */
	struct sources *sources;
	uint64_t at;  /* the next byte; moves on with what is taken */
	uint64_t end; /* not wanted any more */
	bool to_end;  /* the blob ends there, and nothing may come behind it */

	/* Takes what belongs at `at`. What fails here ends the delivery. */
	int (*take)(struct delivery *delivery, const void *data, size_t len,
	    struct err *err);
	/* Whether the rest is not wanted any more. */
	bool (*unwanted)(struct delivery *delivery);

	/* Own: why no more is taken, code 0 while it is; whether there was an
	 * eviction for it; whether what came could not be written. */
	struct err stop;
	bool made_room;
	bool unwritten;
};

/* Until `end` is reached: 0, -ENOLINK where no source has the blob, else the
 * failure of the last one that may have it, or of take(), or
 * -ECANCELED where it is not wanted. */
int delivery_run(struct delivery *delivery, struct err *err);

/* The failure of what is not wanted any more. */
int delivery_cancelled(const struct delivery *delivery, struct err *err);

/* For take(): writes to a file of the store. Once, what nobody uses makes room
 * on a full disk. */
int delivery_write(struct delivery *delivery, int fd, const void *data,
    size_t len, uint64_t off, struct err *err);

#endif
