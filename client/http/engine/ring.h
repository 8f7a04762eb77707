/* SPDX-License-Identifier: Apache-2.0 */
/* A ring of bytes between the network thread and a reader. Not locked. */
#ifndef CLIENT_HTTP_RING_H
#define CLIENT_HTTP_RING_H

#include <stdbool.h>
#include <stddef.h>

struct ring {
	char *data; /* NULL until ring_init() */
	size_t cap;
	size_t start; /* where the oldest byte is */
	size_t len;
};

/* 0 or -ENOMEM. */
int ring_init(struct ring *ring, size_t cap);
void ring_release(struct ring *ring);

/* Appends all of it, or nothing where it does not fit: false. */
bool ring_put(struct ring *ring, const void *data, size_t len);

/*
 * The oldest bytes that lie in one piece: where, and how many. They stay where
 * they are until ring_drop(), also while others are put behind them.
 */
size_t ring_front(const struct ring *ring, const char **data);

/* Forgets the n oldest bytes. */
void ring_drop(struct ring *ring, size_t n);

#endif
