/* SPDX-License-Identifier: Apache-2.0 */
/* A layer's index: known, wanted, awaited. */
#include "layer/layer.h"

#include <errno.h>

#include "base/budget.h"
#include "base/log.h"
#include "kept_index.h"
#include "kept_stream.h"
#include "state.h"

const struct digest *layer_digest(const struct layer *layer)
{
	return &layer->digest;
}

const char *layer_key(const struct layer *layer)
{
	return layer->name;
}

const struct layer_index *layer_index_known(struct layer *layer)
{
	struct err reason = ERR_INIT;

	if (!layer->index && kept_index_find(layer, &reason) < 0)
		log_debug(LOG_STORE, "%s: %s", layer->title, reason.msg);
	return layer->index;
}

/* In the monitor. */
static int start(struct layer *layer, struct err *err)
{
	int r;

	if (layer->making.taken)
		return 0;
	r = pool_submit(layer->table->makers, make_run, layer_get(layer), err);
	if (r < 0)
		layer_put(layer); /* the caller has another hold */
	else
		turn_take(&layer->making, 0);
	return r;
}

int layer_want(struct layer *layer, struct err *err)
{
	int r = 0;

	atomic_fetch_add(&layer->wanted, 1);
	if (layer_index_known(layer))
		return 0;
	monitor_enter(&layer->monitor);
	if (!layer->index)
		r = start(layer, err);
	monitor_leave(&layer->monitor);
	if (r < 0)
		layer_unwant(layer);
	return r;
}

void layer_unwant(struct layer *layer)
{
	atomic_fetch_sub(&layer->wanted, 1);
}

/* Waits while the index, or what belongs to it, is made. In the monitor. */
static int await_made(struct layer *layer, bool (*there)(struct layer *layer),
    struct err *err)
{
	const unsigned since = turn_watch(&layer->making);
	const uint64_t begin = budget_clock();

	while (!there(layer)) {
		int r = turn_failed(&layer->making, since, err);

		if (r < 0) {
			budget_waited(layer->name, begin, err);
			return r;
		}
		if (!layer->making.taken)
			r = budget_recall(layer->name, err);
		if (r == 0)
			r = start(layer, err);
		if (r < 0)
			return r;
		if (monitor_wait(&layer->monitor) < 0)
			return err_set(err, EINTR,
			    "interrupted while waiting for the index of %s",
			    layer->title);
	}
	return 0;
}

static bool has_index(struct layer *layer)
{
	return layer->index != NULL;
}

int layer_await(struct layer *layer, const struct layer_index **out,
    struct err *err)
{
	int r = 0;

	if (!layer->index) {
		task_will_wait();
		monitor_enter(&layer->monitor);
		r = await_made(layer, has_index, err);
		monitor_leave(&layer->monitor);
	}
	*out = layer->index;
	return r;
}

int layer_mend(struct layer *layer, struct err *err)
{
	int r;

	task_will_wait();
	atomic_fetch_add(&layer->wanted, 1);
	monitor_enter(&layer->monitor);
	r = await_made(layer, layer_is_right, err);
	monitor_leave(&layer->monitor);
	layer_unwant(layer);
	if (r == 0)
		*err = (struct err)ERR_INIT;
	return r;
}

bool layer_mended(struct layer *layer, int *r, struct err *err)
{
	if (*r != -EUCLEAN)
		return false;
	*r = layer_mend(layer, err);
	return *r == 0;
}

int layer_await_stream(struct layer *layer, struct blob **out, struct err *err)
{
	int r = 0;

	monitor_enter(&layer->monitor);
	*out = layer_stream_is_there(layer) ? layer->stream : NULL;
	monitor_leave(&layer->monitor);
	if (*out)
		return 0;
	r = layer_find_stream(layer, err);
	if (r < 0)
		return r;
	task_will_wait();
	atomic_fetch_add(&layer->wanted, 1);
	monitor_enter(&layer->monitor);
	r = await_made(layer, layer_stream_is_there, err);
	*out = layer->stream;
	monitor_leave(&layer->monitor);
	layer_unwant(layer);
	return r;
}

static int fetch_all(struct layer *layer, struct err *err)
{
	CLEANUP(blob_put_p) struct blob *blob = NULL;
	struct store_source source = origins_source(layer->origins);
	char first;
	int r = store_get(layer->table->store, &layer->digest, layer->size,
	    &source, &blob, err);

	return r < 0 ? r : (int)blob_read_verified(blob, &first, 1, 0, err);
}

static void prefetch(void *arg)
{
	CLEANUP(layer_put_p) struct layer *layer = arg;
	struct layer_jobs *jobs = &layer->table->jobs;
	struct err err = ERR_INIT;
	struct layer_job job;

	job_begin(jobs, &job);
	if (fetch_all(layer, &err) < 0)
		log_debug(LOG_FETCH, "prefetch of %s: %s", layer->title,
		    err.msg);
	job_end(jobs, &job);
}

void layer_prefetch(struct layer *layer)
{
	if (!store_can_keep(layer->table->store, layer->size))
		return;
	if (pool_submit(layer->table->prefetches, prefetch, layer_get(layer),
		ERR_IGNORE) < 0)
		layer_put(layer);
}
