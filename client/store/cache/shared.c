/* SPDX-License-Identifier: Apache-2.0 */
/* The table of what is in use. */
#include "shared.h"

#include "base/lock.h"

void shared_init(struct shared *shared, char *key)
{
	shared->key = key;
	atomic_init(&shared->refs, 1);
}

void shared_get(struct shared *shared)
{
	atomic_fetch_add(&shared->refs, 1);
}

struct shared *shared_find(struct store *store, const char *key)
{
	SCOPED_LOCK(&store->lock);
	struct shared *shared = map_get(&store->in_use, key);

	if (shared)
		shared_get(shared);
	return shared;
}

int shared_add(struct store *store, struct shared *shared, struct shared **out,
    struct err *err)
{
	SCOPED_LOCK(&store->lock);

	*out = map_get(&store->in_use, shared->key);
	if (*out) {
		shared_get(*out);
		return 0;
	}
	if (map_put(&store->in_use, shared->key, shared) < 0)
		return err_nomem(err);
	*out = shared;
	return 0;
}

bool shared_put(struct store *store, struct shared *shared)
{
	SCOPED_LOCK(&store->lock);

	if (atomic_fetch_sub(&shared->refs, 1) > 1)
		return false;
	map_del(&store->in_use, shared->key);
	return true;
}
