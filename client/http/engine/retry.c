/* SPDX-License-Identifier: Apache-2.0 */
/* What to try again, and when. */
#include "retry.h"

#include <errno.h>
#include <stddef.h>

enum {
	/* A server that drops one connection takes the next at once. */
	FIRST_WAIT = 200, /* ms */
	/* A restart takes some seconds; a user waits. */
	LONGEST_WAIT = 10 * 1000, /* ms */
};

bool retry_helps_error(int code)
{
	/* Not ETIMEDOUT: whoever waited as long as the user allows has waited
	 * enough. */
	return code == ECONNREFUSED || code == EHOSTUNREACH ||
	       code == ECONNRESET;
}

bool retry_is_patient(int code)
{
	return code == ECONNREFUSED || code == EHOSTUNREACH ||
	       code == ETIMEDOUT;
}

bool retry_helps_status(int status)
{
	static const int passing[] = {408, 429, 500, 502, 503, 504};

	for (size_t i = 0; i < sizeof(passing) / sizeof(passing[0]); i++)
		if (passing[i] == status)
			return true;
	return false;
}

uint64_t retry_backoff(unsigned attempts, uint32_t random)
{
	uint64_t wait = FIRST_WAIT;

	while (attempts-- > 1 && wait < LONGEST_WAIT)
		wait *= 2;
	if (wait > LONGEST_WAIT)
		wait = LONGEST_WAIT;
	return wait / 2 + random % (wait / 2);
}
