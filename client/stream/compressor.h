/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Compresses one piece after another, each to a gzip member or a zstd frame.
 * Used by one thread at a time.
 */
#ifndef STREAM_COMPRESSOR_H
#define STREAM_COMPRESSOR_H

#include <stddef.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "stream/compression.h"

struct compressor;

/* A level as compression.h has them. */
int compressor_new(enum compression compression, int level,
    struct compressor **out, struct err *err);
void compressor_free(struct compressor *compressor);

DEFINE_CLEANUP(struct compressor *, compressor_free);

/* What a piece of len bytes takes in the worst case. */
size_t compressor_bound(const struct compressor *compressor, size_t len);

/* Compresses len bytes into out, which has room for compressor_bound(len). How
 * many it took; 0 when out of memory. */
size_t compressor_run(struct compressor *compressor, const void *in, size_t len,
    void *out);

#endif
