/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Checksums of a blob's blocks, by which what is read from its file is compared
 * with what once had the right digest. They are against disks that forget, and
 * not against anybody who could write the file: that is its owner alone.
 *
 * They are taken while the blob is hashed, and follow it in its file:
 *
 *	the blob | a checksum a block | struct sums_end
 *
 * A file may end with less than that, after a crash or on a full disk: then
 * nothing is known of the blob in it but its size.
 */
#ifndef STORE_SUMS_H
#define STORE_SUMS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/cleanup.h"
#include "base/err.h"

/* What the kernel reads at a time of a file that is read in order. */
enum { SUMS_BLOCK = 128 * 1024 };

struct sums;

/* Of no byte yet. */
struct sums *sums_new(struct err *err);
void sums_free(struct sums *sums);

DEFINE_CLEANUP(struct sums *, sums_free);

/* The blob's next bytes. -ENOMEM. */
int sums_add(struct sums *sums, const void *data, size_t len, struct err *err);

/* Those of the first size bytes of a file. */
int sums_of_file(int fd, uint64_t size, struct sums **out, struct err *err);

/* What they take in the file of a blob of that size. */
uint64_t sums_room(uint64_t size);

/* Appends them to the blob that they are of, all of which was added. */
int sums_write(const struct sums *sums, int fd, struct err *err);

/* Of all of a blob that was added: so that each block is compared once, and not
 * each time that it is read, which is what happens where there is no memory. */
void sums_note(struct sums *sums);

/* The blob's file has changed: no block counts as compared any more. */
void sums_forget(struct sums *sums);

/*
 * Reads those of a blob of that size: 1, or 0 where the file has no complete
 * set. No block of the blob counts as compared then.
 */
int sums_load(int fd, uint64_t size, struct sums **out, struct err *err);

/* The size of the blob in a file of that size, by what stands at its end; the
 * file's own where there are no checksums. */
int sums_blob_size(int fd, uint64_t file_size, uint64_t *out, struct err *err);

/*
 * Reads len bytes of the blob at off, all of them inside it. Each block that
 * has some of them is compared, unless it was before. -EBADMSG where one is
 * wrong, -EIO where the file ends before.
 */
int sums_read(struct sums *sums, int fd, void *data, size_t len, uint64_t off,
    struct err *err);

#endif
