/* SPDX-License-Identifier: Apache-2.0 */
/* Opening and closing the store, and its numbers. */
#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/file.h"
#include "base/lock.h"
#include "evict.h"
#include "state.h"

enum {
	/* One waits for the disk; eviction need not wait for that one. */
	KEEPERS = 2,
	/* So much of the limit can come before somebody looks again, and so
	 * much room is made when it is reached. */
	STEPS = 16,
	/* Small blobs have threads of their own, so that a lookup never waits
	 * for a layer. */
	SMALL_FETCHES = 4,
	/* Parts of blobs: each may be a request that takes longer to be
	 * answered than to be transferred. */
	PARTS_FETCHES = 8,
};

/*
 * Blobs from an earlier run are believed by their name and size, so nobody
 * else may have put them there.
 */
static int check_owner(const char *dir, struct err *err)
{
	struct stat st;

	if (stat(dir, &st) < 0)
		return err_sys(err, "cannot use cache directory %s", dir);
	if (st.st_uid != geteuid())
		return err_set(err, EPERM,
		    "cache directory %s belongs to another user (uid %u), who "
		    "could change what is in it: choose one of your own",
		    dir, (unsigned)st.st_uid);
	if (st.st_mode & (S_IWGRP | S_IWOTH))
		return err_set(err, EPERM,
		    "cache directory %s can be written by other users: "
		    "chmod 700 it, or choose another",
		    dir);
	return 0;
}

static void request_eviction(struct store *store);

static void evict_job(void *arg)
{
	struct store *store = arg;

	evict(store, 0);
	SCOPED_LOCK(&store->lock);
	store->evicting = false;
	/* What came meanwhile may have been the last. */
	if (store->added > store->step)
		request_eviction(store);
}

/* Under lock. */
static void request_eviction(struct store *store)
{
	if (store->evicting || atomic_load(&store->closing))
		return;
	/* If that fails, the next bytes that come ask again. */
	store->evicting =
	    pool_submit(store->keepers, evict_job, store, ERR_IGNORE) == 0;
}

void store_grew(struct store *store, uint64_t bytes)
{
	SCOPED_LOCK(&store->lock);

	store->added += bytes;
	if (store->added > store->step)
		request_eviction(store);
}

void store_eased(struct store *store)
{
	SCOPED_LOCK(&store->lock);

	if (store->over)
		request_eviction(store);
}

/* Also where store_open() fails half-way. */
static void store_free(struct store *store)
{
	pool_free(store->fetchers);
	pool_free(store->small_fetchers);
	pool_free(store->parts_fetchers);
	pool_free(store->keepers);
	assert(store->in_use.count == 0);
	map_release(&store->in_use);
	pieces_release(&store->pieces);
	memory_release(&store->memory);
	pthread_mutex_destroy(&store->lock);
	free(store->dir);
	free(store);
}

DEFINE_CLEANUP(struct store *, store_free);

int store_open(const struct store_options *options, struct store **out,
    struct err *err)
{
	CLEANUP(store_free_p) struct store *store = calloc(1, sizeof(*store));
	int r;

	if (!store)
		return err_nomem(err);
	pthread_mutex_init(&store->lock, NULL);
	pieces_init(&store->pieces);
	store->limit = options->limit;
	store->step = options->limit / STEPS;
	store->dir = strdup(options->dir);
	if (!store->dir)
		return err_nomem(err);
	r = file_mkdirs(store->dir, 0700, err);
	if (r == 0)
		r = check_owner(store->dir, err);
	if (r < 0)
		return r;
	store->fetchers = pool_new("fetch", options->fetches, err);
	if (store->fetchers)
		store->small_fetchers = pool_new("small", SMALL_FETCHES, err);
	if (store->small_fetchers)
		store->parts_fetchers = pool_new("parts", PARTS_FETCHES, err);
	if (store->parts_fetchers)
		store->keepers = pool_new("store", KEEPERS, err);
	if (!store->keepers)
		return -err->code;
	SCOPED_LOCK(&store->lock);
	/* To know what is there, which may be more than this limit. */
	request_eviction(store);
	*out = steal(&store);
	return 0;
}

void store_close(struct store *store)
{
	if (!store)
		return;
	atomic_store(&store->closing, true);
	pool_free(steal(&store->fetchers));
	pool_free(steal(&store->small_fetchers));
	pool_free(steal(&store->parts_fetchers));
	pool_free(steal(&store->keepers));
	/* No thread is left to do it, nor one that could be in the way. */
	if (store->over || store->added > store->step)
		evict(store, 0);
	store_free(store);
}

const char *store_dir(const struct store *store)
{
	return store->dir;
}

void store_stats(struct store *store, struct store_stats *out)
{
	SCOPED_LOCK(&store->lock);

	*out = (struct store_stats){
	    .held = store->total + store->added,
	    .hits = atomic_load(&store->hits),
	    .fetches = atomic_load(&store->fetches),
	    .fetched = atomic_load(&store->fetched),
	    .mismatches = atomic_load(&store->mismatches),
	    .evicted = atomic_load(&store->evicted),
	};
}
