/* SPDX-License-Identifier: Apache-2.0 */
/* The turns of decoders with large windows. */
#include "stream/windows.h"

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>

#define WINDOWS_INIT \
	{ \
		.monitor = \
		{ PTHREAD_MUTEX_INITIALIZER, \
			PTHREAD_COND_INITIALIZER } \
	}

struct windows windows_of_layers = WINDOWS_INIT;
struct windows windows_of_fetches = WINDOWS_INIT;

/* One that waits. */
struct windows_turn {
	struct windows_turn *before, *after;
};

static void queue(struct windows *windows, struct windows_turn *turn)
{
	turn->before = windows->last;
	if (windows->last)
		windows->last->after = turn;
	else
		windows->first = turn;
	windows->last = turn;
}

static void unqueue(struct windows *windows, struct windows_turn *turn)
{
	if (turn->before)
		turn->before->after = turn->after;
	else
		windows->first = turn->after;
	if (turn->after)
		turn->after->before = turn->before;
	else
		windows->last = turn->before;
}

/* One alone goes on, whatever it asks for. */
static bool has_room(const struct windows *windows, uint64_t bytes)
{
	return windows->in_use == 0 ||
	       (windows->in_use <= WINDOWS_TOTAL &&
		   bytes <= WINDOWS_TOTAL - windows->in_use);
}

int windows_take(struct windows *windows, uint64_t bytes, struct err *err)
{
	struct windows_turn turn = {NULL, NULL};
	int r = 0;

	monitor_enter(&windows->monitor);
	queue(windows, &turn);
	while (r == 0 && (windows->first != &turn || !has_room(windows, bytes)))
		r = monitor_wait(&windows->monitor);
	unqueue(windows, &turn);
	if (r == 0)
		windows->in_use += bytes;
	/* The next one may fit beside it, or be the first now. */
	monitor_notify(&windows->monitor);
	monitor_leave(&windows->monitor);
	return r < 0 ? err_set(err, EINTR, "interrupted before it was decoded")
		     : 0;
}

void windows_give(struct windows *windows, uint64_t bytes)
{
	if (bytes == 0)
		return;
	monitor_enter(&windows->monitor);
	windows->in_use -= bytes;
	monitor_notify(&windows->monitor);
	monitor_leave(&windows->monitor);
}
