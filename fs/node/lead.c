/* SPDX-License-Identifier: Apache-2.0 */
/* Whether a thread leads, bound to the thread. */
#include "lead.h"

#include <stddef.h>

static _Thread_local struct lead {
	void (*give)(void *arg); /* NULL: it does not lead */
	void *arg;
} held;

void lead_take(void (*give)(void *arg), void *arg)
{
	held = (struct lead){give, arg};
}

void lead_drop(void)
{
	held = (struct lead){NULL, NULL};
}

bool lead_is_held(void)
{
	return held.give != NULL;
}

void lead_give(void)
{
	struct lead lead = held;

	if (!lead.give)
		return;
	lead_drop();
	lead.give(lead.arg);
}
