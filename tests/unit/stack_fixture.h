/* SPDX-License-Identifier: Apache-2.0 */
/* Stacks of layers that are written down in a line each. */
#ifndef TESTS_STACK_FIXTURE_H
#define TESTS_STACK_FIXTURE_H

#include "index_fixture.h"
#include "merged_read.h"

#include <stdlib.h>

#include "base/cleanup.h"

enum { LAYERS_MAX = 256, TREE_TEXT_MAX = 1 << 20 };

/* As functions take them. */
struct stack {
	const struct layer_index *layers[LAYERS_MAX];
	size_t count;
};

struct merged_stack indexes_of(const struct stack *stack);

void stack_release(struct stack *stack);

#define AUTO_STACK CLEANUP(stack_release)

void push_index(struct stack *stack, const struct layer_index *index);

/* One more on top. */
void push(struct stack *stack, const char *entries);

#endif
