/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Mapped files whose pages may not come: somebody has cut the file, or the disk
 * cannot read it. The kernel sends SIGBUS to a thread that touches such a page,
 * which ends the process. In a guarded range there are zeros from that page on
 * instead, and the thread goes on. Those who read there have to tell zeros from
 * what the file should have.
 *
 * Any other SIGBUS does what it would do without us.
 */
#ifndef LAYER_GUARD_H
#define LAYER_GUARD_H

#include <stddef.h>

struct guard;

/* Guards what is mapped from `start`, a page's, until guard_remove(), which is
 * called before it is unmapped. NULL: out of memory. From any thread. */
struct guard *guard_add(const void *start, size_t size);
void guard_remove(struct guard *guard);

#endif
