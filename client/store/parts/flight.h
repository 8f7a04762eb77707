/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A request for blocks of a blob that lie side by side, carried out in a thread
 * of the store. It goes on when a reader loses interest: others may have come,
 * and it ends soon. All functions are called in the parts' monitor.
 */
#ifndef STORE_FLIGHT_H
#define STORE_FLIGHT_H

#include "partset.h"

/* Begins to bring these blocks, which no other flight brings. */
int flight_start(struct parts *parts, uint64_t first, uint64_t last,
    struct err *err);

/* Whether the block is still to come in one of the flights. */
bool flight_brings(const struct parts *parts, uint64_t block);

/*
 * Waits until the flight that brings the first block has brought what it brings
 * of the range, or has nobody to bring it for. 1 where the disk has no room for
 * it; -EINTR, or what it failed with.
 */
int flight_await(struct parts *parts, uint64_t first, uint64_t last,
    struct err *err);

#endif
