/* SPDX-License-Identifier: Apache-2.0 */
/* A directory of a test's own, and its end. */
#ifndef TESTS_UNIT_SCRATCH_H
#define TESTS_UNIT_SCRATCH_H

struct scratch {
	char path[64];
};

/* 0, or -1 as a cmocka fixture function has it. */
int scratch_make(struct scratch *scratch);
int scratch_remove(const struct scratch *scratch);

/* A directory with all that is in it: 0, or -1. */
int remove_tree(const char *path);

#endif
