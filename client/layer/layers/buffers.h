/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Buffers of a megabyte or so that are used again. A large piece of memory
 * comes from the system each time, which has to clear all of it; what the heap
 * kept of them instead would stay for ever.
 */
#ifndef LAYER_BUFFERS_H
#define LAYER_BUFFERS_H

#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"

struct buffers;

struct buffers *buffers_new(void);
void buffers_free(struct buffers *buffers);

/* At least size bytes, with anything in them. NULL: out of memory. */
uint8_t *buffers_take(struct buffers *buffers, size_t size);
/* Takes it back; size is the same. NULL does nothing. */
void buffers_give(struct buffers *buffers, uint8_t *data, size_t size);

#endif
