/* SPDX-License-Identifier: Apache-2.0 */
/* What the jobs of a push wait for: the archive's bytes, and their turns. */
#include <errno.h>

#include "layer.h"

static int interrupted(struct err *err)
{
	return err_set(err, EINTR, "interrupted");
}

void push_layers_grow(struct push_layers *set, uint64_t there)
{
	monitor_enter(&set->monitor);
	set->there = there;
	monitor_notify(&set->monitor);
	monitor_leave(&set->monitor);
}

int push_layers_await(struct push_layers *set, uint64_t end, struct err *err)
{
	int r = 0;

	monitor_enter(&set->monitor);
	while (set->there < end && r == 0)
		r = monitor_wait(&set->monitor);
	monitor_leave(&set->monitor);
	return r < 0 || task_interrupted() ? interrupted(err) : 0;
}

/* Inside the monitor. */
static bool all_before_passed(const struct push_layer *layer)
{
	for (layer = layer->before; layer; layer = layer->before)
		if (!layer->passed)
			return false;
	return true;
}

int push_layers_turn(struct push_layer *layer, struct err *err)
{
	struct push_layers *set = layer->set;
	int r = 0;

	monitor_enter(&set->monitor);
	while (!all_before_passed(layer) && r == 0)
		r = monitor_wait(&set->monitor);
	monitor_leave(&set->monitor);
	return r < 0 ? interrupted(err) : 0;
}

void push_layers_pass(struct push_layer *layer)
{
	struct push_layers *set = layer->set;

	monitor_enter(&set->monitor);
	layer->passed = true;
	monitor_notify(&set->monitor);
	monitor_leave(&set->monitor);
}
