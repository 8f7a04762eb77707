/* SPDX-License-Identifier: Apache-2.0 */
/* Who asks. */
#include "caller.h"

static _Thread_local struct caller current;

struct caller caller_now(void)
{
	return current;
}

void caller_set(const struct caller *caller)
{
	current = *caller;
}
