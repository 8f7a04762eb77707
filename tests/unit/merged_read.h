/* SPDX-License-Identifier: Apache-2.0 */
/* Reading merged trees that nothing is wrong with. */
#ifndef TESTS_MERGED_READ_H
#define TESTS_MERGED_READ_H

#include "index_read.h"

#include "tree/merged.h"

struct named_node {
	struct merged_node node;
	char name[LAYER_NAME_SIZE];
};

struct named_node node_in(const struct merged *merged,
    const struct merged_stack *stack, uint32_t number);

/* Whether there is something at a path: its number. */
bool find_node(const struct merged *merged, const struct merged_stack *stack,
    const char *path, uint32_t *out);

#endif
