/* SPDX-License-Identifier: Apache-2.0 */
/* Who asks. */
#include "caller.h"

#include <stdio.h>
#include <unistd.h>

static _Thread_local struct caller current;

struct caller caller_now(void)
{
	return current;
}

bool caller_is_of(pid_t thread)
{
	char path[64];

	if (thread == current.pid)
		return true;
	/* A process lists its threads, under the number of any of them. */
	snprintf(path, sizeof(path), "/proc/%d/task/%d", (int)current.pid,
	    (int)thread);
	return access(path, F_OK) == 0;
}

void caller_set(const struct caller *caller)
{
	current = *caller;
}
