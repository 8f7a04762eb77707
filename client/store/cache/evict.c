/* SPDX-License-Identifier: Apache-2.0 */
/* Keeping the directory below its limit. */
#include "evict.h"

#include <errno.h>
#include <fcntl.h>
#include <fts.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <time.h>

#include "base/arena.h"
#include "base/lock.h"
#include "base/log.h"
#include "base/strf.h"
#include "private.h"

/* What was interrupted that long ago is not going to be continued. */
enum { LEFTOVER_SECONDS = 24 * 60 * 60 };

/* What stat() counts a file's room in. */
enum { STAT_BLOCK = 512 };

struct evictable {
	const char *path;
	bool derived;
	struct timespec used;
	uint64_t size;
};

struct evictables {
	struct arena paths;
	struct evictable *list;
	size_t count, cap;
	uint64_t total; /* bytes */
};

#define CANDIDATES_INIT \
	{ \
		ARENA_INIT, NULL, 0, 0, 0 \
	}

static void candidates_release(struct evictables *candidates)
{
	arena_release(&candidates->paths);
	free(candidates->list);
}

static int candidates_add_sized(struct evictables *candidates,
    const FTSENT *file, uint64_t size)
{
	const char *path = arena_strdup(&candidates->paths, file->fts_path);

	if (candidates->count == candidates->cap) {
		size_t cap = candidates->cap ? 2 * candidates->cap : 256;
		struct evictable *list =
		    reallocarray(candidates->list, cap, sizeof(*list));

		if (!list)
			return -ENOMEM;
		candidates->list = list;
		candidates->cap = cap;
	}
	if (!path)
		return -ENOMEM;
	candidates->list[candidates->count++] =
	    (struct evictable){path, false, file->fts_statp->st_mtim, size};
	candidates->total += size;
	return 0;
}

static int candidates_add(struct evictables *candidates, const FTSENT *file)
{
	return candidates_add_sized(candidates, file,
	    (uint64_t)file->fts_statp->st_size);
}

/* Whether the file was removed, or was gone already. */
static bool remove_unused(const char *path)
{
	AUTO_FD int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);

	if (fd < 0)
		return errno == ENOENT;
	if (flock(fd, LOCK_EX | LOCK_NB) < 0)
		return false;
	return unlink(path) == 0 || errno == ENOENT;
}

static bool is_leftover(const FTSENT *file)
{
	return time(NULL) - file->fts_statp->st_mtime > LEFTOVER_SECONDS;
}

/* Calls found() for each regular file below dir. */
static int walk(const char *dir,
    int (*found)(struct evictables *candidates, const FTSENT *file),
    struct evictables *candidates)
{
	AUTO_FREE char *copy = strdup(dir);
	char *const roots[] = {copy, NULL};
	FTS *fts;
	FTSENT *file;
	int r = 0;

	if (!copy)
		return -ENOMEM;
	fts = fts_open(roots, FTS_PHYSICAL | FTS_NOCHDIR, NULL);
	if (!fts)
		return -errno;
	while (r == 0 && (file = fts_read(fts)))
		if (file->fts_info == FTS_F)
			r = found(candidates, file);
	fts_close(fts);
	return r;
}

static int found_partial(struct evictables *candidates, const FTSENT *file)
{
	if (is_leftover(file) && remove_unused(file->fts_path))
		return 0;
	return candidates_add(candidates, file);
}

/* Its holes take no room. */
static int found_parts(struct evictables *candidates, const FTSENT *file)
{
	return candidates_add_sized(candidates, file,
	    (uint64_t)file->fts_statp->st_blocks * STAT_BLOCK);
}

static int found_derived(struct evictables *candidates, const FTSENT *file)
{
	int r = candidates_add(candidates, file);

	if (r == 0)
		candidates->list[candidates->count - 1].derived = true;
	return r;
}

static int found_spooled(struct evictables *candidates, const FTSENT *file)
{
	(void)candidates;
	if (is_leftover(file))
		remove_unused(file->fts_path);
	return 0;
}

static int collect(const char *dir, struct evictables *candidates)
{
	AUTO_FREE char *blobs = strf("%s/blobs", dir);
	AUTO_FREE char *partial = strf("%s/partial", dir);
	AUTO_FREE char *parts = strf("%s/parts", dir);
	AUTO_FREE char *derived = strf("%s/derived", dir);
	AUTO_FREE char *spool = strf("%s/spool", dir);
	int r;

	if (!blobs || !partial || !parts || !derived || !spool)
		return -ENOMEM;
	r = walk(blobs, candidates_add, candidates);
	if (r == 0)
		r = walk(partial, found_partial, candidates);
	if (r == 0)
		r = walk(parts, found_parts, candidates);
	if (r == 0)
		r = walk(derived, found_derived, candidates);
	if (r == 0)
		r = walk(spool, found_spooled, candidates);
	return r;
}

/* What is derived costs a pass over a whole blob, and goes last. */
static int by_last_use(const void *one, const void *two)
{
	const struct evictable *a = one, *b = two;

	if (a->derived != b->derived)
		return a->derived ? 1 : -1;
	if (a->used.tv_sec != b->used.tv_sec)
		return a->used.tv_sec < b->used.tv_sec ? -1 : 1;
	if (a->used.tv_nsec != b->used.tv_nsec)
		return a->used.tv_nsec < b->used.tv_nsec ? -1 : 1;
	return 0;
}

/* Removes until at most goal bytes are left, if so many can go. */
static void shrink(struct store *store, struct evictables *candidates,
    uint64_t goal)
{
	qsort(candidates->list, candidates->count, sizeof(*candidates->list),
	    by_last_use);
	for (size_t i = 0; i < candidates->count && candidates->total > goal;
	     i++) {
		const struct evictable *candidate = &candidates->list[i];

		if (!remove_unused(candidate->path))
			continue;
		log_debug(LOG_STORE, "%s evicted", candidate->path);
		candidates->total -= candidate->size;
		atomic_fetch_add(&store->evicted, candidate->size);
	}
}

/* A step below the limit, and `need` bytes less than there are. */
static uint64_t goal_of(const struct store *store, uint64_t total,
    uint64_t need)
{
	uint64_t goal = store->limit - store->step;
	uint64_t rest = total > need ? total - need : 0;

	return need > 0 && rest < goal ? rest : goal;
}

void evict(struct store *store, uint64_t need)
{
	CLEANUP(candidates_release)
	struct evictables candidates = CANDIDATES_INIT;
	char text[128];
	uint64_t goal;
	int r;

	pthread_mutex_lock(&store->lock);
	/* What comes from here on may be found, or not: it is counted again. */
	store->total += store->added;
	store->added = 0;
	pthread_mutex_unlock(&store->lock);

	private_sweep(store->dir);
	r = collect(store->dir, &candidates);
	if (r < 0) {
		log_warn("cannot go through the store in %s: %s", store->dir,
		    strerror_r(-r, text, sizeof(text)));
		return;
	}
	goal = goal_of(store, candidates.total, need);
	if (candidates.total > goal)
		shrink(store, &candidates, goal);

	SCOPED_LOCK(&store->lock);
	store->total = candidates.total;
	store->surveyed = true;
	store->over = candidates.total > goal;
}
