/* SPDX-License-Identifier: Apache-2.0 */
/* Files on the local disk: whole reads and writes, and directories. */
#ifndef BASE_FILE_H
#define BASE_FILE_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/buf.h"
#include "base/err.h"

/* Creates path and what is missing above it, mode for each. 0 or -errno. */
int file_mkdirs(const char *path, mode_t mode, struct err *err);

/* Appends the whole file to out; -EFBIG past out's limit, -ENOENT plain. */
int file_slurp(const char *path, struct buf *out, struct err *err);

/* Writes all of it at off; 0 or -errno (-ENOSPC, -EDQUOT, -EIO). */
int file_pwrite(int fd, const void *data, size_t len, uint64_t off,
    struct err *err);

/* Reads up to len bytes at off; short only at the end of the file. */
ssize_t file_pread(int fd, void *data, size_t len, uint64_t off,
    struct err *err);

/*
 * An unnamed file in dir (O_TMPFILE, or created and unlinked where the file
 * system has none), read-write and close-on-exec. The descriptor or -errno.
 */
int file_temp(const char *dir, struct err *err);

/* The user's home directory, as $HOME says or else the user database (mount(8)
 * leaves no $HOME). A new string; "/" where nobody knows, NULL when out of
 * memory. */
char *file_home(void);

#endif
