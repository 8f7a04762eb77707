/* SPDX-License-Identifier: Apache-2.0 */
/* Files in the spool: named there first, so that the name that counts can be
 * given by renaming them. */
#ifndef STORE_SPOOL_H
#define STORE_SPOOL_H

#include <stdint.h>

#include "base/err.h"

/* Copies size bytes of an open file to a new one, whose path *path is set to:
 * its descriptor. */
int spool_copy(const char *dir, int fd, uint64_t size, char **path,
    struct err *err);

/*
 * Gives an open file without a name one that *path is set to; a copy of it,
 * where that is not possible.
 */
int spool_name(const char *dir, int fd, char **path, struct err *err);

#endif
