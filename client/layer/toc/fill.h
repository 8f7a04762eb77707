/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Gives a builder what the entries of a table of contents mean: files, and the
 * spans that their chunks are.
 */
#ifndef LAYER_TOC_FILL_H
#define LAYER_TOC_FILL_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "build/builder.h"
#include "entry.h"

struct toc_fill {
	struct builder *builder;
	uint64_t blob_end; /* the chunks' part of the blob ends here */
	uint64_t out;      /* the stream's size so far */

	/* The file whose chunks come. */
	uint64_t size, left; /* of which chunks have yet to come */
	uint64_t file_end;   /* where its last one ends in the blob; 0: not
			      * said */
	bool hidden;         /* one that is in no image */

	/* Chunks whose end in the blob is not known yet: struct layer_span. All
	 * are decoded from the same place on. */
	struct buf pending;
};

void toc_fill_init(struct toc_fill *fill, struct builder *builder,
    uint64_t blob_end);
void toc_fill_release(struct toc_fill *fill);

/* The next entry (a toc_entry_fn). -EINVAL: it makes no sense. */
int toc_fill_entry(void *fill, const struct toc_entry *entry, struct err *err);

/* There is no other one. -EINVAL: there should be. */
int toc_fill_end(struct toc_fill *fill, struct err *err);

#endif
