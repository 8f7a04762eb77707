/* SPDX-License-Identifier: Apache-2.0 */
/* Where a layer's blob can be had. */
#include "origins.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>

#include "base/lock.h"

/* The same blob is in several repositories, and each can fail alone. */
enum { ORIGINS_MAX = 4 };

struct origins {
	atomic_uint refs;
	pthread_mutex_t lock;
	/* Under lock; those that are there stay. */
	struct store_source sources[ORIGINS_MAX];
	unsigned count;
};

int origins_new(const struct store_source *source, struct origins **out,
    struct err *err)
{
	struct origins *origins = calloc(1, sizeof(*origins));

	if (!origins) {
		source->release(source->arg);
		return err_nomem(err);
	}
	atomic_init(&origins->refs, 1);
	pthread_mutex_init(&origins->lock, NULL);
	origins->sources[origins->count++] = *source;
	*out = origins;
	return 0;
}

struct origins *origins_get(struct origins *origins)
{
	atomic_fetch_add(&origins->refs, 1);
	return origins;
}

void origins_put(struct origins *origins)
{
	if (!origins || atomic_fetch_sub(&origins->refs, 1) > 1)
		return;
	for (unsigned i = 0; i < origins->count; i++)
		origins->sources[i].release(origins->sources[i].arg);
	pthread_mutex_destroy(&origins->lock);
	free(origins);
}

/* Under lock. */
static bool has(const struct origins *origins,
    const struct store_source *source)
{
	for (unsigned i = 0; i < origins->count; i++) {
		const struct store_source *known = &origins->sources[i];

		if (source->same && known->same == source->same &&
		    source->same(known->arg, source->arg))
			return true;
	}
	return false;
}

void origins_add(struct origins *origins, const struct store_source *source)
{
	bool taken = false;

	{
		SCOPED_LOCK(&origins->lock);
		if (origins->count < ORIGINS_MAX && !has(origins, source)) {
			origins->sources[origins->count++] = *source;
			taken = true;
		}
	}
	if (!taken)
		source->release(source->arg);
}

static bool get_source(struct origins *origins, unsigned i,
    struct store_source *out)
{
	SCOPED_LOCK(&origins->lock);
	if (i >= origins->count)
		return false;
	*out = origins->sources[i];
	return true;
}

/* They say before they send anything that they have not got it. */
static bool has_not(int r)
{
	return r == -ENOENT || r == -EACCES || r == -EPERM;
}

static int fetch(void *arg, const struct digest *digest, uint64_t offset,
    uint64_t len, struct sink *sink, struct err *err)
{
	struct store_source source;
	int r = -ENOENT;

	for (unsigned i = 0; has_not(r) && get_source(arg, i, &source); i++)
		r = source.fetch(source.arg, digest, offset, len, sink, err);
	return r;
}

static int open_file(void *arg, const struct digest *digest, uint64_t size,
    struct err *err)
{
	struct store_source source;
	int r = -ENOENT;

	for (unsigned i = 0; r < 0 && get_source(arg, i, &source); i++)
		if (source.open)
			r = source.open(source.arg, digest, size, err);
	return r;
}

static bool wrong(void *arg, const struct digest *digest)
{
	struct store_source source;
	bool others = false;

	for (unsigned i = 0; get_source(arg, i, &source); i++)
		others |= source.wrong && source.wrong(source.arg, digest);
	return others;
}

static void release(void *arg)
{
	origins_put(arg);
}

struct store_source origins_source(struct origins *origins)
{
	return (struct store_source){.fetch = fetch,
	    .wrong = wrong,
	    .release = release,
	    .arg = origins_get(origins),
	    .open = open_file};
}
