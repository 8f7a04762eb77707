/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Room on the disk of the store. A blob is kept where there is some; else,
 * and where the disk cannot be written, it is read all the same (unkept.h).
 */
#ifndef STORE_ROOM_H
#define STORE_ROOM_H

#include "state.h"

/* Whether the disk has room for so many bytes, as far as it says; what nobody
 * uses makes some. 0, or -ENOSPC with a sentence. */
int room_check(struct store *store, uint64_t bytes, struct err *err);

/* Whether there is without that. */
bool room_is_free(const struct store *store, uint64_t bytes);

/* Logs that what is read is not kept, and why: once in a while, however much
 * is read. */
void room_lacks(struct store *store, const struct err *why);

#endif
