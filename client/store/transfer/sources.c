/* SPDX-License-Identifier: Apache-2.0 */
/* Where the bytes of one blob can come from. */
#include "sources.h"

#include <string.h>

#include "base/lock.h"

void sources_init(struct sources *sources)
{
	memset(sources, 0, sizeof(*sources));
	pthread_mutex_init(&sources->lock, NULL);
}

void sources_release(struct sources *sources)
{
	for (unsigned i = 0; i < sources->count; i++)
		sources->list[i].release(sources->list[i].arg);
	pthread_mutex_destroy(&sources->lock);
}

/* Adds it, and says in *unused which one has to go: true if one has. */
static bool add(struct sources *sources, const struct store_source *source,
    struct store_source *unused)
{
	SCOPED_LOCK(&sources->lock);

	if (sources->count < SOURCES_MAX) {
		sources->list[sources->count++] = *source;
		return false;
	}
	if (sources->users > 0) {
		*unused = *source;
		return true;
	}
	/* The oldest is the likeliest to be of no use any more. */
	*unused = sources->list[0];
	memmove(&sources->list[0], &sources->list[1],
	    (SOURCES_MAX - 1) * sizeof(sources->list[0]));
	sources->list[SOURCES_MAX - 1] = *source;
	return true;
}

void sources_add(struct sources *sources, const struct store_source *source)
{
	struct store_source unused;

	if (add(sources, source, &unused))
		unused.release(unused.arg);
}

void sources_begin(struct sources *sources)
{
	SCOPED_LOCK(&sources->lock);

	sources->users++;
}

void sources_end(struct sources *sources)
{
	SCOPED_LOCK(&sources->lock);

	sources->users--;
}

bool sources_get(struct sources *sources, unsigned i, struct store_source *out)
{
	SCOPED_LOCK(&sources->lock);

	if (i >= sources->count)
		return false;
	*out = sources->list[i];
	return true;
}

bool sources_wrong(struct sources *sources, const struct digest *digest)
{
	struct store_source source;
	bool others = false;

	sources_begin(sources);
	for (unsigned i = 0; sources_get(sources, i, &source); i++)
		others |= source.wrong && source.wrong(source.arg, digest);
	sources_end(sources);
	return others;
}

int sources_open(struct sources *sources, const struct digest *digest,
    uint64_t size)
{
	struct store_source source;
	int fd = -1;

	sources_begin(sources);
	for (unsigned i = 0; fd < 0 && sources_get(sources, i, &source); i++)
		if (source.open)
			fd = source.open(source.arg, digest, size, ERR_IGNORE);
	sources_end(sources);
	return fd < 0 ? -1 : fd;
}
