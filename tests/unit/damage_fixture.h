/* SPDX-License-Identifier: Apache-2.0 */
/*
 * All that an index, or a merged tree, says, as text: what is damaged either
 * says the same as before, or that it is damaged.
 */
#ifndef TESTS_DAMAGE_FIXTURE_H
#define TESTS_DAMAGE_FIXTURE_H

#include "merged_read.h"

enum { SAID_MAX = 64 << 20, WINDOW_ROOM = 64 << 10 };

/* 0, or -EUCLEAN. */
int say_index(const struct layer_index *index, struct buf *out,
    struct err *err);

/* The nodes follow one another from the root's first child on. */
int say_merged(const struct merged *merged, const struct merged_stack *stack,
    struct buf *out, struct err *err);

#endif
