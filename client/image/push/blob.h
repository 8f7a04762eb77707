/* SPDX-License-Identifier: Apache-2.0 */
/* A push's blobs, one by one: what the registry has is not sent. */
#ifndef IMAGE_PUSH_BLOB_H
#define IMAGE_PUSH_BLOB_H

#include <stdbool.h>

#include "base/payload.h"
#include "image/push.h"

/* 1: the repository has the blob, or has it now from another repository that
 * was known to; 0: it does not. */
int push_blob_find(const struct tag_ref *target, const struct digest *digest,
    uint64_t size, struct err *err);

/* Makes sure that the repository has the blob whose bytes are `body`. 1 if it
 * had to be sent, 0 if not. */
int push_blob_put(const struct tag_ref *target, const struct digest *digest,
    const struct payload *body, struct err *err);

#endif
