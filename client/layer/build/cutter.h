/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Cuts a layer into spans while it is decoded: between two places from which
 * decoding can begin lies a span, and its digest is that of its bytes in the
 * blob.
 */
#ifndef LAYER_CUTTER_H
#define LAYER_CUTTER_H

#include "builder.h"
#include "store/store.h"
#include "stream/checkpoint.h"

struct cutter {
	struct blob *blob;
	struct builder *builder;
	bool started;
	struct checkpoint last; /* its window is the one below */
	uint8_t window[CHECKPOINT_WINDOW];
};

/* The next place; what lies before it becomes a span. -EOVERFLOW for one that
 * is too long; errors of blob_read(). */
int cutter_cut(struct cutter *cutter, const struct checkpoint *point,
    struct err *err);

/* -EOVERFLOW if a span that went on to that decoded byte would be too long. */
int cutter_check(const struct cutter *cutter, uint64_t out, struct err *err);

#endif
