/* SPDX-License-Identifier: Apache-2.0 */
/* metrics: names end in their unit, counters in _total. */
#include "metrics.h"

#include "base/escape.h"

struct metrics {
	struct buf *out;
	struct err *err;
	int r; /* 0, or what went wrong: then nothing more is written */
};

static void describe(struct metrics *m, const char *name, const char *type,
    const char *help)
{
	if (m->r == 0)
		m->r = buf_addf(m->out, m->err,
		    "# HELP registryfs_%s %s\n# TYPE registryfs_%s %s\n", name,
		    help, name, type);
}

/* labels: as they are written, with their braces; or "". */
static void sample(struct metrics *m, const char *name, const char *labels,
    uint64_t value)
{
	if (m->r == 0)
		m->r = buf_addf(m->out, m->err, "registryfs_%s%s %llu\n", name,
		    labels, (unsigned long long)value);
}

static void counter(struct metrics *m, const char *name, uint64_t value,
    const char *help)
{
	describe(m, name, "counter", help);
	sample(m, name, "", value);
}

static void gauge(struct metrics *m, const char *name, uint64_t value,
    const char *help)
{
	describe(m, name, "gauge", help);
	sample(m, name, "", value);
}

static int add_label(struct buf *out, const char *before, const char *name,
    const char *value, struct err *err)
{
	int r = buf_addf(out, err, "%s%s=", before, name);

	return r < 0 ? r : escape_label(out, value, err);
}

static void print_info(struct metrics *m, const struct status *status)
{
	struct buf *out = m->out;

	describe(m, "info", "gauge", "What is mounted where.");
	if (m->r == 0)
		m->r = add_label(out, "registryfs_info{", "version",
		    status->version, m->err);
	if (m->r == 0)
		m->r =
		    add_label(out, ",", "registry", status->registry, m->err);
	if (m->r == 0)
		m->r =
		    add_label(out, ",", "namespace", status->namespace, m->err);
	if (m->r == 0)
		m->r = add_label(out, ",", "mountpoint", status->mountpoint,
		    m->err);
	if (m->r == 0)
		m->r = buf_addstr(out, "} 1\n", m->err);
	gauge(m, "start_time_seconds", (uint64_t)status->started,
	    "When it was mounted, in seconds since 1970.");
}

static void print_pushes(struct metrics *m, const struct status *status)
{
	uint64_t received = 0, sent = 0;

	for (size_t i = 0; i < status->push_count; i++) {
		received += status->pushes[i].received;
		sent += status->pushes[i].sent;
	}
	describe(m, "pushes_total", "counter", "Pushes that have ended.");
	sample(m, "pushes_total", "{result=\"done\"}", status->ended.done);
	sample(m, "pushes_total", "{result=\"failed\"}", status->ended.failed);
	gauge(m, "pushes_under_way", status->push_count,
	    "Pushes that have not ended.");
	gauge(m, "pushes_under_way_received_bytes", received,
	    "Bytes of their archives that have come in.");
	gauge(m, "pushes_under_way_sent_bytes", sent,
	    "Bytes of blobs that they have sent.");
}

static void print_cache(struct metrics *m, const struct status *status)
{
	const struct store_stats *store = &status->store;

	gauge(m, "cache_held_bytes", store->held,
	    "Bytes in the cache directory.");
	gauge(m, "cache_limit_bytes", status->cache_size,
	    "Bytes that are kept there at most.");
	counter(m, "cache_hits_total", store->hits,
	    "Blobs that were there when they were asked for.");
	counter(m, "cache_fetches_total", store->fetches,
	    "Transfers of blobs that were begun.");
	counter(m, "cache_fetched_bytes_total", store->fetched,
	    "Bytes of blobs that came from the registry.");
	counter(m, "cache_evicted_bytes_total", store->evicted,
	    "Bytes that were removed to keep the limit.");
	counter(m, "cache_mismatches_total", store->mismatches,
	    "Transfers whose digest or size was wrong.");
}

static void print_network(struct metrics *m, const struct http_counters *http)
{
	counter(m, "requests_total", http->requests,
	    "HTTP requests that were sent, each attempt.");
	counter(m, "received_bytes_total", http->bytes_received,
	    "Bytes of bodies that came in.");
	counter(m, "sent_bytes_total", http->bytes_sent,
	    "Bytes of bodies that were sent.");
}

static void known_gauge(struct metrics *m, const char *name, uint64_t value,
    const char *help)
{
	if (value != UINT64_MAX)
		gauge(m, name, value, help);
}

static void print_limit(struct metrics *m, const struct registry_limit *limit)
{
	if (limit->quota.at) {
		known_gauge(m, "rate_limit_requests", limit->quota.limit,
		    "Requests that the registry allows in its window.");
		known_gauge(m, "rate_limit_remaining_requests",
		    limit->quota.remaining,
		    "How many of them are left, as it said last.");
		known_gauge(m, "rate_limit_window_seconds", limit->quota.window,
		    "How long the window is.");
	}
	if (limit->refusal.at)
		gauge(m, "rate_limit_refused_time_seconds",
		    (uint64_t)limit->refusal.at,
		    "When it last refused one, in seconds since 1970.");
}

int metrics_print(const struct status *status, struct buf *out, struct err *err)
{
	struct metrics m = {out, err, 0};

	print_info(&m, status);
	print_pushes(&m, status);
	print_cache(&m, status);
	print_network(&m, &status->http);
	print_limit(&m, &status->limit);
	return m.r;
}
