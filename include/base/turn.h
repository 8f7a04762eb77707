/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One does it, the others wait. What many threads want and what is done once
 * for all of them (a request, an index, a token) has a turn beside it, in the
 * monitor of its owner:
 *
 *	monitor_enter(&m);
 *	r = turn_wait(&turn, &m, err);
 *	if (r == 0 && !value) {
 *		turn_take(&turn, 0);
 *		monitor_leave(&m);
 *		r = make(&made, err);
 *		monitor_enter(&m);
 *		value = made;
 *		turn_end(&turn, &m, r < 0 ? err : NULL);
 *	}
 *	monitor_leave(&m);
 *
 * - Keys. A turn is of one thing, and is found with it; what is nothing but a
 *   name has a turn in a table (struct turns), by that name.
 * - A failure is the answer to all who waited when it came, and to nobody else:
 *   one who comes later tries again.
 * - An interrupt ends the wait of the thread that is interrupted, and nothing
 *   else. Where that thread has the turn itself, its EINTR is no answer to the
 *   others: one of them takes the turn. The same holds for a turn that is ended
 *   without a failure, and did not bring what the others wait for.
 * - What changed meanwhile. A turn keeps the version (of whatever is counted)
 *   that there was when it was taken. Whether the outcome is still to be used
 *   when there is another one by its end is for the owner to say.
 *
 * The thread that takes a turn may have a job end it.
 */
#ifndef BASE_TURN_H
#define BASE_TURN_H

#include <stdbool.h>
#include <stdint.h>

#include "cleanup.h"
#include "err.h"
#include "task.h"

/* All zeros: nobody has it. In the owner's monitor. */
struct turn {
	bool taken;
	uint64_t version;   /* that it was taken with */
	unsigned failures;  /* counts the turns that failed */
	struct err failure; /* of the last turn; code 0: it did not fail */
};

/* All functions are called in the monitor; none leaves it but to wait. */

/* Nobody has the turn: it is the caller's, until turn_end(). */
void turn_take(struct turn *turn, uint64_t version);

/* It is free, and all that wait in the monitor look again. failure: what those
 * who waited fail with; NULL, or one by EINTR: with nothing. */
void turn_end(struct turn *turn, struct monitor *monitor,
    const struct err *failure);

/* Waits while somebody has it. 0, at once or then; the failure of the turn that
 * it waited for; -EINTR with "interrupted", which no failure of a turn is. */
int turn_wait(struct turn *turn, struct monitor *monitor, struct err *err);

/*
 * For those who wait for what comes before the turn ends, and for whom
 * turn_wait() would be too late:
 *
 *	since = turn_watch(&turn);
 *	while (!there && r == 0) {
 *		... take the turn, where it is free ...
 *		monitor_wait(&m);
 *		r = turn_failed(&turn, since, err);
 *	}
 *
 * turn_failed() is 0, or the failure of the last turn, if it ended after
 * turn_watch().
 */
unsigned turn_watch(const struct turn *turn);
int turn_failed(const struct turn *turn, unsigned since, struct err *err);

/* Turns at what is nothing but a name: one a key. It has its own monitor, which
 * the caller is not in. */
struct turns;

/* NULL on failure, err filled. */
struct turns *turns_new(struct err *err);
/* Nobody has or waits for one. */
void turns_free(struct turns *turns);

DEFINE_CLEANUP(struct turns *, turns_free);

/* Waits while another thread has the key's turn, then takes it: 0. -EINTR with
 * "interrupted"; -ENOMEM. How the other one's turn ended is not told. */
int turns_take(struct turns *turns, const char *key, struct err *err);
void turns_end(struct turns *turns, const char *key);

#endif
