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

int status_take(struct mount *mount, struct status *out, struct err *err)
{
	struct images *images = mount->source->images;
	struct pushes *pushes = images_pushes(images);

	*out = (struct status){
	    .version = REGISTRYFS_VERSION,
	    .registry = source_name(images_source(images)),
	    .namespace = mount->source->base,
	    .mountpoint = mount->mountpoint,
	    .cache_dir = mount->cache_dir,
	    .cache_size = mount->cache_size,
	    .read_only = mount->read_only,
	    .pid = getpid(),
	    .started = mount->started.tv_sec,
	    .uptime = seconds_since(&mount->started_clock),
	    .http = http_count(mount->http),
	    .limit = source_limit(images_source(images)),
	    .ended = pushes_count(pushes),
	};
	store_stats(images_store(images), &out->store);
	return pushes_list(pushes, &out->pushes, &out->push_count, err);
}

void status_release(struct status *status)
{
	free(status->pushes);
}

static void print_push(struct json *json, const struct push_info *push)
{
	json_open(json, NULL, '{');
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

int status_print(const struct status *status, struct buf *out, struct err *err)
{
	struct json json = JSON_INIT(out, true, err);

	json_open(&json, NULL, '{');
	json_text(&json, "version", status->version);
	json_text(&json, "registry", status->registry);
	json_text(&json, "namespace", status->namespace);
	json_text(&json, "mountpoint", status->mountpoint);
	json_bool(&json, "read_only", status->read_only);
	json_count(&json, "pid", (uint64_t)status->pid);
	json_time(&json, "started", status->started);
	json_seconds(&json, "uptime_seconds", status->uptime);
	print_pushes(&json, status);
	print_cache(&json, status);
	print_network(&json, &status->http);
	print_limit(&json, &status->limit);
	json_close(&json, '}');
	return json.r;
}
