/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Files that are replaced by being removed and made again, as mv (from another
 * file system) and install do it. The removal by itself would remove a tag, or
 * be refused; but what these programs mean is one step, at whose end the tag
 * names the new image, and the old one where it fails.
 *
 * The system calls of a removal and of a replacement are the same up to there,
 * so it is the program's name that tells. mv removes, too, when it moves out of
 * the mount: it has then read the file before.
 */
#ifndef FS_REPLACE_H
#define FS_REPLACE_H

#include <stdbool.h>

#include "node/node.h"

/* unlink() of a document (document.h) that its caller has not read: whether the
 * caller goes on to make a file of that name. It then does not find the name
 * until it has made it. */
bool replace_begin(struct node *dir, const char *name);

/* Whether the caller is between the two steps. */
bool replace_is_begun(const struct node *dir, const char *name);

/* The file has been made. */
void replace_end(const struct node *dir, const char *name);

/*
 * A part of a tag's image is about to be replaced. rsync brings the directory
 * of another image file by file and leaves out what it takes to be the same:
 * what came out would be an image that nobody has. -EPERM where it is rsync
 * that asks.
 */
int replace_check_part(const char *name, const char *repository,
    const char *tag, struct err *err);

#endif
