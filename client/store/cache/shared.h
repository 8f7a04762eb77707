/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What all users of one thing in this process share: counted, and found by its
 * key in the store's table for as long as somebody has it. Embedded as the
 * first member.
 */
#ifndef STORE_SHARED_H
#define STORE_SHARED_H

#include <stdatomic.h>
#include <stdbool.h>

#include "state.h"

struct shared {
	char *key;        /* owned */
	atomic_uint refs; /* dropped under the store's lock */
};

/* Takes the key. One reference; nobody finds it yet. */
void shared_init(struct shared *shared, char *key);

/* Adds a reference. The caller holds one already. From any thread. */
void shared_get(struct shared *shared);

/* Finds the object of that key and adds a reference. NULL: no object has the
 * key. */
struct shared *shared_find(struct store *store, const char *key);

/*
 * Lets others find it, as *out. Where another thread was faster *out is that
 * one's, with one more reference. 0 or -ENOMEM.
 */
int shared_add(struct store *store, struct shared *shared, struct shared **out,
    struct err *err);

/* Whether that was the last reference; then nobody finds it any more. */
bool shared_put(struct store *store, struct shared *shared);

#endif
