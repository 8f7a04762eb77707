/* SPDX-License-Identifier: Apache-2.0 */
/* Room on the disk of the store. */
#include "room.h"

#include <errno.h>
#include <sys/statvfs.h>
#include <time.h>

#include "base/lock.h"
#include "base/log.h"
#include "evict.h"

enum {
	/* What an eviction left in the way is in the way for a while. */
	PAUSE_SECONDS = 5,
	/* A user who looks for the reason finds it not far from the end. */
	LOG_SECONDS = 600,
};

/* Of a clock that does not stand at 0. */
static int64_t now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec + 1;
}

/* What is free, as far as it is known: there are file systems that do not say
 * that. */
static uint64_t free_bytes(const struct store *store)
{
	struct statvfs st;

	if (statvfs(store->dir, &st) < 0 || st.f_blocks == 0)
		return UINT64_MAX;
	return st.f_flag & ST_RDONLY ? 0 : (uint64_t)st.f_bavail * st.f_frsize;
}

bool room_is_free(const struct store *store, uint64_t bytes)
{
	return free_bytes(store) >= bytes;
}

/* Whether there would be enough if all went that could. */
static bool can_evict(struct store *store, uint64_t need)
{
	SCOPED_LOCK(&store->lock);

	if (!store->surveyed)
		return true;
	return now() >= store->full_until &&
	       store->total + store->added >= need;
}

static bool make_room(struct store *store, uint64_t bytes)
{
	uint64_t there = free_bytes(store);

	if (there >= bytes)
		return true;
	if (!can_evict(store, bytes - there))
		return false;
	evict(store, bytes - there);
	if (room_is_free(store, bytes))
		return true;
	SCOPED_LOCK(&store->lock);
	store->full_until = now() + PAUSE_SECONDS;
	return false;
}

static bool is_read_only(const struct store *store)
{
	struct statvfs st;

	return statvfs(store->dir, &st) == 0 && st.f_flag & ST_RDONLY;
}

bool store_can_keep(struct store *store, uint64_t size)
{
	uint64_t there = free_bytes(store);

	return there >= size || can_evict(store, size - there);
}

int room_check(struct store *store, uint64_t bytes, struct err *err)
{
	if (make_room(store, bytes))
		return 0;
	if (is_read_only(store))
		return err_set(err, EROFS, "%s is on a read-only file system",
		    store->dir);
	return err_set(err, ENOSPC, "there is no room for %llu bytes in %s",
	    (unsigned long long)bytes, store->dir);
}

/* Whether it is time to say so. */
static bool is_news(struct store *store)
{
	SCOPED_LOCK(&store->lock);
	const int64_t last = store->lack_logged;

	if (last && now() - last < LOG_SECONDS)
		return false;
	store->lack_logged = now();
	return true;
}

void room_lacks(struct store *store, const struct err *why)
{
	bool is_full = why->code == ENOSPC || why->code == EDQUOT;

	if (is_news(store))
		log_warn("what is read is not kept, and fetched again when it "
			 "is needed: %s; %s, or choose another directory "
			 "(option cache)",
		    why->msg, is_full ? "make room there" : "mend that");
	else
		log_debug(LOG_STORE, "not kept: %s", why->msg);
}
