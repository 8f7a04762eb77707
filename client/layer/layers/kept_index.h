/* SPDX-License-Identifier: Apache-2.0 */
/* A layer's index, as the store keeps it and as the layer has it. */
#ifndef LAYER_KEPT_INDEX_H
#define LAYER_KEPT_INDEX_H

#include "layer/index.h"
#include "state.h"

/* Whether the index is there, and nobody has found it damaged. */
bool layer_is_right(struct layer *layer);

/* Makes it the layer's, unless another thread was faster, or the place of a
 * damaged one: -EIO where it is not the same. Takes the index. */
int layer_take_index(struct layer *layer, struct layer_index *index,
    struct err *err);

/* Opens the index that an earlier pass left in the store: 1, or 0. One that is
 * damaged, or of another version, is removed. */
int kept_index_find(struct layer *layer, struct err *err);

#endif
