/* SPDX-License-Identifier: Apache-2.0 */
/* From the blob to a span's decoded bytes. */
#ifndef LAYER_UNPACK_H
#define LAYER_UNPACK_H

#include <stdint.h>

#include "base/err.h"

struct layer;
struct layer_span;

/*
 * Fetches, verifies and decodes a span into out, which has room for out_len
 * bytes. Bytes that are wrong are fetched once more, then -EBADMSG.
 */
int unpack_span(struct layer *layer, const struct layer_span *span,
    uint64_t window, uint8_t *out, struct err *err);

/* The same without decoding, of a span that is vouched for as it stands in the
 * blob: in_len bytes. */
int unpack_stored(struct layer *layer, const struct layer_span *span,
    uint64_t window, uint8_t *out, struct err *err);

#endif
