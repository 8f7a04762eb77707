/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The pass over a whole layer that makes its index, while the layer arrives.
 */
#ifndef LAYER_PASS_H
#define LAYER_PASS_H

#include <stdbool.h>

#include "builder.h"
#include "store/store.h"

struct pass_job {
	struct store *store;
	struct blob *blob; /* borrowed */
	const struct digest *digest;
	/* Whether it is still worth while; asked between pieces. */
	bool (*wanted)(void *arg, uint64_t done);
	void *arg;
};

/*
 * Adds the layer's entries and spans to the builder, which is empty, and fills
 * facts. Returns 0 only when the blob's digest came out right. -EIO where it is
 * no tar, -ECANCELED where it is not wanted any more, and errors of
 * blob_read().
 *
 * A stream that cannot be entered often enough, or takes long to decode:
 * -EOVERFLOW, and the pass is to be made again with whole_stream, which decodes
 * the stream into the store.
 */
int pass_run(const struct pass_job *job, bool whole_stream,
    struct builder *builder, struct layer_facts *facts, struct err *err);

#endif
