/* SPDX-License-Identifier: Apache-2.0 */
/* status.json */
#include "status.h"

#include <stdlib.h>
#include <unistd.h>

#include "base/json.h"

static double seconds_since(const struct timespec *then)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)(now.tv_sec - then->tv_sec) +
	       (double)(now.tv_nsec - then->tv_nsec) / 1e9;
}

/* Those that are there now: a newer one comes before the first. */
static int take_sources(const struct mount *mount, struct status *out,
    struct err *err)
{
	const struct mount_source *first = mount_source_first(mount), *source;
	size_t count = 0;

	for (source = first; source; source = source->next)
		count++;
	out->sources = calloc(count + 1, sizeof(*out->sources));
	if (!out->sources)
		return err_nomem(err);
	out->source_count = count;
	/* In the order in which they were opened. */
	for (source = first; source; source = source->next) {
		struct source *from = images_source(source->images);

		out->sources[--count] = (struct status_source){
		    .name = source_name(from),
		    .kind = source_kind(from),
		    .directory = source->name,
		    .namespace = source->base,
		    .limit = source_limit(from),
		};
	}
	return 0;
}

int status_take(struct mount *mount, struct status *out, struct err *err)
{
	struct pushes *pushes = images_shared_pushes(mount->images_shared);
	int r;

	*out = (struct status){
	    .version = REGISTRYFS_VERSION,
	    .mountpoint = mount->mountpoint,
	    .cache_dir = mount->cache_dir,
	    .cache_size = mount->cache_size,
	    .read_only = mount->read_only,
	    .pid = getpid(),
	    .started = mount->started.tv_sec,
	    .uptime = seconds_since(&mount->started_clock),
	    .ended = pushes_count(pushes),
	};
	if (mount->http)
		out->http = http_count(mount->http);
	store_stats(mount->store, &out->store);
	r = take_sources(mount, out, err);
	return r < 0 ? r
		     : pushes_list(pushes, &out->pushes, &out->push_count, err);
}

void status_release(struct status *status)
{
	free(status->pushes);
	free(status->sources);
}

static void print_push(struct json *json, const struct push_info *push)
{
	json_open(json, NULL, '{');
	json_text(json, "registry", push->registry);
	json_text(json, "repository", push->repository);
	json_text(json, "tag", push->tag);
	json_text(json, "state", push->complete ? "sending" : "receiving");
	json_time(json, "began", push->began);
	json_count(json, "received_bytes", push->received);
	json_count(json, "sent_bytes", push->sent);
	json_count(json, "layers", push->layers);
	json_count(json, "layers_done", push->layers_done);
	json_close(json, '}');
}

static void print_pushes(struct json *json, const struct status *status)
{
	json_open(json, "pushes", '[');
	for (size_t i = 0; i < status->push_count; i++)
		print_push(json, &status->pushes[i]);
	json_close(json, ']');
	json_count(json, "pushes_done", status->ended.done);
	json_count(json, "pushes_failed", status->ended.failed);
}

static void print_cache(struct json *json, const struct status *status)
{
	const struct store_stats *store = &status->store;

	json_open(json, "cache", '{');
	json_text(json, "directory", status->cache_dir);
	json_count(json, "held_bytes", store->held);
	json_count(json, "limit_bytes", status->cache_size);
	json_count(json, "hits", store->hits);
	json_count(json, "fetches", store->fetches);
	json_count(json, "fetched_bytes", store->fetched);
	json_count(json, "evicted_bytes", store->evicted);
	json_count(json, "mismatches", store->mismatches);
	json_close(json, '}');
}

static void print_network(struct json *json, const struct http_counters *http)
{
	json_open(json, "network", '{');
	json_count(json, "requests", http->requests);
	json_count(json, "received_bytes", http->bytes_received);
	json_count(json, "sent_bytes", http->bytes_sent);
	json_close(json, '}');
}

static void print_limit(struct json *json, const struct source_limit *limit)
{
	bool said = limit->quota.at != 0, refused = limit->refusal.at != 0;

	if (!said && !refused) {
		json_null(json, "rate_limit");
		return;
	}
	json_open(json, "rate_limit", '{');
	json_time(json, "said", limit->quota.at);
	json_count(json, "limit", said ? limit->quota.limit : UINT64_MAX);
	json_count(json, "remaining",
	    said ? limit->quota.remaining : UINT64_MAX);
	json_count(json, "window_seconds",
	    said ? limit->quota.window : UINT64_MAX);
	json_text(json, "source",
	    *limit->quota.source ? limit->quota.source : NULL);
	json_time(json, "refused", limit->refusal.at);
	json_count(json, "retry_after_seconds",
	    refused ? limit->refusal.retry_after : UINT64_MAX);
	json_close(json, '}');
}

static void print_sources(struct json *json, const struct status *status)
{
	json_open(json, "sources", '[');
	for (size_t i = 0; i < status->source_count; i++) {
		const struct status_source *source = &status->sources[i];

		json_open(json, NULL, '{');
		json_text(json, "name", source->name);
		json_text(json, "kind", source->kind);
		json_text(json, "directory", source->directory);
		json_text(json, "namespace", source->namespace);
		print_limit(json, &source->limit);
		json_close(json, '}');
	}
	json_close(json, ']');
}

int status_print(const struct status *status, struct buf *out, struct err *err)
{
	struct json json = JSON_INIT(out, true, err);

	json_open(&json, NULL, '{');
	json_text(&json, "version", status->version);
	json_text(&json, "mountpoint", status->mountpoint);
	json_bool(&json, "read_only", status->read_only);
	json_count(&json, "pid", (uint64_t)status->pid);
	json_time(&json, "started", status->started);
	json_seconds(&json, "uptime_seconds", status->uptime);
	print_sources(&json, status);
	print_pushes(&json, status);
	print_cache(&json, status);
	print_network(&json, &status->http);
	json_close(&json, '}');
	return json.r;
}
