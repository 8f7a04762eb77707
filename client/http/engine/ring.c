/* SPDX-License-Identifier: Apache-2.0 */
/* The ring of bytes. */
#include "ring.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

static size_t min(size_t a, size_t b)
{
	return a < b ? a : b;
}

int ring_init(struct ring *ring, size_t cap)
{
	*ring = (struct ring){.data = malloc(cap), .cap = cap};
	return ring->data ? 0 : -ENOMEM;
}

void ring_release(struct ring *ring)
{
	free(ring->data);
	*ring = (struct ring){0};
}

bool ring_put(struct ring *ring, const void *data, size_t len)
{
	size_t end, first;

	if (len > ring->cap - ring->len)
		return false;
	if (len == 0)
		return true;
	end = (ring->start + ring->len) % ring->cap;
	first = min(len, ring->cap - end);
	memcpy(ring->data + end, data, first);
	memcpy(ring->data, (const char *)data + first, len - first);
	ring->len += len;
	return true;
}

size_t ring_front(const struct ring *ring, const char **data)
{
	*data = ring->data + ring->start;
	return min(ring->len, ring->cap - ring->start);
}

void ring_drop(struct ring *ring, size_t n)
{
	assert(n <= ring->len);
	ring->len -= n;
	/* An empty ring starts over, where its memory is warm. */
	ring->start = ring->len ? (ring->start + n) % ring->cap : 0;
}
