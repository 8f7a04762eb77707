/* SPDX-License-Identifier: Apache-2.0 */
/* The ring of bytes. */
#include "ring.h"

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

size_t ring_take(struct ring *ring, void *data, size_t len)
{
	size_t n = min(len, ring->len);
	size_t first;

	if (n == 0)
		return 0;
	first = min(n, ring->cap - ring->start);
	memcpy(data, ring->data + ring->start, first);
	memcpy((char *)data + first, ring->data, n - first);
	ring->len -= n;
	/* An empty ring starts over, where its memory is warm. */
	ring->start = ring->len ? (ring->start + n) % ring->cap : 0;
	return n;
}
