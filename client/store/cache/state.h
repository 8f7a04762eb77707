/* SPDX-License-Identifier: Apache-2.0 */
/* The store itself: what all blobs of one directory share. */
#ifndef STORE_STATE_H
#define STORE_STATE_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/map.h"
#include "base/pool.h"
#include "memory.h"
#include "pieces.h"
#include "store/store.h"

struct store {
	char *dir;
	uint64_t limit;
	uint64_t step; /* evict when that much came, and that far below limit */
	struct pool *fetchers;
	struct pool *small_fetchers; /* what must not wait for layers */
	struct pool *parts_fetchers;
	struct pool *keepers; /* what no reader waits for: sync, eviction */
	atomic_bool closing;
	atomic_uint_least64_t epochs; /* the last number that was given out */

	atomic_uint_least64_t hits, fetches, fetched, mismatches, evicted;

	/* Never taken together with an entry's monitor. */
	pthread_mutex_t lock;
	/* Under lock. */
	struct map in_use; /* key to struct shared */
	uint64_t total;    /* bytes that the last eviction left */
	uint64_t added;    /* bytes that came since the last one began */
	bool over;         /* it left more than it should have */
	bool evicting;     /* one is queued or runs */
	bool surveyed;     /* there was one: total is known */
	/* Seconds (room.c): no eviction makes room before; when the lack of it
	 * was logged last. 0: never. */
	int64_t full_until, lack_logged;
	struct memory memory; /* temporary files that are not on the disk */

	struct pieces pieces; /* in memory, of what the disk has no room for */
};

/* Notes that bytes were written; room is made in the background if needed. */
void store_grew(struct store *store, uint64_t bytes);

/* Notes that a blob was closed: if it was in the way of eviction, try again. */
void store_eased(struct store *store);

#endif
