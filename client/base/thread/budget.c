/* SPDX-License-Identifier: Apache-2.0 */
/* The budget of the thread's operation. */
#include "base/budget.h"

#include <assert.h>
#include <errno.h>
#include <stddef.h>
#include <time.h>

#include "base/map.h"

static _Thread_local struct budget *current;

void budget_bind(struct budget *budget)
{
	assert(!current);
	current = budget;
}

void budget_unbind(struct budget *budget)
{
	assert(current == budget);
	(void)budget;
	current = NULL;
}

struct budget *budget_now(void)
{
	return current;
}

uint64_t budget_lost(void)
{
	return current ? current->lost : 0;
}

void budget_lose(uint64_t ms)
{
	if (current)
		current->lost += ms;
}

void budget_gain(uint64_t ms)
{
	if (current)
		current->lost -= ms < current->lost ? ms : current->lost;
}

bool budget_is_patient(void)
{
	return current && current->patient;
}

void budget_be_patient(void)
{
	if (current)
		current->patient = true;
}

struct budget *budget_detour(struct budget *own)
{
	struct budget *outer = current;

	*own = (struct budget){.once = true};
	current = own;
	return outer;
}

void budget_return(struct budget *own, struct budget *outer)
{
	assert(current == own);
	current = outer;
	budget_lose(own->lost);
}

unsigned budget_failed(const char *what, const struct err *err)
{
	uint64_t hash = map_hash(what);

	if (!current)
		return 0;
	if (current->failing != hash)
		current->times = 0;
	current->failing = hash;
	current->last = *err;
	return ++current->times;
}

void budget_got_on(const char *what)
{
	if (budget_failures(what) > 0)
		current->times = 0;
}

unsigned budget_failures(const char *what)
{
	return current && current->failing == map_hash(what) ? current->times
							     : 0;
}

/* What a server said, or that there was none to say it. Wrong bytes, a full
 * disk or an interrupt say nothing of the next try. */
static bool is_of_server(const struct err *err)
{
	switch (err->code) {
	case EBUSY:
	case ECONNREFUSED:
	case ECONNRESET:
	case EHOSTUNREACH:
	case EPROTO:
	case ETIMEDOUT:
		return true;
	default:
		return err->http != 0;
	}
}

void budget_note(const char *what, const struct err *err)
{
	if (!current || !is_of_server(err))
		return;
	current->notes[current->noted % BUDGET_NOTES].what = map_hash(what);
	current->notes[current->noted % BUDGET_NOTES].err = *err;
	current->noted++;
}

uint64_t budget_clock(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

void budget_waited(const char *what, uint64_t since, const struct err *err)
{
	if (!current || !is_of_server(err))
		return;
	budget_note(what, err);
	budget_lose(budget_clock() - since);
	current->last = *err;
}

int budget_recall(const char *what, struct err *err)
{
	uint64_t hash = map_hash(what);

	for (unsigned i = 0; current && i < BUDGET_NOTES; i++) {
		const struct err *noted = &current->notes[i].err;

		if (noted->code && current->notes[i].what == hash) {
			*err = *noted;
			return -err->code;
		}
	}
	return 0;
}
