/* SPDX-License-Identifier: Apache-2.0 */
/* README, in the place of repositories that a registry does not list. */
#ifndef FS_VIEWS_README_H
#define FS_VIEWS_README_H

#include "node/view.h"

/* Adds it to the list of a directory of repositories in which nothing else is,
 * if that is the top of a source that does not list them. */
int readme_list(struct node *dir, struct dirlist *out, struct err *err);

/* It by its name in such a directory, empty or not: 1, or 0 where it is not
 * there. lookup finds out whether the source lists; child knows. */
int readme_lookup(struct node *dir, const char *name, struct node **out,
    struct err *err);
int readme_child(struct node *dir, const char *name, struct node **out,
    struct err *err);

#endif
