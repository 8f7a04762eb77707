/* SPDX-License-Identifier: Apache-2.0 */
/* The cache of decoded spans. */
#include "spans.h"

#include <errno.h>

#include "base/task.h"
#include "index/limits.h"
#include "state.h"
#include "unpack.h"

enum { BUCKETS = 1024 }; /* a power of two */

/* With its number: the span as it is stored. */
#define STORED (UINT32_C(1) << 31)

enum decoded_state { DECODED_COMING, DECODED_THERE, DECODED_FAILED };

struct decoded {
	struct span_cache *cache;
	const struct layer *layer; /* only compared */
	uint32_t span;
	uint8_t *data;
	uint64_t size;

	/* In the cache's monitor. */
	enum decoded_state state;
	struct err failure; /* why it did not come */
	unsigned holds;
	struct decoded *next;          /* in its bucket, while it is found */
	struct decoded *older, *newer; /* in the order of use, likewise */
};

struct span_cache {
	uint64_t limit;
	struct buffers *buffers; /* borrowed */
	struct monitor monitor;
	/* In the monitor. */
	struct decoded *buckets[BUCKETS];
	struct decoded *oldest, *newest;
	uint64_t bytes;
	uint64_t working; /* that spans on their way need beside their own */
};

struct span_cache *span_cache_new(uint64_t bytes, struct buffers *buffers,
    struct err *err)
{
	struct span_cache *cache = calloc(1, sizeof(*cache));

	if (!cache) {
		err_nomem(err);
		return NULL;
	}
	cache->limit = bytes;
	cache->buffers = buffers;
	monitor_init(&cache->monitor);
	return cache;
}

static struct decoded **bucket(struct span_cache *cache,
    const struct layer *layer, uint32_t span)
{
	size_t hash = ((uintptr_t)layer / sizeof(void *) * 31 + span);

	return &cache->buckets[hash & (BUCKETS - 1)];
}

static struct decoded *find(struct span_cache *cache, const struct layer *layer,
    uint32_t span)
{
	struct decoded *at = *bucket(cache, layer, span);

	while (at && (at->layer != layer || at->span != span))
		at = at->next;
	return at;
}

static void age_out(struct span_cache *cache, struct decoded *decoded)
{
	if (decoded->older)
		decoded->older->newer = decoded->newer;
	else
		cache->oldest = decoded->newer;
	if (decoded->newer)
		decoded->newer->older = decoded->older;
	else
		cache->newest = decoded->older;
}

static void age_in(struct span_cache *cache, struct decoded *decoded)
{
	decoded->older = cache->newest;
	decoded->newer = NULL;
	if (cache->newest)
		cache->newest->newer = decoded;
	else
		cache->oldest = decoded;
	cache->newest = decoded;
}

static void decoded_free(struct decoded *decoded)
{
	buffers_give(decoded->cache->buffers, decoded->data, decoded->size);
	free(decoded);
}

/* Nobody finds it any more; freed now or when the last one gives it back. In
 * the monitor. */
static void unlist(struct span_cache *cache, struct decoded *decoded)
{
	struct decoded **at = bucket(cache, decoded->layer, decoded->span);

	while (*at != decoded)
		at = &(*at)->next;
	*at = decoded->next;
	age_out(cache, decoded);
	cache->bytes -= decoded->size;
	decoded->layer = NULL;
	if (decoded->holds == 0)
		decoded_free(decoded);
}

/* In the monitor. */
static void shrink(struct span_cache *cache)
{
	struct decoded *at = cache->oldest;

	while (at && cache->bytes > cache->limit) {
		struct decoded *newer = at->newer;

		if (at->holds == 0)
			unlist(cache, at);
		at = newer;
	}
}

void span_cache_free(struct span_cache *cache)
{
	if (!cache)
		return;
	while (cache->oldest)
		unlist(cache, cache->oldest);
	monitor_release(&cache->monitor);
	free(cache);
}

void span_cache_drop(struct span_cache *cache, const struct layer *layer)
{
	struct decoded *at;

	monitor_enter(&cache->monitor);
	at = cache->oldest;
	while (at) {
		struct decoded *newer = at->newer;

		if (at->layer == layer)
			unlist(cache, at);
		at = newer;
	}
	monitor_leave(&cache->monitor);
}

void decoded_put(struct decoded *decoded)
{
	struct span_cache *cache;

	if (!decoded)
		return;
	cache = decoded->cache;
	monitor_enter(&cache->monitor);
	decoded->holds--;
	if (!decoded->layer && decoded->holds == 0)
		decoded_free(decoded);
	else
		shrink(cache);
	monitor_leave(&cache->monitor);
}

const uint8_t *decoded_data(const struct decoded *decoded)
{
	return decoded->data;
}

/* One that is coming, and the caller's to bring. In the monitor. */
static struct decoded *announce(struct span_cache *cache,
    const struct layer *layer, uint32_t span, uint64_t size)
{
	struct decoded *decoded = calloc(1, sizeof(*decoded));
	struct decoded **at = bucket(cache, layer, span);

	if (!decoded)
		return NULL;
	decoded->cache = cache;
	decoded->layer = layer;
	decoded->span = span;
	decoded->size = size;
	decoded->holds = 1;
	decoded->next = *at;
	*at = decoded;
	age_in(cache, decoded);
	cache->bytes += size;
	shrink(cache);
	return decoded;
}

static int interrupted(struct err *err)
{
	return err_set(err, EINTR, "interrupted while a layer was decoded");
}

/* Waits while another brings it. 0; -EINTR. In the monitor. */
static int await(struct span_cache *cache, struct decoded *decoded,
    struct err *err)
{
	while (decoded->state == DECODED_COMING) {
		if (monitor_wait(&cache->monitor) < 0)
			return interrupted(err);
	}
	return 0;
}

/* Waits until there is memory to work with; one can always go on. */
static int begin_work(struct span_cache *cache, uint64_t need, struct err *err)
{
	int r = 0;

	monitor_enter(&cache->monitor);
	while (r == 0 && cache->working > 0 &&
	       cache->working + need > SPANS_WORK_MAX)
		r = monitor_wait(&cache->monitor);
	if (r == 0)
		cache->working += need;
	monitor_leave(&cache->monitor);
	return r < 0 ? interrupted(err) : 0;
}

static void end_work(struct span_cache *cache, uint64_t need)
{
	monitor_enter(&cache->monitor);
	cache->working -= need;
	monitor_notify(&cache->monitor);
	monitor_leave(&cache->monitor);
}

static int unpack(struct decoded *decoded, struct layer *layer,
    const struct layer_span *span, uint64_t window, uint8_t **out,
    struct err *err)
{
	struct span_cache *cache = decoded->cache;
	uint64_t need = (uint64_t)span->in_len + span->skip + span->out_len;
	int r = begin_work(cache, need, err);

	if (r < 0)
		return r;
	*out = buffers_take(cache->buffers, decoded->size);
	if (!*out)
		r = err_nomem(err);
	else if (decoded->span & STORED)
		r = unpack_stored(layer, span, window, *out, err);
	else
		r = unpack_span(layer, span, window, *out, err);
	end_work(cache, need);
	return r;
}

static int bring(struct decoded *decoded, struct layer *layer,
    const struct layer_span *span, uint64_t window, struct err *err)
{
	struct span_cache *cache = decoded->cache;
	uint8_t *data = NULL;
	int r = unpack(decoded, layer, span, window, &data, err);

	monitor_enter(&cache->monitor);
	decoded->data = data;
	decoded->state = r < 0 ? DECODED_FAILED : DECODED_THERE;
	if (r < 0)
		decoded->failure = *err;
	if (r < 0 && decoded->layer)
		unlist(cache, decoded);
	monitor_notify(&cache->monitor);
	monitor_leave(&cache->monitor);
	return r;
}

/* What was wrong for one is wrong for all who waited; but not that somebody did
 * not want to wait: -EAGAIN. */
static int share_failure(const struct decoded *decoded, struct err *err)
{
	if (decoded->failure.code == EINTR)
		return -EAGAIN;
	*err = decoded->failure;
	return -err->code;
}

/* Finds or announces it: 1 to be brought by the caller, 0 there. -EAGAIN: it
 * was another's to bring, who gave up. */
static int claim(struct span_cache *cache, const struct layer *layer,
    uint32_t span, uint64_t size, struct decoded **out, struct err *err)
{
	struct decoded *decoded;
	int r = 0;

	monitor_enter(&cache->monitor);
	decoded = find(cache, layer, span);
	if (decoded) {
		decoded->holds++;
		age_out(cache, decoded);
		age_in(cache, decoded);
		r = await(cache, decoded, err);
		if (r == 0 && decoded->state == DECODED_FAILED)
			r = share_failure(decoded, err);
	} else {
		decoded = announce(cache, layer, span, size);
		r = decoded ? 1 : err_nomem(err);
	}
	monitor_leave(&cache->monitor);
	*out = decoded;
	return r;
}

int span_find(struct span_cache *cache, const struct layer *layer,
    uint32_t span, struct decoded **out, struct err *err)
{
	struct decoded *decoded;

	monitor_enter(&cache->monitor);
	decoded = find(cache, layer, span);
	if (decoded && decoded->state == DECODED_THERE) {
		decoded->holds++;
		age_out(cache, decoded);
		age_in(cache, decoded);
		*out = decoded;
	} else {
		decoded = NULL;
	}
	monitor_leave(&cache->monitor);
	return decoded ? 0 : err_set(err, EAGAIN, "not decoded");
}

/* number: with STORED, or without. */
static int get(struct span_cache *cache, struct layer *layer, uint32_t number,
    const struct layer_span *span, uint64_t size, uint64_t window,
    struct decoded **out, struct err *err)
{
	CLEANUP(decoded_put_p) struct decoded *decoded = NULL;
	int r;

	do {
		decoded_put(steal(&decoded));
		r = claim(cache, layer, number, size, &decoded, err);
	} while (r == -EAGAIN);
	if (r == 1)
		r = bring(decoded, layer, span, window, err);
	if (r == 0)
		*out = steal(&decoded);
	return r;
}

int span_get(struct span_cache *cache, struct layer *layer, uint32_t number,
    const struct layer_span *span, uint64_t window, struct decoded **out,
    struct err *err)
{
	return get(cache, layer, number, span, span->out_len, window, out, err);
}

int span_get_stored(struct span_cache *cache, struct layer *layer,
    uint32_t number, const struct layer_span *span, uint64_t window,
    struct decoded **out, struct err *err)
{
	return get(cache, layer, number | STORED, span, span->in_len, window,
	    out, err);
}
