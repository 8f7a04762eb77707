/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A file that somebody writes: its bytes on the local disk, and how far it is
 * there without a gap, so that it can be read after the writer.
 */
#ifndef IMAGE_SPOOL_H
#define IMAGE_SPOOL_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "store/store.h"

struct spool;

/* Empty. The file is an unnamed one of the store's. */
int spool_new(struct store *store, struct spool **out, struct err *err);
void spool_free(struct spool *spool);

DEFINE_CLEANUP(struct spool *, spool_free);

int spool_fd(const struct spool *spool); /* borrowed */

/* The bytes of the file, gaps included. */
uint64_t spool_size(struct spool *spool);

/* Bytes from the start that are there without a gap. */
uint64_t spool_prefix(struct spool *spool);

/* -ENOSPC, -EIO, …; -EFBIG also for too many gaps. */
int spool_write(struct spool *spool, const void *data, size_t len, uint64_t off,
    struct err *err);
ssize_t spool_read(struct spool *spool, void *data, size_t len, uint64_t off,
    struct err *err);

/* Whether all that is in the other one stands at the start of this one. */
bool spool_begins_with(struct spool *spool, struct spool *other);

/*
 * Cuts, or extends by a gap: tools set the size before they write as well as
 * after it.
 */
int spool_truncate(struct spool *spool, uint64_t size, struct err *err);

/* From now on gaps count as written: they were found to be holes of the
 * writer's source, that is, zeros. */
int spool_fill(struct spool *spool, struct err *err);

/*
 * Counts how often bytes below spool_prefix() were written again or cut off:
 * a reader of them has to start again when it changes.
 */
unsigned spool_generation(struct spool *spool);

#endif
