/* SPDX-License-Identifier: Apache-2.0 */
/* The side of a response that its reader sees. */
#include "response.h"

#include <errno.h>
#include <string.h>

#include "base/budget.h"
#include "base/lock.h"
#include "base/log.h"
#include "base/strf.h"
#include "cost.h"
#include "engine.h"
#include "grammar/url.h"
#include "transfer.h"

enum {
	/* Some round trips of a fast line; few enough that dozens of slow
	 * readers stay within some megabytes. */
	RING_SIZE = 256 * 1024,
	/* A connection is worth reading this much; a new one costs some round
	 * trips. */
	DRAIN_LIMIT = 64 * 1024,
};

static void response_free(struct http_response *r)
{
	curl_easy_cleanup(r->easy);
	curl_slist_free_all(r->fields);
	header_release(&r->header);
	ring_release(&r->ring);
	monitor_release(&r->monitor);
	free(r->method);
	free(r->url);
	free(r->shown);
	free(r->what);
	free(r);
}

DEFINE_CLEANUP(struct http_response *, response_free);

struct http_response *response_new(struct engine *engine,
    const struct http_options *options, const struct http_request *request,
    const struct destination *to, struct err *err)
{
	CLEANUP(response_free_p)
	struct http_response *r = calloc(1, sizeof(*r));

	if (!r) {
		err_nomem(err);
		return NULL;
	}
	monitor_init(&r->monitor);
	header_init(&r->header);
	r->engine = engine;
	r->counts = &engine->counts;
	r->sockets = &engine->sockets;
	r->socket = -1;
	r->started = budget_clock();
	r->limit = UINT64_MAX;
	r->bulk = request->bulk;
	r->body = request->body;
	r->tls = (struct tls){request->tls, to->own_origin, &r->cause};
	r->shown = url_shown(to->url, err);
	if (!r->shown)
		return NULL;
	r->method = strdup(request->method);
	r->url = strdup(to->url);
	r->what = strf("%s %s", request->method, request->url);
	r->pace = cost_pace(options);
	if (!r->method || !r->url || !r->what) {
		err_nomem(err);
		return NULL;
	}
	if (transfer_init(r, options, request, err) < 0)
		return NULL;
	return steal(&r);
}

void response_set_headed(struct http_response *r)
{
	SCOPED_LOCK(&r->monitor.mutex);

	r->headed = true;
	monitor_notify(&r->monitor);
}

/* No more than the body needs, but what libcurl gives at once always fits. */
static size_t ring_size(const struct http_response *r)
{
	int64_t length = header_length(&r->header);

	if (length < 0 || length > RING_SIZE)
		return RING_SIZE;
	return length > CURL_MAX_WRITE_SIZE ? (size_t)length
					    : CURL_MAX_WRITE_SIZE;
}

int response_put(struct http_response *r, const void *data, size_t len)
{
	SCOPED_LOCK(&r->monitor.mutex);
	size_t before = r->ring.len;

	if (!r->ring.data && ring_init(&r->ring, ring_size(r)) < 0)
		return -ENOMEM;
	r->paused = !ring_put(&r->ring, data, len);
	if (!r->paused)
		r->received += len;
	/* Not for every piece: a reader that wakes for each spends its time on
	 * waking. response_notify() tells of what is left. */
	r->fresh = !r->paused && r->ring.len < r->ring.cap / 2;
	if (!r->fresh && before < r->ring.cap / 2)
		monitor_notify(&r->monitor);
	return r->paused ? 0 : 1;
}

void response_notify(struct http_response *r)
{
	if (!r->fresh)
		return;
	SCOPED_LOCK(&r->monitor.mutex);
	r->fresh = false;
	monitor_notify(&r->monitor);
}

void response_set_done(struct http_response *r, const struct err *result)
{
	SCOPED_LOCK(&r->monitor.mutex);

	r->result = *result;
	r->headed = r->headed || !result->code;
	r->done = true;
	monitor_notify(&r->monitor);
}

static int set_interrupted(const struct http_response *r, struct err *err)
{
	return err_set(err, EINTR, "%s %s: interrupted", r->method, r->shown);
}

int response_wait(struct http_response *r, struct err *err)
{
	bool headed;
	int w = 0;

	monitor_enter(&r->monitor);
	while (!r->headed && !r->done && w == 0)
		w = monitor_wait(&r->monitor);
	headed = r->headed;
	if (!headed && r->done)
		*err = r->result;
	else if (!headed)
		set_interrupted(r, err);
	monitor_leave(&r->monitor);
	return headed ? 0 : -err->code;
}

/* Waits for bytes of the body: how many lie at *data in one piece, 0 at its
 * end, or -errno. */
static ssize_t wait_body(struct http_response *r, const char **data,
    struct err *err)
{
	ssize_t n = 0;
	int w = 0;

	monitor_enter(&r->monitor);
	while (r->ring.len == 0 && !r->done && w == 0)
		w = monitor_wait(&r->monitor);
	if (r->ring.len > 0) {
		n = (ssize_t)ring_front(&r->ring, data);
	} else if (!r->done) {
		n = set_interrupted(r, err);
	} else if (r->result.code) {
		*err = r->result;
		n = -err->code;
	}
	monitor_leave(&r->monitor);
	return n;
}

/* Whether the transfer should go on, since half of the ring is free again. */
static bool drop_read(struct http_response *r, size_t n)
{
	SCOPED_LOCK(&r->monitor.mutex);
	bool resume;

	ring_drop(&r->ring, n);
	resume = r->paused && r->ring.len <= r->ring.cap / 2;
	if (resume)
		r->paused = false;
	return resume;
}

/* Where the body ends at the limit its reader waits for the transfer's end:
 * then the connection can be used again. */
static bool ends_here(const struct http_response *r)
{
	int64_t length = http_length(r);

	return length >= 0 && (uint64_t)length == r->taken;
}

void http_limit(struct http_response *r, uint64_t len)
{
	if (len < UINT64_MAX - r->taken)
		r->limit = r->taken + len;
}

ssize_t http_read(struct http_response *r, void *data, size_t len,
    struct err *err)
{
	const char *body;
	ssize_t n;

	if (r->taken == r->limit && !ends_here(r))
		return 0;
	n = wait_body(r, &body, err);
	if (n == -EINTR)
		engine_order(r->engine, r, ORDER_CANCEL);
	if (n <= 0)
		return n;
	if (len > r->limit - r->taken)
		len = (size_t)(r->limit - r->taken);
	if ((size_t)n > len)
		n = (ssize_t)len;
	/* Not under the lock: the network thread writes on meanwhile. */
	memcpy(data, body, (size_t)n);
	r->taken += (uint64_t)n;
	if (drop_read(r, (size_t)n))
		engine_order(r->engine, r, ORDER_RESUME);
	return n;
}

int http_read_all(struct http_response *r, struct buf *out, struct err *err)
{
	char chunk[16 * 1024];
	ssize_t n;

	while ((n = http_read(r, chunk, sizeof(chunk), err)) > 0)
		if (buf_add(out, chunk, (size_t)n, err) < 0)
			return err_wrap(err, "%s %s", r->method, r->shown);
	return (int)n;
}

void response_drain(struct http_response *r)
{
	int64_t left = http_length(r);
	char chunk[4096];
	ssize_t n = 1;

	if (left > DRAIN_LIMIT)
		return;
	for (size_t sum = 0; n > 0 && sum < DRAIN_LIMIT; sum += (size_t)n)
		n = http_read(r, chunk, sizeof(chunk), ERR_IGNORE);
}

/* Even an interrupted thread has to wait for this: the network thread may be in
 * one of the response's callbacks. */
static void wait_done(struct http_response *r)
{
	SCOPED_LOCK(&r->monitor.mutex);

	while (!r->done)
		pthread_cond_wait(&r->monitor.changed, &r->monitor.mutex);
}

static void log_response(const struct http_response *r)
{
	unsigned long long ms = budget_clock() - r->started;

	log_debug(LOG_HTTP, "%s %s: %d, %llu bytes in, %llu out, %llu ms",
	    r->method, r->shown, r->header.status,
	    (unsigned long long)r->received,
	    (unsigned long long)transfer_sent(r), ms);
	if (r->result.code)
		log_debug(LOG_HTTP, "%s", r->result.msg);
}

void http_close(struct http_response *r)
{
	if (!r)
		return;
	engine_order(r->engine, r, ORDER_CANCEL);
	wait_done(r);
	cost_charge(r);
	log_response(r);
	response_free(r);
}

int http_status(const struct http_response *r)
{
	return r->header.status;
}

const char *http_header(const struct http_response *r, const char *name)
{
	return header_get(&r->header, name, 0);
}

const char *http_header_nth(const struct http_response *r, const char *name,
    size_t n)
{
	return header_get(&r->header, name, n);
}

int64_t http_length(const struct http_response *r)
{
	return header_length(&r->header);
}

const char *http_url(const struct http_response *r)
{
	return r->url;
}
