/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tags made, moved and removed by operations on names: ln -s, mv, rm, rmdir.
 * Directories of repositories and of images share them.
 */
#ifndef FS_TAGS_H
#define FS_TAGS_H

#include <stdbool.h>

#include "node/node.h"

/* `ln -s PATH NAME` in a repository: the tag that NAME says becomes the image
 * that PATH leads to. */
int tags_link(struct node *dir, const char *name, const char *path,
    struct node **out, struct err *err);

/* The same inside the directory of an image, as ln does where that is there
 * already, under the last name in PATH: it is this tag that changes. PATH is
 * seen from the repository, as
 * who types it sees it, or else from the directory. */
int tags_link_inside(struct node *image_dir, const char *name, const char *path,
    struct node **out, struct err *err);

/* rename(): of a name in a repository that is a tag. Flags are renameat2(2)'s.
 * -EPERM where the mount does not delete. */
int tags_move(struct node *dir, const char *name, struct node *to_dir,
    const char *to_name, unsigned flags, struct err *err);

/* unlink() of a file that can be written to change an image: whether it is the
 * first half of a replacement (habits/habits.h), and so removes nothing. */
bool tags_replaces(struct node *dir, const char *name);

/* unlink() of a tag's archive, rmdir() of its directory, or of a repository
 * without tags. -EPERM, -ENOTEMPTY. */
int tags_unlink(struct node *dir, const char *name, struct err *err);
int tags_rmdir(struct node *dir, const char *name, struct err *err);

#endif
