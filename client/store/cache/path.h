/* SPDX-License-Identifier: Apache-2.0 */
/* Names in the store's directory; what is above them is made when it is
 * missing, so that a user may clear the directory under a running mount. */
#ifndef STORE_PATH_H
#define STORE_PATH_H

#include <stdbool.h>

#include "base/err.h"
#include "oci/digest.h"

/* Where a blob is once it is whole, and while it arrives. NULL: no memory. */
char *path_whole(const char *dir, const struct digest *digest);
char *path_partial(const char *dir, const struct digest *digest);
/* And where parts of it are. */
char *path_parts(const char *dir, const struct digest *digest);

/*
 * Passes on the failure r of a system call on a file of the store, which err
 * tells of. What is wrong with its path is -EIO: a program would take it for an
 * answer about the name that it asked for.
 */
int path_fault(int r, struct err *err);

/* A file name of its own: no separator, and not a name of a directory. */
int path_check_name(const char *name, struct err *err);

/* Opens for reading and writing, created if need be. */
int path_open(const char *path, struct err *err);

/* A new file with a name of its own in the spool, which *path is set to. */
int path_spool(const char *dir, char **path, struct err *err);

/* Replaces what is at `to`. */
int path_rename(const char *from, const char *to, struct err *err);

/* Names an open file without one. 1, or 0 if that is not possible here and
 * the bytes have to be copied; a file that is there already is 1. */
int path_link(int fd, const char *to, struct err *err);

/* The same where nothing is at `to`, in a directory that is there. */
bool path_link_new(int fd, const char *to);

#endif
