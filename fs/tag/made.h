/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Directories that mkdir made and no registry knows yet: a repository exists
 * from its first tag on.
 */
#ifndef FS_MADE_H
#define FS_MADE_H

#include <stdbool.h>

#include "node/dirlist.h"

struct made;

/* The directories that mkdir has made in a mount. NULL: out of memory, err
 * filled. */
struct made *made_new(struct err *err);
void made_free(struct made *made);

/* Adds a repository by its name, which may be there already (-ENOMEM); whether
 * it is there. From any thread. */
int made_add(struct made *made, const char *repository, struct err *err);
bool made_has(struct made *made, const char *repository);

/* False if it was not there. */
bool made_remove(struct made *made, const char *repository);

/* Calls each() for the directories right below parent ("" for the top). */
int made_children(struct made *made, const char *parent,
    int (*each)(void *arg, const char *name, struct err *err), void *arg,
    struct err *err);

#endif
