/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What vbatts/tar-split says of a tar: all of its bytes but those of files, so
 * that whoever has the files can make the same tar again. containers/storage
 * wants it in a zstd:chunked layer, because it keeps no tars.
 */
#ifndef LAYER_TAR_SPLIT_H
#define LAYER_TAR_SPLIT_H

#include "base/cleanup.h"
#include "base/err.h"
#include "toc_text.h"

struct tar_split;

int tar_split_new(struct tar_split **out, struct err *err);
void tar_split_free(struct tar_split *split);

DEFINE_CLEANUP(struct tar_split *, tar_split_free);

/* The next bytes that are of no file: all between two entries at once. */
int tar_split_add(struct tar_split *split, const void *data, size_t len,
    struct err *err);

/* A file's next bytes. */
void tar_split_sum(struct tar_split *split, const void *data, size_t len);

/* An entry: its data came, if it has any. -EOPNOTSUPP as of a table. */
int tar_split_end_entry(struct tar_split *split, const char *name,
    uint64_t size, struct err *err);

/* As toc_text_end(). */
int tar_split_end(struct tar_split *split, const struct buf **out,
    uint64_t *size, struct err *err);

#endif
