/* SPDX-License-Identifier: Apache-2.0 */
/* The blobs of one layout, whose directory is `dir` ("": the top). */
#ifndef CLIENT_LAYOUT_BLOBS_H
#define CLIENT_LAYOUT_BLOBS_H

#include "state.h"

/* Opens a blob for reading: its descriptor, with its size in *size. -ENOENT
 * where the layout does not have it; -EIO where that is no file. */
int layout_blob_open(struct layout_source *layouts, const char *dir,
    const struct digest *digest, uint64_t *size, struct err *err);

/* Whether it has one: 1, or 0; of that size, if it is not UINT64_MAX. */
int layout_blob_exists(struct layout_source *layouts, const char *dir,
    const struct digest *digest, uint64_t size, struct err *err);

/* Reads a whole small blob, whose digest is compared: -EBADMSG. -EFBIG past
 * out's limit. */
int layout_blob_load(struct layout_source *layouts, const char *dir,
    const struct digest *digest, struct buf *out, struct err *err);

/* Writes a blob, whose bytes have to have the digest (-EBADMSG). It has its
 * name when it is on the disk. */
int layout_blob_store(struct layout_source *layouts, const char *dir,
    const struct digest *digest, const struct payload *payload,
    struct err *err);

/* Gives it a second name in another layout: 1, or 0 where the file system would
 * not. */
int layout_blob_link(struct layout_source *layouts, const char *from,
    const char *to, const struct digest *digest, struct err *err);

/* Removes it, if it is there. */
int layout_blob_remove(struct layout_source *layouts, const char *dir,
    const struct digest *digest, struct err *err);

#endif
