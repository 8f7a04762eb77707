/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Read-ahead. A whole tree is usually read in the order of the layers,
 * more or less: the spans after the one that is read are decoded meanwhile, on
 * the other processors.
 */
#ifndef LAYER_AHEAD_H
#define LAYER_AHEAD_H

#include <stddef.h>
#include <stdint.h>

struct layer;
struct layer_entry;
struct layer_span;

/*
 * Notes that a span is read, by a reader that will go on to the address
 * `until`, and begins with the next ones if they are likely to be read. Returns
 * how many bytes of the blob, from the span's start on, are worth one request.
 */
uint64_t ahead_window(struct layer *layer, uint32_t number,
    const struct layer_span *span, uint64_t until);

/* The first `len` bytes of a file were read: begins with those that follow. */
void ahead_of_file(struct layer *layer, const struct layer_entry *entry,
    size_t len);

#endif
