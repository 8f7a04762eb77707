/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How fast a transfer moves, and how much of its time was lost (what that is
 * says base/budget.h). Not locked. Times are ms of CLOCK_MONOTONIC.
 *
 * A transfer may stand still for `patience` ms, of which each byte gives back
 * what it may take at the minimum rate. So one that moves at less than that
 * rate over that time counts as stalled, whether it stopped or drips. Of one
 * that is bounded all time is lost, however fast it moves.
 */
#ifndef CLIENT_HTTP_PACE_H
#define CLIENT_HTTP_PACE_H

#include <stdbool.h>
#include <stdint.h>

struct pace {
	uint64_t patience;  /* ms */
	uint64_t rate;      /* bytes a second, not 0 */
	uint64_t allowance; /* ms that it may lose in all */

	bool runs;
	uint64_t at;    /* it is accounted for up to here */
	uint64_t bytes; /* that had moved then */
	uint64_t left;  /* of the patience */
	uint64_t lost, good;
	bool bounded;
	uint64_t spent; /* ms since it is bounded */
};

/* The clock runs from now on, with all of the patience. */
void pace_start(struct pace *pace, uint64_t now);

/* It stands: for a reader that takes no more, say. */
void pace_stop(struct pace *pace, uint64_t bytes, uint64_t now);

/* From now on all time is lost, and what was good before pays for nothing. */
void pace_bound(struct pace *pace, uint64_t bytes, uint64_t now);

/* So many bytes have moved since the begin. False once it has stalled. */
bool pace_go_on(struct pace *pace, uint64_t bytes, uint64_t now);

/* ms until it can have stalled; UINT64_MAX while the clock stands. */
uint64_t pace_left(const struct pace *pace);

/* ms lost that were not paid back. */
uint64_t pace_lost(const struct pace *pace);

/* ms beyond the patience since it is bounded. */
uint64_t pace_beyond(const struct pace *pace);

#endif
