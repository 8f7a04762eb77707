/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Compresses one gzip member after another, each by whichever of two
 * compressors suits it. Used by one thread at a time.
 */
#ifndef STREAM_DEFLATER_H
#define STREAM_DEFLATER_H

#include <stddef.h>

#include "base/cleanup.h"
#include "base/err.h"

struct deflater;

/* level: 0 to 9 as of gzip(1); DEFLATER_DEFAULT: what an upload waits for
 * least. */
enum { DEFLATER_DEFAULT = -1, DEFLATER_LEVEL_MAX = 9 };

/* One for each thread that compresses. -ENOMEM. Freeing NULL does nothing. */
int deflater_new(int level, struct deflater **out, struct err *err);
void deflater_free(struct deflater *deflater);

DEFINE_CLEANUP(struct deflater *, deflater_free);

/* What a member of len bytes takes in the worst case. */
size_t deflater_bound(size_t len);

/* Compresses len bytes into out, which has room for deflater_bound(len). How
 * many it took; it cannot fail. */
size_t deflater_gzip(struct deflater *deflater, const void *in, size_t len,
    void *out);

#endif
