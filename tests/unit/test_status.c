/* SPDX-License-Identifier: Apache-2.0 */
/* The status and the metrics of a mount whose names are of the worst kind. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "control/metrics.h"

#define EVIL "/mnt/\"a\\b\"\n\x01\xff"

/* As a label. */
#define LABEL "mountpoint=\"/mnt/\\\"a\\\\b\\\"\\n\x01\ufffd\""

static struct push_info pushes[] = {
    {.repository = "team/app",
	.tag = "1.0",
	.registry = "localhost:5000",
	.began = 951782400,
	.received = 1000,
	.sent = 10,
	.layers = 3,
	.layers_done = 1},
    {.registry = "oci:/srv",
	.repository = "app",
	.tag = "2.0",
	.complete = true,
	.received = 24},
};

static struct status_source sources[] = {
    {.name = "localhost:5000",
	.kind = "registry",
	.directory = "",
	.namespace = "team"},
    {.name = "oci:/srv", .kind = "layout", .directory = "srv", .namespace = ""},
};

static const struct status sample = {
    .version = "1.2",
    .sources = sources,
    .source_count = 2,
    .mountpoint = EVIL,
    .cache_dir = EVIL,
    .cache_size = 1 << 20,
    .pid = 42,
    .started = 951782400,
    .uptime = 1.5,
    .pushes = pushes,
    .push_count = 2,
    .ended = {5, 6},
    .store = {10, 11, 12, 13, 14, 15},
    .http = {20, 21, 22},
};

static void expect(const struct buf *out, const char *text)
{
	if (!strstr(out->data, text))
		fail_msg("%s is not in %s", text, out->data);
}

static void as_json(void **state)
{
	AUTO_BUF struct buf out = BUF_INIT(1 << 16);
	struct err err = ERR_INIT;

	(void)state;
	assert_int_equal(status_print(&sample, &out, &err), 0);
	expect(&out, "\"version\": \"1.2\"");
	expect(&out,
	    "\"mountpoint\": \"/mnt/\\\"a\\\\b\\\"\\u000a\\u0001\ufffd\"");
	expect(&out,
	    "\"directory\": \"/mnt/\\\"a\\\\b\\\"\\u000a\\u0001\ufffd\"");
	expect(&out, "\"started\": \"2000-02-29T00:00:00Z\"");
	expect(&out, "    {\n"
		     "      \"registry\": \"localhost:5000\",\n"
		     "      \"repository\": \"team/app\",\n"
		     "      \"tag\": \"1.0\",\n"
		     "      \"state\": \"receiving\",\n"
		     "      \"began\": \"2000-02-29T00:00:00Z\",\n"
		     "      \"received_bytes\": 1000,\n"
		     "      \"sent_bytes\": 10,\n"
		     "      \"layers\": 3,\n"
		     "      \"layers_done\": 1\n"
		     "    },\n");
	expect(&out, "\"state\": \"sending\"");
	expect(&out, "    {\n"
		     "      \"name\": \"oci:/srv\",\n"
		     "      \"kind\": \"layout\",\n"
		     "      \"directory\": \"srv\",\n"
		     "      \"namespace\": \"\",\n"
		     "      \"rate_limit\": null\n"
		     "    }\n"
		     "  ],\n");
}

static void as_metrics(void **state)
{
	AUTO_BUF struct buf out = BUF_INIT(1 << 16);
	struct err err = ERR_INIT;

	(void)state;
	assert_int_equal(metrics_print(&sample, &out, &err), 0);
	expect(&out, "registryfs_info{" LABEL ",version=\"1.2\"} 1\n");
	expect(&out, "registryfs_source_info{" LABEL
		     ",registry=\"localhost:5000\",namespace=\"team\"} 1\n");
	expect(&out, "registryfs_source_info{" LABEL
		     ",registry=\"oci:/srv\",namespace=\"\"} 1\n");
	expect(&out,
	    "# TYPE registryfs_pushes_total counter\n"
	    "registryfs_pushes_total{" LABEL ",result=\"done\"} 5\n"
	    "registryfs_pushes_total{" LABEL ",result=\"failed\"} 6\n");
	expect(&out, "registryfs_pushes_under_way{" LABEL "} 2\n");
	expect(&out,
	    "registryfs_pushes_under_way_received_bytes{" LABEL "} 1024\n");
	expect(&out, "registryfs_cache_fetched_bytes_total{" LABEL "} 13\n");
	expect(&out, "registryfs_requests_total{" LABEL "} 20\n");
	assert_null(strstr(out.data, "rate_limit"));
}

static void the_rate_limit(void **state)
{
	AUTO_BUF struct buf json = BUF_INIT(1 << 16);
	AUTO_BUF struct buf metrics = BUF_INIT(1 << 16);
	struct status_source source = sources[0];
	struct status status = sample;
	struct err err = ERR_INIT;

	(void)state;
	status.sources = &source;
	status.source_count = 1;
	source.limit.quota.at = 951782400;
	source.limit.quota.limit = 100;
	source.limit.quota.remaining = 76;
	source.limit.quota.window = UINT64_MAX;
	snprintf(source.limit.quota.source, sizeof(source.limit.quota.source),
	    "\"");
	assert_int_equal(status_print(&status, &json, &err), 0);
	assert_int_equal(metrics_print(&status, &metrics, &err), 0);
	expect(&json, "      \"rate_limit\": {\n"
		      "        \"said\": \"2000-02-29T00:00:00Z\",\n"
		      "        \"limit\": 100,\n"
		      "        \"remaining\": 76,\n"
		      "        \"window_seconds\": null,\n"
		      "        \"source\": \"\\\"\",\n"
		      "        \"refused\": null,\n"
		      "        \"retry_after_seconds\": null\n"
		      "      }\n");
	expect(&metrics, "registryfs_rate_limit_remaining_requests{" LABEL
			 ",registry=\"localhost:5000\"} 76\n");
	assert_null(strstr(metrics.data, "window_seconds"));
}

static void a_refusal_alone(void **state)
{
	AUTO_BUF struct buf json = BUF_INIT(1 << 16);
	struct status_source source = sources[0];
	struct status status = sample;
	struct err err = ERR_INIT;

	(void)state;
	status.sources = &source;
	status.source_count = 1;
	source.limit.refusal.at = 951782400;
	source.limit.refusal.retry_after = 30;
	assert_int_equal(status_print(&status, &json, &err), 0);
	expect(&json, "\"said\": null,\n        \"limit\": null,\n");
	expect(&json, "        \"refused\": \"2000-02-29T00:00:00Z\",\n"
		      "        \"retry_after_seconds\": 30\n");
}

static void what_does_not_fit_is_an_error(void **state)
{
	(void)state;
	for (size_t limit = 0; limit < 500; limit++) {
		AUTO_BUF struct buf json = BUF_INIT(limit);
		AUTO_BUF struct buf metrics = BUF_INIT(limit);
		struct err err = ERR_INIT;

		assert_int_equal(status_print(&sample, &json, &err), -EFBIG);
		assert_int_equal(metrics_print(&sample, &metrics, &err),
		    -EFBIG);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(as_json),
	    cmocka_unit_test(as_metrics),
	    cmocka_unit_test(the_rate_limit),
	    cmocka_unit_test(a_refusal_alone),
	    cmocka_unit_test(what_does_not_fit_is_an_error),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
