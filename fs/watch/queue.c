/* SPDX-License-Identifier: Apache-2.0 */
/* A list, which is short. */
#include "queue.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"

enum { WAITING_MAX = 256 };

void named_free(struct named *place)
{
	if (!place)
		return;
	free(place->registry);
	free(place->repository);
	free(place->tag);
	free(place);
}

static bool is_same(const char *a, const char *b)
{
	return a == b || (a && b && strcmp(a, b) == 0);
}

void queue_add(struct queue *queue, const char *registry,
    const char *repository, const char *tag)
{
	CLEANUP(named_free_p) struct named *place = NULL;

	for (place = queue->first; place; place = place->next)
		if (is_same(place->registry, registry) &&
		    is_same(place->repository, repository) &&
		    is_same(place->tag, tag)) {
			place = NULL;
			return;
		}
	place = calloc(1, sizeof(*place));
	if (!place || queue->count >= WAITING_MAX)
		return;
	place->registry = registry ? strdup(registry) : NULL;
	place->repository = strdup(repository);
	place->tag = tag ? strdup(tag) : NULL;
	if (!place->repository || (registry && !place->registry) ||
	    (tag && !place->tag))
		return;
	place->since = clock_seconds();
	*queue->last = place;
	queue->last = &place->next;
	queue->count++;
	place = NULL;
}

struct named *queue_take(struct queue *queue)
{
	struct named *place = queue->first;

	if (!place)
		return NULL;
	queue->first = place->next;
	if (!queue->first)
		queue->last = &queue->first;
	queue->count--;
	return place;
}

void queue_release(struct queue *queue)
{
	struct named *place;

	while ((place = queue_take(queue)))
		named_free(place);
}
