/* SPDX-License-Identifier: Apache-2.0 */
/* What an index consists of, for the files that read it. */
#ifndef LAYER_INDEX_STATE_H
#define LAYER_INDEX_STATE_H

#include "format.h"

struct layer_index {
	struct mapped *file;
	struct layer_facts facts;
	struct records entries, children, spans, extents;
	uint64_t heap, heap_size; /* where in the content, how large */
	uint32_t salt;
};

/* Somebody has read what was never written: -EUCLEAN. It is known from then
 * on. */
int layer_index_set_damaged(const struct layer_index *index, struct err *err);
bool layer_index_is_damaged(const struct layer_index *index);

/* Whether that is the file that is mapped. */
bool layer_index_is_of(const struct layer_index *index, int fd);

/* Takes another index, whose file is read from now on if it has the same
 * content; whether it has. Not from two threads at once. */
bool layer_index_replace(struct layer_index *index, struct layer_index *fresh);

/* A text of the heap, which was not compared with anything. */
bool layer_index_text(const struct layer_index *index, uint32_t at,
    char out[LAYER_NAME_SIZE]);

/* Appends the bytes of a block, which were. */
int layer_index_block(const struct layer_index *index, uint32_t at,
    struct buf *out, struct err *err);

#endif
