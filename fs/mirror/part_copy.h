/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Copies of one directory of an image: cp -r app/1.0/layers app/copy. They are
 * no images, but the files of layers/ can be taken for archives, and so be
 * pushed as tags of a new repository, and all directories be taken for
 * repositories to come. They are known by what the program has just done:
 *
 *	mkdir app/copy, and then a list of app/1.0/layers     cp, busybox
 *	mkdir app/copy, and then app/copy/01.tar.gz           all others
 *
 * The latter is all that there is where the source is on another mount or on a
 * disk, and where the program lists it before.
 */
#ifndef FS_PART_COPY_H
#define FS_PART_COPY_H

#include "base/err.h"
#include "node/node.h"

/* A directory is about to be listed. -EPERM where that would fill one that the
 * caller has made for it, which then is gone. */
int part_copy_check_list(const struct node *dir, struct err *err);

/* A file is about to get that name in a directory of repositories. -EPERM where
 * it is one of layers/. */
int part_copy_check_file(const struct node *dir, const char *name,
    struct err *err);

#endif
