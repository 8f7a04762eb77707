/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Decoded spans of all layers, and spans as they are stored: what was decoded
 * or compared last is kept for the next read, and each is once however many
 * wait for it.
 */
#ifndef LAYER_SPANS_H
#define LAYER_SPANS_H

#include <stdint.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "buffers.h"

struct layer;
struct layer_span;
struct span_cache;

/* buffers are borrowed and outlive it. */
struct span_cache *span_cache_new(uint64_t bytes, struct buffers *buffers,
    struct err *err);
/* No span is held any more. */
void span_cache_free(struct span_cache *cache);

DEFINE_CLEANUP(struct span_cache *, span_cache_free);

/* A span's decoded bytes, held. */
struct decoded;

/*
 * The span of a number, as the layer's index has it. window: how many bytes of
 * the blob are worth fetching from the span's start on, if any are. -EBADMSG,
 * -EINTR, -EUCLEAN, and errors of parts_read(). To be given back with
 * decoded_put().
 */
int span_get(struct span_cache *cache, struct layer *layer, uint32_t number,
    const struct layer_span *span, uint64_t window, struct decoded **out,
    struct err *err);

/* The same of the span as it is stored, of a layer whose spans are vouched for
 * as they stand in the blob: in_len bytes. */
int span_get_stored(struct span_cache *cache, struct layer *layer,
    uint32_t number, const struct layer_span *span, uint64_t window,
    struct decoded **out, struct err *err);

/* The same as the first if it is there; -EAGAIN. */
int span_find(struct span_cache *cache, const struct layer *layer,
    uint32_t span, struct decoded **out, struct err *err);

void decoded_put(struct decoded *decoded);

DEFINE_CLEANUP(struct decoded *, decoded_put);

const uint8_t *decoded_data(const struct decoded *decoded);

/* Forgets what is there of a layer that goes. */
void span_cache_drop(struct span_cache *cache, const struct layer *layer);

#endif
