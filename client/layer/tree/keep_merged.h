/* SPDX-License-Identifier: Apache-2.0 */
/* Where the trees of stacks of layers are kept. */
#ifndef LAYER_KEEP_MERGED_H
#define LAYER_KEEP_MERGED_H

#include "layer/layer.h"
#include "merged.h"
#include "store/store.h"

/* The tree of the layers, whose indexes are the stack: the one that is kept, or
 * else made and kept. The file of `damaged` (NULL: none) is not taken for one
 * that is kept. */
int merged_get(struct store *store, struct layer *const *layers,
    const struct merged_stack *stack, const struct merged *damaged,
    struct merged **out, struct err *err);

#endif
