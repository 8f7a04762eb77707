/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Keeping the directory below its limit. Every process that uses it does so,
 * and nothing but the files tells them of each other: the time of the last use
 * is a file's mtime, and whoever has one open holds a lock on it.
 */
#ifndef STORE_EVICT_H
#define STORE_EVICT_H

#include "state.h"

/*
 * Counts what is there and removes blobs, and parts of blobs, that nobody uses,
 * the least recently used first, and then what was derived from blobs: until a
 * step below the limit is reached and, if the disk is full, `need` bytes are
 * free. Removes old leftovers as well.
 */
void evict(struct store *store, uint64_t need);

#endif
