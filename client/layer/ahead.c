/* SPDX-License-Identifier: Apache-2.0 */
/* Reading ahead. */
#include "ahead.h"

#include <stdlib.h>

#include "large.h"
#include "state.h"

enum {
	/* Decoded bytes that are worth a job of their own. */
	JOB_BYTES = 1 << 20,
	/* So far ahead at most: what is kept has room for several readers. */
	AHEAD_BYTES = 4 << 20,
	JOBS_MAX = 8,
	/* A reader that skips a few small files still goes forward. */
	STRIDE_MAX = 4,
	/* One request's bytes, doubled with each span that is read in order. */
	WINDOW_FIRST = 512 << 10,
	WINDOW_MAX = 8 << 20,
	RUN_MAX = 16,
};

struct job {
	struct layer *layer; /* held */
	uint32_t first, end;
	uint64_t window;
};

static void decode_ahead(void *arg)
{
	AUTO_FREE struct job *job = arg;
	CLEANUP(layer_put_p) struct layer *layer = job->layer;
	struct layer_table *table = layer->table;
	struct err err = ERR_INIT;
	int r = 0;

	/* An error is the reader's who comes there. */
	for (uint32_t i = job->first;
	     r == 0 && i < job->end && !atomic_load(&table->closing); i++) {
		CLEANUP(decoded_put_p) struct decoded *decoded = NULL;

		if (!large_is(layer, i))
			r = span_get(table->spans, layer, i, job->window,
			    &decoded, &err);
	}
	atomic_fetch_sub(&table->ahead_jobs, 1);
}

static bool submit(struct layer *layer, uint32_t first, uint32_t end,
    uint64_t window)
{
	struct layer_table *table = layer->table;
	struct job *job;
	struct err err = ERR_INIT;

	if (atomic_fetch_add(&table->ahead_jobs, 1) >= JOBS_MAX ||
	    !(job = malloc(sizeof(*job)))) {
		atomic_fetch_sub(&table->ahead_jobs, 1);
		return false;
	}
	*job = (struct job){layer_get(layer), first, end, window};
	if (pool_submit(table->ahead, decode_ahead, job, &err) == 0)
		return true;
	atomic_fetch_sub(&table->ahead_jobs, 1);
	layer_put(layer);
	free(job);
	return false;
}

/* Begins with the spans from first on, up to that decoded byte, those excepted
 * that somebody has begun with. */
static void go_ahead(struct layer *layer, uint32_t first, uint64_t until,
    uint64_t window)
{
	uint32_t count;
	const struct layer_span *spans =
	    layer_index_spans(layer->index, &count);
	uint32_t begun = atomic_load(&layer->ahead_until);

	/* Whoever went back begins anew. */
	if (begun > first && begun - first <= count &&
	    spans[begun - 1].out < until)
		first = begun;
	while (first < count && spans[first].out < until) {
		uint64_t start = spans[first].out;
		uint32_t end = first;

		while (end < count && spans[end].out < start + JOB_BYTES)
			end++;
		if (!submit(layer, first, end, window))
			return;
		atomic_store(&layer->ahead_until, end);
		first = end;
	}
}

uint64_t ahead_window(struct layer *layer, uint32_t number)
{
	uint32_t count;
	const struct layer_span *span =
	    layer_index_spans(layer->index, &count) + number;
	uint32_t last = atomic_exchange(&layer->last_span, number);
	uint32_t run = atomic_load(&layer->run);
	uint64_t window;

	if (number == last)
		return run ? (uint64_t)WINDOW_FIRST : span->in_len;
	if (number < last || number - last > STRIDE_MAX) {
		atomic_store(&layer->run, 0);
		atomic_store(&layer->ahead_until, 0);
		return span->in_len;
	}
	if (run < RUN_MAX)
		atomic_store(&layer->run, run + 1);
	window = (uint64_t)WINDOW_FIRST << run;
	if (window > WINDOW_MAX)
		window = WINDOW_MAX;
	go_ahead(layer, number + 1, span->out + span->out_len + AHEAD_BYTES,
	    window);
	return window;
}

void ahead_of_file(struct layer *layer, const struct layer_entry *entry,
    size_t len)
{
	uint64_t until = entry->data + entry->size;
	uint64_t from = entry->data + len;

	if (len >= entry->size ||
	    layer_index_facts(layer->index)->vouching == LAYER_BY_STREAM)
		return;
	if (until > from + AHEAD_BYTES)
		until = from + AHEAD_BYTES;
	go_ahead(layer, layer_index_span_at(layer->index, from), until,
	    WINDOW_FIRST);
}
