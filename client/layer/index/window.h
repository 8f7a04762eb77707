/* SPDX-License-Identifier: Apache-2.0 */
/* The windows of checkpoints, which shrink to a third when they are packed. */
#ifndef LAYER_WINDOW_H
#define LAYER_WINDOW_H

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"

/* Appends the window's packed form. */
int window_pack(const void *window, size_t len, struct buf *out,
    struct err *err);

/* Unpacks into out, of size bytes: how many there are. -EBADMSG. */
int window_unpack(const void *packed, size_t packed_len, void *out, size_t size,
    struct err *err);

#endif
