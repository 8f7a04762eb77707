/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Handles of files that nobody opens: files in layers, and on a mount that is
 * read-only, where the kernel is told to open files by itself, all. Where a
 * view needs something open to read from, that is opened at the first read and
 * kept while others are not needed more.
 */
#ifndef FS_BORROW_H
#define FS_BORROW_H

#include <pthread.h>

#include "op.h"

struct borrowed;

/* The handles of a mount. NULL: out of memory, err filled. */
struct borrowed *borrowed_new(struct err *err);
/* The handles in it are closed with all others of the mount. */
void borrowed_free(struct borrowed *borrowed);

/* The handle of a file, to be given back; NULL: op->err says why. */
struct handle *borrow(struct op *op, fuse_ino_t ino);
void borrow_return(struct mount *mount, struct handle *handle);

#endif
