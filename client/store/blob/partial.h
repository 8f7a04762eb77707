/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The file of a blob that is not whole. Who fetches it holds its lock, so that
 * of all processes that share the directory one does. The lock goes with its
 * holder, and the next one continues from what is there.
 */
#ifndef STORE_PARTIAL_H
#define STORE_PARTIAL_H

#include "entry.h"

/*
 * Makes the blob's file the entry's, locked: 1, with the bytes that an earlier
 * fetch left in *left. Waits while another process fetches, and lets the
 * entry's readers have what arrives there; 0 if the blob is there whole, and is
 * the entry's file then, proven or not (whole.h). -ECANCELED when nobody wants
 * it any more.
 */
int partial_take(struct entry *entry, uint64_t *left, struct err *err);

/* Another may go on. */
void partial_leave(struct entry *entry);

/* Removes the file; the next fetch begins with a new one. */
void partial_drop(struct entry *entry);

/* Bytes there, whoever fetches them. */
uint64_t partial_size(const struct entry *entry);

#endif
