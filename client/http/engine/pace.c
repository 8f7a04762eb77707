/* SPDX-License-Identifier: Apache-2.0 */
/* The pace of a transfer. */
#include "pace.h"

void pace_start(struct pace *pace, uint64_t now)
{
	pace->runs = true;
	pace->at = now;
	pace->left = pace->patience;
}

uint64_t pace_lost(const struct pace *pace)
{
	uint64_t unpaid = pace->lost > pace->good ? pace->lost - pace->good : 0;

	return unpaid + pace->spent;
}

uint64_t pace_beyond(const struct pace *pace)
{
	return pace->spent > pace->patience ? pace->spent - pace->patience : 0;
}

static uint64_t least(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

/* How long so many bytes may take. */
static uint64_t worth(const struct pace *pace, uint64_t bytes)
{
	const uint64_t most = UINT64_MAX / 2000;

	return least(bytes, most) * 1000 / pace->rate;
}

static void account(struct pace *pace, uint64_t passed, uint64_t earned)
{
	uint64_t good = least(passed, earned);

	if (pace->bounded) {
		pace->spent += passed;
		return;
	}
	pace->good += good;
	pace->lost += passed - good;
}

bool pace_go_on(struct pace *pace, uint64_t bytes, uint64_t now)
{
	uint64_t passed = now - pace->at;
	uint64_t earned =
	    bytes > pace->bytes ? worth(pace, bytes - pace->bytes) : 0;
	uint64_t has = pace->left + earned;

	if (!pace->runs)
		return true;
	pace->at = now;
	pace->bytes = bytes;
	account(pace, passed, earned);
	pace->left = has > passed ? least(pace->patience, has - passed) : 0;
	return pace->left > 0 && pace_lost(pace) < pace->allowance;
}

void pace_stop(struct pace *pace, uint64_t bytes, uint64_t now)
{
	pace_go_on(pace, bytes, now);
	pace->runs = false;
}

void pace_bound(struct pace *pace, uint64_t bytes, uint64_t now)
{
	pace_go_on(pace, bytes, now);
	pace->bounded = true;
}

uint64_t pace_left(const struct pace *pace)
{
	if (!pace->runs)
		return UINT64_MAX;
	return least(pace->left,
	    pace->allowance - least(pace->allowance, pace_lost(pace)));
}
