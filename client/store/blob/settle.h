/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Giving a verified blob its name. Its readers do not wait for that: until the
 * bytes are on the disk the file stays a partial one, and after a crash is
 * hashed again like any other; a name promises that the bytes are there.
 */
#ifndef STORE_SETTLE_H
#define STORE_SETTLE_H

#include "entry.h"

/* In the background, if there can be one. The file is the partial one, locked,
 * and verified. */
void settle_start(struct entry *entry, struct openfile *file);

#endif
