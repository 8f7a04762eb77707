/* SPDX-License-Identifier: Apache-2.0 */
/* Streams that were decoded once, and what is between their checkpoints. */
#ifndef TESTS_CHECKPOINT_FIXTURE_H
#define TESTS_CHECKPOINT_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "stream/checkpoint.h"
#include "stream_samples.h"

enum { POINTS_MAX = 4096 };

/* A place with a window of its own. */
struct point {
	struct checkpoint at;
	uint8_t *window;
};

/* A stream that was decoded, and what it gave. */
struct marked {
	struct sink sink;
	enum compression compression;
	uint64_t distance;
	const uint8_t *data;
	size_t len;
	struct buf plain;
	struct point points[POINTS_MAX];
	size_t count;
};

void marked_free(struct marked **marked);

#define AUTO_MARKED CLEANUP(marked_free)

int keep(struct sink *sink, const void *data, size_t len, struct err *err);

struct marked *marked_new(enum compression compression, const struct buf *data,
    uint64_t distance);

/* Decodes it in pieces of that size, or of up to that if there is a seed. */
int feed(struct marked *marked, size_t piece, unsigned seed, struct err *err);

struct marked *mark(enum compression compression, const struct buf *data,
    uint64_t distance, size_t piece, unsigned seed);

/* What is from one point to the next: in is a copy to the byte, out has room
 * for one more. */
struct span {
	const struct checkpoint *from;
	const uint8_t *plain;
	uint8_t *in, *out;
	size_t in_len, size;
};

void span_free(struct span *span);

struct span span_of(const struct marked *marked, size_t i);

int decode(const struct marked *marked, struct span *span, size_t size);

#endif
