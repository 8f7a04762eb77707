/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Paths inside the mount, as symbolic links name what they lead to: walked by
 * the views' own lookups, so that every form of the path grammar is understood.
 */
#ifndef FS_WALK_H
#define FS_WALK_H

#include "image/images.h"
#include "mount.h"

/*
 * The image that a path leads to, from the directory of a source's repository
 * (a full name; "" the top of an unrestricted mount): its directory or its
 * archive. It may begin at the mount point, and ".." ends there. -ENOENT;
 * -EINVAL for a path out of the mount, and for what is no image.
 */
int walk_image(struct mount_source *source, const char *repository,
    const char *path, struct image **out, struct err *err);

/* The path of a node from the mount point, "" of that itself: a new string.
 * NULL where it has none of its own (contents, what is in scratch directories),
 * and when out of memory. */
char *node_path(const struct node *node);

/* That of a name in the directory of a path; NULL when out of memory. */
char *node_path_in(const char *path, const char *name);

#endif
