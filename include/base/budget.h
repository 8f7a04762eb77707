/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How long an operation may wait for a server that fails. This is the one place
 * that says so; everything that tries again looks here.
 *
 * A call of a program ends at most three times the option `timeout` after it
 * began, or after bytes last came at the minimum rate, whatever the server
 * does. For that, each operation has a budget, two and a half times `timeout`,
 * which pays for what is lost:
 * - an attempt that fails, by an error of the network, by an answer that says
 *   "later" (503), by silence, or by a body that stalls: all of its time but
 *   that in which its body moved at the minimum rate (the option `min_rate`);
 * - each wait before another attempt.
 * What succeeds costs nothing, and time in which a body moves at the minimum
 * rate pays back what was lost before. When all is lost no more is asked: the
 * operation ends with the failure that came last.
 *
 * An answer that comes within `timeout` is progress: an operation of many
 * requests, each answered slowly, lasts as long as their sum. Bodies are of two
 * kinds (http_request.bulk). Bulk, a blob or a body that is sent, may last as
 * long as it moves at the minimum rate. A document (a token, a page of a list,
 * a manifest, what a refusal says) may not: all time from its begin to its end
 * counts as lost, however fast it moves, and what of it is beyond `timeout`
 * also where it succeeds. So a document without end is the end of the budget.
 *
 * No attempt waits longer than `timeout` by itself: for a connection and the
 * answer's header together, then for less than min_rate * timeout bytes of the
 * body. A body that stalls is asked for from where it stopped. Of a body that
 * is sent, bytes have moved once the other end has acknowledged them: what
 * waits in the socket's queue has not, and an answer has its `timeout` from
 * when that queue is empty.
 *
 * The budget is bound to the thread, so that the layers that try again (a
 * request, a blob's fetch, an upload) share it without a parameter. A job of a
 * pool has a copy of the budget of the thread that submitted it (base/pool.h),
 * which waits for the job and ends by its failure.
 *
 * What failed for good is noted: asked again in the same operation, it fails at
 * once. A call of a program can be several requests of the kernel, of which
 * each is an operation; fs/kernel/spent.h says how they share what there is,
 * and what the last half of `timeout` is for.
 */
#ifndef BASE_BUDGET_H
#define BASE_BUDGET_H

#include <stdbool.h>
#include <stdint.h>

#include "err.h"

enum { BUDGET_NOTES = 4 };

/* All zeros: nothing is lost. */
struct budget {
	/* A server that cannot be reached or is silent is asked again as long
	 * as the budget lasts: it restarts, and what is begun is worth it
	 * (transfers, and changes of images and tags).
	 * Others give up after a few attempts, and after one silence; so do
	 * all while it is known that it does not come back so soon. */
	bool patient;
	/* There is another server to ask: an attempt that fails is not made
	 * again. */
	bool once;
	uint64_t lost;   /* ms */
	struct err last; /* the failure that came last */

	/* The attempts that failed one after the other, of what (a hash). */
	uint64_t failing;
	unsigned times;

	/* What failed for good (a hash each), the oldest is replaced. */
	struct {
		uint64_t what;
		struct err err;
	} notes[BUDGET_NOTES];
	unsigned noted;
};

/* Makes it the calling thread's, which has none. */
void budget_bind(struct budget *budget);
void budget_unbind(struct budget *budget);

/* The calling thread's, or NULL: of what no user waits for. All functions below
 * then do nothing, and return 0. */
struct budget *budget_now(void);

/* ms that the operation has lost so far. */
uint64_t budget_lost(void);

/* So many ms are lost, or paid back. */
void budget_lose(uint64_t ms);
void budget_gain(uint64_t ms);

/* Whether the budget is patient; from now on it is. */
bool budget_is_patient(void);
void budget_be_patient(void);

/*
 * A budget of its own, with `once`, for what can be asked of another server,
 * too. Between the two calls it is the thread's in the place of that which
 * budget_detour() returns (may be NULL), and which then has lost the same time.
 */
struct budget *budget_detour(struct budget *own);
void budget_return(struct budget *own, struct budget *outer);

/* An attempt at `what` failed: how many did one after the other. An attempt at
 * something else, or one that got on, starts that count again. */
unsigned budget_failed(const char *what, const struct err *err);
void budget_got_on(const char *what);
unsigned budget_failures(const char *what);

/* `what` failed for good. Only failures of servers and networks count. */
void budget_note(const char *what, const struct err *err);

/* The same of what others did, who may have their own budgets: all of the time
 * since budget_clock() gave `since` is lost, too. */
uint64_t budget_clock(void);
void budget_waited(const char *what, uint64_t since, const struct err *err);

/* 0, or -errno with the failure that was noted for it. */
int budget_recall(const char *what, struct err *err);

#endif
