/* SPDX-License-Identifier: Apache-2.0 */
/* Readers that wait for bytes of a blob. */
#ifndef STORE_AWAIT_H
#define STORE_AWAIT_H

#include "entry.h"

/*
 * Waits until the bytes from off to end, and where the blob is kept all before,
 * may be read. In the monitor; starts a fetch where none is under way.
 */
int entry_await(struct entry *entry, uint64_t off, uint64_t end,
    struct err *err);

#endif
