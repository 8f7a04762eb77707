/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An excerpt of what a layer decodes to, as a blob of the store: it is decoded
 * when the store fetches it, and where the store has no room for it, as often
 * as it is read. What it is decoded from is not compared with anything: a
 * reader who hears that the excerpt is wrong drops it (store/parts.h).
 */
#ifndef LAYER_EXCERPT_H
#define LAYER_EXCERPT_H

#include "state.h"

struct excerpt_range {
	uint64_t in, in_len;    /* in the layer's blob */
	uint64_t skip, out_len; /* what it is of what that decodes to */
};

/* The blob, whose digest is the caller's word. Nothing is decoded yet. */
int excerpt_open(struct layer *layer, const struct excerpt_range *range,
    const struct digest *digest, struct blob **out, struct err *err);

#endif
