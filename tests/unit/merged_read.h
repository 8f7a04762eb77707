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

UNUSED static struct named_node node_in(const struct merged *merged,
    const struct merged_stack *stack, uint32_t number)
{
	struct err err = ERR_INIT;
	struct named_node out;

	sound(merged_node(merged, stack, number, &out.node, out.name, &err),
	    &err);
	return out;
}

/* Whether there is something at a path: its number. */
UNUSED static bool find_node(const struct merged *merged,
    const struct merged_stack *stack, const char *path, uint32_t *out)
{
	struct err err = ERR_INIT;
	struct merged_node node;

	return sound(merged_find(merged, stack, path, &node, out, &err), &err);
}

#endif
