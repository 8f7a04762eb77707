/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The directories of a tree of layouts. Links are followed, and other file
 * systems that are mounted in the tree belong to it: their user, who mounted
 * them there, waits for them as for the disk itself. But a mount of registryfs
 * is left out. It is no directory of layouts, and it may show this very tree,
 * or one that is mounted in this tree: each would wait for the other. Nothing
 * is asked of it, not even what its attributes are.
 */
#ifndef CLIENT_LAYOUT_TREE_H
#define CLIENT_LAYOUT_TREE_H

#include "state.h"

/* Opens a directory of the tree ("": the top), from which others are opened
 * (O_PATH). -ENOENT where it is missing; -EXDEV where a registryfs is mounted
 * there or on the way; and what else the file system says. */
int tree_open(struct layout_source *layouts, const char *path, struct err *err);

/* The same for a list of its names. */
int tree_open_list(struct layout_source *layouts, const char *path,
    struct err *err);

/* Whether a directory has the two files of a layout: 1, 0, or what is known of
 * neither: -EACCES, with a sentence. */
int tree_has_layout(struct layout_source *layouts, const char *dir,
    struct err *err);

#endif
