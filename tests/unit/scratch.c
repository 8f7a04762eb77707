/* SPDX-License-Identifier: Apache-2.0 */
#include "scratch.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>

int scratch_make(struct scratch *scratch)
{
	snprintf(scratch->path, sizeof(scratch->path), "%s",
	    "/tmp/test-scratch-XXXXXX");
	return mkdtemp(scratch->path) ? 0 : -1;
}

static int remove_entry(const char *path, const struct stat *st, int type,
    struct FTW *where)
{
	(void)st;
	(void)type;
	(void)where;
	return remove(path);
}

int remove_tree(const char *path)
{
	return nftw(path, remove_entry, 8, FTW_DEPTH | FTW_PHYS);
}

int scratch_remove(const struct scratch *scratch)
{
	return remove_tree(scratch->path);
}
