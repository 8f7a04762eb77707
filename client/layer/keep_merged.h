/* SPDX-License-Identifier: Apache-2.0 */
/* Where the trees of stacks of layers are kept. */
#ifndef LAYER_KEEP_MERGED_H
#define LAYER_KEEP_MERGED_H

#include "layer/layer.h"
#include "merged.h"
#include "store/store.h"

/* The tree of the layers and their indexes, the lowest first: the one that is
 * kept, or else made and kept. */
int merged_get(struct store *store, struct layer *const *layers,
    const struct layer_index *const *indexes, size_t count, struct merged **out,
    struct err *err);

#endif
