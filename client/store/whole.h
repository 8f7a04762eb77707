/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whole blobs on the disk, and what is believed of them.
 *
 * After a power cut a file may have its name and its size but not its bytes,
 * unless it was synced before it got the name. Large blobs are: for them the
 * size is then proof enough. Small ones are hashed whenever they are opened
 * instead, which costs less than syncing each of them.
 */
#ifndef STORE_WHOLE_H
#define STORE_WHOLE_H

#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "oci/digest.h"
#include "openfile.h"

/*
 * Opens the blob, and marks it as in use and as used now: 1, or 0 where there
 * is none. A damaged file is removed and is 0.
 */
int whole_open(const char *path, const struct digest *digest, uint64_t size,
    struct openfile **out, struct err *err);

/* Appends the blob to out, its digest checked; else the same. */
int whole_load(const char *path, const struct digest *digest, struct buf *out,
    struct err *err);

/* Before the file gets its name: makes its bytes stay, if size asks for it. */
int whole_sync(int fd, uint64_t size, struct err *err);

#endif
