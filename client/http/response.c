/* SPDX-License-Identifier: Apache-2.0 */
/* The side of a response that its reader sees. */
#include "response.h"

#include <errno.h>
#include <string.h>
#include <time.h>

#include "base/lock.h"
#include "base/log.h"
#include "engine.h"
#include "transfer.h"
#include "url.h"

/* A connection is worth reading this much; a new one costs some round trips. */
enum { DRAIN_LIMIT = 64 * 1024 };

static uint64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

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
	r->started = now_ms();
	r->body = request->body;
	r->tls = (struct tls){request->tls, to->own_origin, &r->cause};
	r->shown = url_shown(to->url, err);
	if (!r->shown)
		return NULL;
	r->method = strdup(request->method);
	r->url = strdup(to->url);
	if (!r->method || !r->url) {
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

/* Takes what is there; *resume when the ring has run half empty. */
static size_t take(struct http_response *r, void *data, size_t len,
    bool *resume)
{
	size_t n = ring_take(&r->ring, data, len);

	*resume = r->paused && r->ring.len <= r->ring.cap / 2;
	if (*resume)
		r->paused = false;
	return n;
}

ssize_t http_read(struct http_response *r, void *data, size_t len,
    struct err *err)
{
	bool resume, done;
	size_t n;
	int w = 0;

	monitor_enter(&r->monitor);
	while (r->ring.len == 0 && !r->done && w == 0)
		w = monitor_wait(&r->monitor);
	n = take(r, data, len, &resume);
	done = r->done;
	monitor_leave(&r->monitor);
	if (resume)
		engine_order(r->engine, r, ORDER_RESUME);
	if (n > 0 || len == 0)
		return (ssize_t)n;
	if (done && !r->result.code)
		return 0;
	if (done) {
		*err = r->result;
		return -err->code;
	}
	engine_order(r->engine, r, ORDER_CANCEL);
	return set_interrupted(r, err);
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
	struct err ignored = ERR_INIT;
	ssize_t n = 1;

	if (left > DRAIN_LIMIT)
		return;
	for (size_t sum = 0; n > 0 && sum < DRAIN_LIMIT; sum += (size_t)n)
		n = http_read(r, chunk, sizeof(chunk), &ignored);
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
	unsigned long long ms = now_ms() - r->started;

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
