/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Copies of an image layout, file by file: cp -r LAYOUT REPOSITORY. They are no
 * images, but each blob could be taken for the archive of a tag in a repository
 * that is called blobs/sha256. They are known by two names that no image has:
 *
 *	mkdir raw, and then raw/oci-layout
 *	mkdir raw/blobs/sha256, and then a file there that is called by a digest
 */
#ifndef FS_LAYOUT_COPY_H
#define FS_LAYOUT_COPY_H

#include "base/err.h"
#include "node/node.h"

/* A file is about to get that name in a directory of repositories. -EPERM where
 * it is one of a layout; the directories that were made for it then are gone.
 */
int layout_copy_check_file(const struct node *dir, const char *name,
    struct err *err);

#endif
