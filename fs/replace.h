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

#include "node.h"

/* unlink() of a document (document.h): whether its caller goes on to make a
 * file of that name. It then does not find the name until it has made it. */
bool replace_begin(struct node *dir, const char *name, const struct node *file);

/* Whether the caller is between the two steps. */
bool replace_is_begun(const struct node *dir, const char *name);

/* The file has been made. */
void replace_end(const struct node *dir, const char *name);

#endif
