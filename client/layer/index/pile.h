/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Bytes that grow at their end: what an index is made of, while it is made. A
 * layer can have millions of entries, all of which are looked at again, but
 * hardly two of them at once. So what is more than a few megabytes is in a file
 * without a name, which is mapped, and what was looked at some time ago is not
 * kept in memory for it.
 */
#ifndef LAYER_PILE_H
#define LAYER_PILE_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

struct pile {
	const char *dir; /* for the file, borrowed */
	size_t limit;
	uint8_t *data;
	size_t len, room;
	int fd;         /* -1: it is in memory */
	unsigned looks; /* at it, since it was last let go */
};

void pile_init(struct pile *pile, const char *dir, size_t limit);
void pile_release(struct pile *pile);

/* Appends bytes: where in it they are now. -EFBIG over the limit, -ENOSPC. */
int pile_add(struct pile *pile, const void *data, size_t len, size_t *out,
    struct err *err);

/* What is at that place, len bytes of which are in it and are looked at. Valid
 * until something is added. */
void *pile_at(struct pile *pile, size_t at, size_t len);

/* Nothing of it is needed soon. */
void pile_rest(struct pile *pile);

#endif
