/* SPDX-License-Identifier: Apache-2.0 */
/*
 * metrics: names end in their unit, counters in _total. All have the mount
 * point as a label, so that one collector can take those of several mounts.
 */
#include "metrics.h"

#include "base/escape.h"

/* Some kilobytes of a path, each of which can become three. */
enum { LABEL_MAX = 16 << 10 };

struct metrics {
	struct buf *out;
	struct buf mountpoint; /* that label */
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

/* labels: more of them, as they are written, each behind a comma. */
static void sample(struct metrics *m, const char *name, const char *labels,
    uint64_t value)
{
	if (m->r == 0)
		m->r = buf_addf(m->out, m->err, "registryfs_%s{%s%s} %llu\n",
		    name, buf_str(&m->mountpoint), labels,
		    (unsigned long long)value);
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

static void add_label(struct metrics *m, struct buf *out, const char *start,
    const char *value)
{
	if (m->r == 0)
		m->r = buf_addf(out, m->err, "%s=", start);
	if (m->r == 0)
		m->r = escape_label(out, value, m->err);
}

/* The label by which one tells the sources of a mount apart. */
static void add_registry(struct metrics *m, struct buf *out,
    const struct status_source *source)
{
	add_label(m, out, ",registry", source->name);
}

static void print_source_info(struct metrics *m,
    const struct status_source *source)
{
	AUTO_BUF struct buf labels = BUF_INIT(LABEL_MAX);

	add_registry(m, &labels, source);
	add_label(m, &labels, ",namespace", source->namespace);
	sample(m, "source_info", buf_str(&labels), 1);
}

static void print_info(struct metrics *m, const struct status *status)
{
	AUTO_BUF struct buf labels = BUF_INIT(LABEL_MAX);

	add_label(m, &labels, ",version", status->version);
	describe(m, "info", "gauge", "What is mounted where.");
	sample(m, "info", buf_str(&labels), 1);
	describe(m, "source_info", "gauge", "Where images come from.");
	for (size_t i = 0; i < status->source_count; i++)
		print_source_info(m, &status->sources[i]);
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
	sample(m, "pushes_total", ",result=\"done\"", status->ended.done);
	sample(m, "pushes_total", ",result=\"failed\"", status->ended.failed);
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

/* One value of a limit, of all sources that have said it. */
struct limit_gauge {
	const char *name, *help;
	uint64_t (*value)(const struct source_limit *limit);
};

static uint64_t quota_limit(const struct source_limit *limit)
{
	return limit->quota.at ? limit->quota.limit : UINT64_MAX;
}

static uint64_t quota_remaining(const struct source_limit *limit)
{
	return limit->quota.at ? limit->quota.remaining : UINT64_MAX;
}

static uint64_t quota_window(const struct source_limit *limit)
{
	return limit->quota.at ? limit->quota.window : UINT64_MAX;
}

static uint64_t refused_at(const struct source_limit *limit)
{
	return limit->refusal.at ? (uint64_t)limit->refusal.at : UINT64_MAX;
}

static const struct limit_gauge limit_gauges[] = {
    {"rate_limit_requests", "Requests that the registry allows in its window.",
	quota_limit},
    {"rate_limit_remaining_requests",
	"How many of them are left, as it said last.", quota_remaining},
    {"rate_limit_window_seconds", "How long the window is.", quota_window},
    {"rate_limit_refused_time_seconds",
	"When it last refused one, in seconds since 1970.", refused_at},
};

enum { LIMIT_GAUGES = sizeof(limit_gauges) / sizeof(*limit_gauges) };

static void print_limit(struct metrics *m, const struct status *status,
    const struct limit_gauge *gauge)
{
	bool described = false;

	for (size_t i = 0; i < status->source_count; i++) {
		const struct status_source *source = &status->sources[i];
		AUTO_BUF struct buf labels = BUF_INIT(LABEL_MAX);
		uint64_t value = gauge->value(&source->limit);

		if (value == UINT64_MAX)
			continue;
		if (!described)
			describe(m, gauge->name, "gauge", gauge->help);
		described = true;
		add_registry(m, &labels, source);
		sample(m, gauge->name, buf_str(&labels), value);
	}
}

int metrics_print(const struct status *status, struct buf *out, struct err *err)
{
	struct metrics m = {out, BUF_INIT(LABEL_MAX), err, 0};

	add_label(&m, &m.mountpoint, "mountpoint", status->mountpoint);
	print_info(&m, status);
	print_pushes(&m, status);
	print_cache(&m, status);
	print_network(&m, &status->http);
	for (size_t i = 0; i < LIMIT_GAUGES; i++)
		print_limit(&m, status, &limit_gauges[i]);
	buf_release(&m.mountpoint);
	return m.r;
}
