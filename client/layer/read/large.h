/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Chunks that are too large to be held in memory. The digest that vouches for
 * one is that of its decoded bytes, so it is a blob like any other: the store
 * keeps it, and gets it from the layer's blob by decoding.
 */
#ifndef LAYER_LARGE_H
#define LAYER_LARGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

struct layer;
struct layer_span;

bool large_is(const struct layer_span *span);

/* Reads len bytes at off of a span that is large, when all of it was verified.
 * Bytes that are wrong are fetched once more, then -EBADMSG. */
int large_read(struct layer *layer, uint32_t number,
    const struct layer_span *span, void *data, size_t len, uint64_t off,
    struct err *err);

#endif
