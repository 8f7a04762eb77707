/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The names of a tree that is being made: which entry a path of a tar means
 * among those that there are so far.
 */
#ifndef LAYER_PATHS_H
#define LAYER_PATHS_H

#include <stdbool.h>
#include <stdint.h>

#include "builder_state.h"

/* Where a path leads: the directory and the last component in it, which may be
 * there or not; an empty name is the directory itself. */
struct path_place {
	uint32_t dir;
	char name[PATH_NAME_MAX + 1];
};

/* Takes slashes that say nothing, "." and ".." out of a path as written in a
 * tar, as engines do before they look at what is there: a ".." after a
 * symbolic link takes back the link, and none leads out. */
void paths_clean(char *path);

/*
 * Follows a path as written in a tar. create: directories on the way that are
 * missing are made, with the time of the entry that needs them. 1; 0 where it
 * leads nowhere: a name too long, symbolic links without end, or (unless
 * create) a directory that is not there; -ENOMEM, -EFBIG.
 */
int paths_follow(struct builder *builder, const char *path, bool create,
    int64_t mtime, struct path_place *out, struct err *err);

#endif
