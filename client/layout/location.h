/* SPDX-License-Identifier: Apache-2.0 */
/* Which layout a repository is in. */
#ifndef CLIENT_LAYOUT_LOCATION_H
#define CLIENT_LAYOUT_LOCATION_H

#include "state.h"

struct location {
	char dir[REPOSITORY_MAX + 1];   /* of the layout, "": the top */
	char inner[REPOSITORY_MAX + 1]; /* the repository in its index.json */
	struct layout_state *state;     /* what that says */
};

/* Gives back what it holds; a zeroed one holds nothing. */
void location_release(struct location *location);

/* Where a repository is. -ENOENT; to be released also then. */
int location_find(struct layout_source *layouts, const char *repository,
    struct location *out, struct err *err);

/* Where one is or is going to be, whose layout is made if need be. -EINVAL
 * where it cannot be in this tree. */
int location_make(struct layout_source *layouts, const char *repository,
    struct location *out, struct err *err);

/* Reads its index.json again. */
int location_refresh(struct layout_source *layouts, struct location *location,
    struct err *err);

#endif
