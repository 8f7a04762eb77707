/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The memory for large windows. A stream can ask for a window of up to 128 MiB,
 * and many are decoded side by side: the windows of an account take as much
 * together as WINDOWS_TOTAL, or as one that is larger. Who asks for more waits
 * for its turn, and all are served in the order in which they asked.
 *
 * The holder of a window waits for nothing that waits for a window of the same
 * account, and not for a network or a program, which can take for ever.
 */
#ifndef STREAM_WINDOWS_H
#define STREAM_WINDOWS_H

#include <stdint.h>

#include "base/err.h"
#include "base/task.h"

#define WINDOWS_TOTAL (UINT64_C(64) << 20)

struct windows {
	struct monitor monitor;
	/* In the monitor. */
	uint64_t in_use;
	struct windows_turn *first, *last; /* those that wait */
};

/* Of all decoders of the process that read layers. */
extern struct windows windows_of_layers;

/* Of those in the threads of the store that fetch. They have an account of
 * their own, as one with a window of the other can have to wait for them. */
extern struct windows windows_of_fetches;

/* Waits until there is room for so many bytes. 0, and they are to be given
 * back; or -EINTR. The wait is not one for the network (base/budget.h). */
int windows_take(struct windows *windows, uint64_t bytes, struct err *err);

/* Gives so many bytes back. */
void windows_give(struct windows *windows, uint64_t bytes);

#endif
