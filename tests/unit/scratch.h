/* SPDX-License-Identifier: Apache-2.0 */
/* A directory of a test's own, and its end. */
#ifndef TESTS_UNIT_SCRATCH_H
#define TESTS_UNIT_SCRATCH_H

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>

struct scratch {
	char path[64];
};

/* 0, or -1 as a cmocka fixture function has it. */
static inline int scratch_make(struct scratch *scratch)
{
	snprintf(scratch->path, sizeof(scratch->path), "%s",
	    "/tmp/test-scratch-XXXXXX");
	return mkdtemp(scratch->path) ? 0 : -1;
}

static inline int scratch_remove_entry(const char *path, const struct stat *st,
    int type, struct FTW *where)
{
	(void)st;
	(void)type;
	(void)where;
	return remove(path);
}

static inline int scratch_remove(const struct scratch *scratch)
{
	return nftw(scratch->path, scratch_remove_entry, 8,
	    FTW_DEPTH | FTW_PHYS);
}

#endif
