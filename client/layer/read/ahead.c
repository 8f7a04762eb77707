/* SPDX-License-Identifier: Apache-2.0 */
/* Reading ahead. */
#include "ahead.h"

#include <stdlib.h>

#include "large.h"
#include "layers/state.h"

enum {
	/* Decoded bytes that are worth a job of their own. */
	JOB_BYTES = 1 << 20,
	/* So far ahead at most: what is kept has room for several readers. */
	AHEAD_BYTES = 4 << 20,
	JOBS_MAX = 8,
	/* A reader that skips a few small files still goes forward. */
	STRIDE_MAX = 4,
	/* And one that goes back so far has not left. */
	BACK_MAX = 2 << 20,
	/* What is in the spans of one small file shows no order yet. */
	RUN_MIN = 256 << 10,
	/* One request's bytes. */
	WINDOW_MAX = 8 << 20,
	/* Of a file that somebody begins to read, that much comes at once. */
	UNTIL_MAX = 1 << 20,
};

static uint64_t least(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

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
	int r = 0;

	/* An error is reported to the reader that reaches the span. */
	for (uint32_t i = job->first;
	     r == 0 && i < job->end && !atomic_load(&table->closing); i++) {
		CLEANUP(decoded_put_p) struct decoded *decoded = NULL;
		struct layer_span span;

		r = layer_index_span(layer->index, i, &span, ERR_IGNORE);
		if (r == 0 && !large_is(&span))
			r = span_get(table->spans, layer, i, &span, job->window,
			    &decoded, ERR_IGNORE);
	}
	atomic_fetch_sub(&table->ahead_jobs, 1);
}

static bool submit(struct layer *layer, uint32_t first, uint32_t end,
    uint64_t window)
{
	struct layer_table *table = layer->table;
	struct job *job;

	if (atomic_fetch_add(&table->ahead_jobs, 1) >= JOBS_MAX ||
	    !(job = malloc(sizeof(*job)))) {
		atomic_fetch_sub(&table->ahead_jobs, 1);
		return false;
	}
	*job = (struct job){layer_get(layer), first, end, window};
	if (pool_submit(table->ahead, decode_ahead, job, ERR_IGNORE) == 0)
		return true;
	atomic_fetch_sub(&table->ahead_jobs, 1);
	layer_put(layer);
	free(job);
	return false;
}

/* The address of a span; beyond all where it cannot be known: the reader that
 * reaches it gets the error. */
static uint64_t address_of(const struct layer *layer, uint32_t number)
{
	struct layer_span span;

	return layer_index_span(layer->index, number, &span, ERR_IGNORE) == 0
		   ? span.out
		   : UINT64_MAX;
}

/* Begins with the spans from first on, up to that decoded byte, those excepted
 * that somebody has begun with. */
static void go_ahead(struct layer *layer, uint32_t first, uint64_t until,
    uint64_t window)
{
	uint32_t count = layer_index_spans(layer->index);
	uint32_t begun = atomic_load(&layer->ahead_until);

	/* A job may reach past the end. A reader who went back begins again. */
	if (begun > first && begun <= count &&
	    address_of(layer, begun - 1) < until + JOB_BYTES)
		first = begun;
	while (first < count) {
		uint64_t start = address_of(layer, first);
		uint32_t end = first + 1;

		if (start >= until)
			return;
		while (
		    end < count && address_of(layer, end) < start + JOB_BYTES)
			end++;
		if (!submit(layer, first, end, window))
			return;
		atomic_store(&layer->ahead_until, end);
		first = end;
	}
}

/* The bytes of the blob from a span on that hold what is before an address;
 * those of the span alone where what follows it stands elsewhere. */
static uint64_t bytes_until(const struct layer *layer,
    const struct layer_span *first, uint64_t until)
{
	struct layer_span last;
	uint32_t number;

	until = least(until, first->out + UNTIL_MAX);
	if (layer_index_span_at(layer->index, until - 1, &number, &last,
		ERR_IGNORE) < 0 ||
	    last.in < first->in || last.in - first->in > WINDOW_MAX)
		return first->in_len;
	return last.in + last.in_len - first->in;
}

/* Whether a span is not where a reader in order may be: a little after the
 * last one, or before it, where another has read ahead. */
static bool is_elsewhere(const struct layer *layer, uint32_t number,
    const struct layer_span *span, uint32_t last)
{
	if (last == NO_SPAN)
		return true;
	return number > last ? number - last > STRIDE_MAX
			     : address_of(layer, last) - span->out > BACK_MAX;
}

/* The same for a reader of span after span, as much as has been read so; 0
 * for others. */
static uint64_t window_in_order(struct layer *layer, uint32_t number,
    const struct layer_span *span)
{
	uint32_t last = atomic_load(&layer->last_span);
	uint64_t start, in_order;

	if (number == last)
		return 0;
	if (is_elsewhere(layer, number, span, last)) {
		atomic_store(&layer->last_span, number);
		atomic_store(&layer->run_start, span->out);
		atomic_store(&layer->ahead_until, 0);
		return 0;
	}
	if (number > last)
		atomic_store(&layer->last_span, number);
	start = atomic_load(&layer->run_start);
	in_order = span->out > start ? span->out - start : 0;
	if (in_order < RUN_MIN)
		return 0;
	go_ahead(layer, number + 1,
	    span->out + span->out_len + least(in_order, AHEAD_BYTES),
	    least(in_order, WINDOW_MAX));
	return least(in_order, WINDOW_MAX);
}

uint64_t ahead_window(struct layer *layer, uint32_t number,
    const struct layer_span *span, uint64_t until)
{
	uint64_t wanted = bytes_until(layer, span, until);
	uint64_t in_order = window_in_order(layer, number, span);

	return wanted > in_order ? wanted : in_order;
}

bool layer_is_walked(struct layer *layer)
{
	uint32_t last = atomic_load(&layer->last_span);
	uint64_t start = atomic_load(&layer->run_start);
	uint64_t address;

	if (last >= layer_index_spans(layer->index))
		return false;
	address = address_of(layer, last);
	return address != UINT64_MAX && address >= start + RUN_MIN;
}

void ahead_of_file(struct layer *layer, const struct layer_entry *entry,
    size_t len)
{
	uint64_t until = entry->data + entry->size;
	uint64_t from = entry->data + len;
	struct layer_span span;
	uint32_t number;

	if (len >= entry->size ||
	    layer_index_facts(layer->index)->vouching == LAYER_BY_STREAM)
		return;
	until = least(until, from + AHEAD_BYTES);
	if (layer_index_span_at(layer->index, from, &number, &span,
		ERR_IGNORE) == 0)
		go_ahead(layer, number, until, UNTIL_MAX);
}
