/* SPDX-License-Identifier: Apache-2.0 */
/* Contents that the kernel is given before it asks. */
#define FUSE_USE_VERSION 312
#include "feed.h"

#include <fuse_lowlevel.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "base/pool.h"
#include "node/mount.h"
#include "node/place.h"

enum {
	/* Files of more are read ahead by the kernel. */
	FILE_MAX = 128 << 10,
	/* Skip the next two: the reader reaches them first, and storing a page
	 * being read blocks. */
	SKIPPED = 2,
	/* What one read brings: no more than is in memory anyhow may be stored
	 * ahead of the reader, which asks again after it. */
	ENTRIES = 64,
	BYTES = 1 << 20,
};

struct feed {
	struct fuse_session *session;
	struct pool *pool;
	atomic_bool stopped;
	atomic_bool busy;    /* a job is queued, or runs */
	atomic_bool storing; /* it gives something to the kernel */
};

struct feed_job {
	struct feed *feed;
	struct mount *mount;
	struct layer *layer; /* held */
	uint32_t after;
};

struct feed *feed_new(struct fuse_session *session, struct err *err)
{
	struct feed *feed = calloc(1, sizeof(*feed));

	if (!feed) {
		err_nomem(err);
		return NULL;
	}
	feed->session = session;
	feed->pool = pool_new("feed", 1, err);
	if (feed->pool)
		return feed;
	free(feed);
	return NULL;
}

void feed_free(struct feed *feed)
{
	if (!feed)
		return;
	pool_free(feed->pool);
	free(feed);
}

/* Whether an entry is a file that the reader of the one before reads, too: of
 * other directories the kernel knows nothing yet. */
static bool is_next(const struct layer_entry *entry, uint32_t number,
    uint32_t dir)
{
	return S_ISREG(entry->mode) && entry->parent == dir &&
	       entry->link == number && entry->size > 0 &&
	       entry->size <= FILE_MAX &&
	       !(entry->flags & (LAYER_SPARSE | LAYER_DANGLING));
}

/* -ENOENT of a file that the kernel does not know is no matter. */
static void store(const struct feed_job *job, uint32_t entry, void *data,
    size_t size)
{
	struct feed *feed = job->feed;
	struct fuse_bufvec buffer = FUSE_BUFVEC_INIT(size);

	buffer.buf[0].mem = data;
	atomic_store(&feed->storing, true);
	if (!atomic_load(&feed->stopped))
		fuse_lowlevel_notify_store(feed->session,
		    place_number(job->mount, job->layer, entry), 0, &buffer, 0);
	atomic_store(&feed->storing, false);
}

static void give_next(const struct feed_job *job, void *data)
{
	const struct layer_index *index = layer_index_known(job->layer);
	struct layer_entry entry;
	uint32_t dir, end = layer_index_count(index);
	size_t given = 0, skipped = 0;
	ssize_t n;

	/* Its reader is told what is wrong, here and below. */
	if (layer_index_entry(index, job->after, &entry, ERR_IGNORE) < 0)
		return;
	dir = entry.parent;
	if (end - job->after > ENTRIES)
		end = job->after + ENTRIES;
	for (uint32_t i = job->after + 1;
	     i < end && given < BYTES && !atomic_load(&job->feed->stopped);
	     i++) {
		if (layer_index_entry(index, i, &entry, ERR_IGNORE) < 0)
			return;
		if (!is_next(&entry, i, dir) || skipped++ < SKIPPED)
			continue;
		n = layer_read(job->layer, i, data, entry.size, 0, ERR_IGNORE);
		if (n < 0)
			return;
		store(job, i, data, (size_t)n);
		given += (size_t)n;
	}
}

static void run(void *arg)
{
	AUTO_FREE struct feed_job *job = arg;
	CLEANUP(layer_put_p) struct layer *layer = job->layer;
	AUTO_FREE void *data = malloc(FILE_MAX);

	(void)layer;
	if (data)
		give_next(job, data);
	atomic_store(&job->feed->busy, false);
}

static bool submit(struct feed *feed, const struct feed_job *model)
{
	struct feed_job *job = malloc(sizeof(*job));

	if (!job)
		return false;
	*job = *model;
	layer_get(job->layer);
	if (pool_submit(feed->pool, run, job, ERR_IGNORE) == 0)
		return true;
	layer_put(job->layer);
	free(job);
	return false;
}

void feed_after(struct mount *mount, struct layer *layer, uint32_t entry)
{
	struct feed *feed = mount->feed;
	const struct feed_job job = {feed, mount, layer, entry};

	if (!layer_is_walked(layer) || atomic_exchange(&feed->busy, true))
		return;
	if (!submit(feed, &job))
		atomic_store(&feed->busy, false);
}

bool feed_stop(struct feed *feed)
{
	atomic_store(&feed->stopped, true);
	return !atomic_load(&feed->storing);
}
