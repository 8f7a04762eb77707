/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whole blobs on the disk, and what is believed of them.
 *
 * After a power cut a file may have its name and its size but not its bytes,
 * unless it was synced before it got the name, and disks forget bits. Small
 * blobs are hashed whenever they are opened, which costs less than syncing each
 * of them. Large ones are synced, and what is read of them is compared with
 * checksums (sums.h). Where these are missing the blob has to be hashed before
 * it is believed: it was kept by an earlier version, or on a full disk.
 */
#ifndef STORE_WHOLE_H
#define STORE_WHOLE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "oci/digest.h"
#include "openfile.h"

/*
 * Opens the blob, and marks it as in use and as used now: 1, or 0 where it
 * is not kept. A damaged file is removed and is 0. It may have to be hashed
 * still: whole_is_proven().
 */
int whole_open(const char *path, const struct digest *digest, uint64_t size,
    struct openfile **out, struct err *err);

/* Appends the blob to out, its digest checked; else the same. */
int whole_load(const char *path, const struct digest *digest, struct buf *out,
    struct err *err);

/* Whether a blob of that size has checksums, and is not hashed when opened. */
bool whole_is_large(uint64_t size);

/* Hashes the file of a small blob again: 0, or -EBADMSG. */
int whole_check(const struct openfile *file, uint64_t size,
    const struct digest *digest, struct err *err);

/* Whether what is read from the file is compared with something. */
bool whole_is_proven(const struct openfile *file, uint64_t size);

/*
 * Before the file gets its name: appends the checksums (NULL: not known) of a
 * large blob to it, if there is room, and makes its bytes stay. How many
 * bytes the file has then.
 */
int64_t whole_seal(int fd, uint64_t size, const struct sums *sums,
    struct err *err);

/* The same for a file that has its name already, and was hashed since: its
 * checksums are written if they can be. */
void whole_note_sums(const char *path, const struct openfile *file);

/* Removes the file, because of `why`, if it still is the one at that path. */
int whole_drop(const char *path, const struct openfile *file,
    const struct err *why, struct err *err);

#endif
