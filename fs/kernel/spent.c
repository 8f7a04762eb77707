/* SPDX-License-Identifier: Apache-2.0 */
/* What the last requests of some threads have spent. */
#include "spent.h"

#include <pthread.h>
#include <stdlib.h>
#include <time.h>

#include "base/lock.h"

enum {
	CALLS = 64,
	/* Between two requests of one call nothing happens but the kernel. */
	CALL_GAP = 1000, /* ms, on a machine that is busy */
	READ_GAP = 200,
};

struct spent_call {
	pid_t thread; /* 0: free */
	bool read;    /* one that failed */
	bool granted; /* what is left for the others */
	uint64_t ended;
	struct budget budget;
};

struct spent {
	uint64_t most; /* ms that the next one is taken to have lost */
	pthread_mutex_t lock;
	struct spent_call *calls[CALLS]; /* under lock; NULL: none yet */
	unsigned next;
};

struct spent *spent_new(unsigned timeout, struct err *err)
{
	struct spent *spent = calloc(1, sizeof(*spent));

	if (!spent) {
		err_nomem(err);
		return NULL;
	}
	spent->most = 2000 * (uint64_t)timeout;
	pthread_mutex_init(&spent->lock, NULL);
	return spent;
}

void spent_free(struct spent *spent)
{
	if (!spent)
		return;
	for (unsigned i = 0; i < CALLS; i++)
		free(spent->calls[i]);
	pthread_mutex_destroy(&spent->lock);
	free(spent);
}

static uint64_t milliseconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

/* Under lock. */
static struct spent_call *find(struct spent *spent, pid_t thread)
{
	for (unsigned i = 0; i < CALLS; i++)
		if (spent->calls[i] && spent->calls[i]->thread == thread)
			return spent->calls[i];
	return NULL;
}

/* Under lock. The oldest's place, or NULL when out of memory: then it is
 * forgotten. */
static struct spent_call *make(struct spent *spent)
{
	struct spent_call **at = &spent->calls[spent->next++ % CALLS];

	if (!*at)
		*at = calloc(1, sizeof(**at));
	return *at;
}

static bool goes_on(const struct spent_call *call, bool reads)
{
	uint64_t gap = milliseconds() - call->ended;

	return call->read ? reads && gap < READ_GAP : gap < CALL_GAP;
}

void spent_begin(struct spent *spent, pid_t thread, bool reads,
    struct budget *out)
{
	SCOPED_LOCK(&spent->lock);
	struct spent_call *call = thread ? find(spent, thread) : NULL;

	*out = (struct budget){0};
	if (!call)
		return;
	if (!goes_on(call, reads)) {
		call->thread = 0;
		return;
	}
	if (call->budget.lost > spent->most && !call->granted) {
		call->budget.lost = spent->most;
		call->granted = true;
	}
	*out = call->budget;
}

void spent_forget(struct spent *spent, pid_t thread)
{
	struct budget none;

	spent_begin(spent, thread, false, &none);
}

/* A request that learned nothing that was not known before. */
static void repeat(struct spent_call *call, bool failed)
{
	call->granted = false;
	if (!failed)
		return;
	/* The kernel reads once more, and not for ever. */
	if (call->read)
		call->thread = 0;
	call->read = true;
	call->ended = milliseconds();
}

void spent_end(struct spent *spent, pid_t thread, bool reads, bool failed,
    const struct budget *budget)
{
	SCOPED_LOCK(&spent->lock);
	struct spent_call *call = thread ? find(spent, thread) : NULL;
	bool nothing = !thread || (budget->lost == 0 && budget->noted == 0);
	bool granted;

	if (nothing || (failed && !reads)) {
		if (call)
			call->thread = 0;
		return;
	}
	if (call && call->budget.lost == budget->lost &&
	    call->budget.noted == budget->noted) {
		repeat(call, failed);
		return;
	}
	granted = call && call->granted;
	if (!call)
		call = make(spent);
	if (call)
		*call = (struct spent_call){thread, failed, granted,
		    milliseconds(), *budget};
}
