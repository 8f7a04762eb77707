/* SPDX-License-Identifier: Apache-2.0 */
/* One does it, the others wait. */
#include "base/turn.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

#include "base/map.h"

void turn_take(struct turn *turn, uint64_t version)
{
	assert(!turn->taken);
	turn->taken = true;
	turn->version = version;
}

void turn_end(struct turn *turn, struct monitor *monitor,
    const struct err *failure)
{
	assert(turn->taken);
	turn->taken = false;
	turn->failure = (struct err)ERR_INIT;
	if (failure && failure->code != EINTR) {
		turn->failures++;
		turn->failure = *failure;
	}
	monitor_notify(monitor);
}

unsigned turn_watch(const struct turn *turn)
{
	return turn->failures;
}

int turn_failed(const struct turn *turn, unsigned since, struct err *err)
{
	if (turn->failures == since || !turn->failure.code)
		return 0;
	*err = turn->failure;
	return -err->code;
}

static int interrupted(struct err *err)
{
	return err_set(err, EINTR, "interrupted");
}

int turn_wait(struct turn *turn, struct monitor *monitor, struct err *err)
{
	const unsigned since = turn_watch(turn);
	int r = 0;

	while (turn->taken && r == 0)
		r = monitor_wait(monitor) < 0 ? interrupted(err)
					      : turn_failed(turn, since, err);
	return r;
}

struct turns {
	struct monitor monitor;
	struct map taken; /* in the monitor: the keys whose turn is taken */
};

struct turns *turns_new(struct err *err)
{
	struct turns *turns = calloc(1, sizeof(*turns));

	if (turns)
		monitor_init(&turns->monitor);
	else
		err_nomem(err);
	return turns;
}

void turns_free(struct turns *turns)
{
	if (!turns)
		return;
	assert(turns->taken.count == 0);
	map_release(&turns->taken);
	monitor_release(&turns->monitor);
	free(turns);
}

/* In the monitor. */
static int take(struct turns *turns, const char *key, struct err *err)
{
	while (map_get(&turns->taken, key)) {
		if (monitor_wait(&turns->monitor) < 0)
			return interrupted(err);
	}
	return map_put(&turns->taken, key, turns) < 0 ? err_nomem(err) : 0;
}

int turns_take(struct turns *turns, const char *key, struct err *err)
{
	int r;

	monitor_enter(&turns->monitor);
	r = take(turns, key, err);
	monitor_leave(&turns->monitor);
	return r;
}

void turns_end(struct turns *turns, const char *key)
{
	monitor_enter(&turns->monitor);
	map_del(&turns->taken, key);
	monitor_notify(&turns->monitor);
	monitor_leave(&turns->monitor);
}
