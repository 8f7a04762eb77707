/* SPDX-License-Identifier: Apache-2.0 */
/* The network thread. */
#include "engine.h"

#include <errno.h>
#include <time.h>

#include "base/budget.h"
#include "base/lock.h"
#include "base/thread.h"
#include "transfer.h"

enum {
	/* Only a bound: orders wake the thread, and libcurl has timers of its
	 * own. */
	POLL_WAIT = 60 * 1000, /* ms */
	/* How often it is looked at how fast transfers move: seldom enough to
	 * cost nothing, often enough to tell a burst from a stream. */
	WATCH_MIN = 50,
	WATCH_MAX = 500,
};

/* False for a response that is done. */
static bool enqueue(struct engine *engine, struct http_response *r,
    unsigned order)
{
	SCOPED_LOCK(&engine->monitor.mutex);

	if (r->finished)
		return false;
	if (!r->orders)
		TAILQ_INSERT_TAIL(&engine->ordered, r, ordered);
	r->orders |= order;
	return true;
}

/* The first of the queue with its orders, or NULL. */
static struct http_response *dequeue(struct engine *engine, unsigned *orders)
{
	SCOPED_LOCK(&engine->monitor.mutex);
	struct http_response *r = TAILQ_FIRST(&engine->ordered);

	if (!r)
		return NULL;
	TAILQ_REMOVE(&engine->ordered, r, ordered);
	*orders = r->orders;
	r->orders = 0;
	return r;
}

void engine_order(struct engine *engine, struct http_response *r,
    unsigned order)
{
	if (enqueue(engine, r, order))
		curl_multi_wakeup(engine->multi);
}

/* Whether the response may start; if not, it is finished. */
static bool admit(struct engine *engine, struct http_response *r)
{
	SCOPED_LOCK(&engine->monitor.mutex);

	if (engine->stopping) {
		r->finished = true;
		return false;
	}
	TAILQ_INSERT_TAIL(&engine->ordered, r, ordered);
	r->orders = ORDER_START;
	return true;
}

int engine_start(struct engine *engine, struct http_response *r,
    struct err *err)
{
	if (admit(engine, r)) {
		curl_multi_wakeup(engine->multi);
		return 0;
	}
	err_set(err, ESHUTDOWN, "%s %s: shutting down", r->method, r->shown);
	response_set_done(r, err);
	return -ESHUTDOWN;
}

/* From here on nobody orders anything, so that nothing leads to the response
 * once its reader frees it. */
static void refuse_orders(struct engine *engine, struct http_response *r)
{
	SCOPED_LOCK(&engine->monitor.mutex);

	if (r->orders)
		TAILQ_REMOVE(&engine->ordered, r, ordered);
	r->orders = 0;
	r->finished = true;
}

/* The last that this thread does with a response. */
static void finish(struct engine *engine, struct http_response *r,
    const struct err *result)
{
	atomic_fetch_add(&engine->counts.sent, transfer_sent(r));
	refuse_orders(engine, r);
	response_set_done(r, result);
}

static void end_running(struct engine *engine, struct http_response *r,
    const struct err *result)
{
	curl_multi_remove_handle(engine->multi, r->easy);
	LIST_REMOVE(r, running);
	finish(engine, r, result);
}

static void start(struct engine *engine, struct http_response *r)
{
	struct err err = ERR_INIT;

	if (curl_multi_add_handle(engine->multi, r->easy) == CURLM_OK) {
		LIST_INSERT_HEAD(&engine->running, r, running);
		return;
	}
	err_nomem(&err);
	finish(engine, r, &err);
}

static void cancel(struct engine *engine, struct http_response *r,
    unsigned orders)
{
	struct err err = ERR_INIT;

	err_set(&err, EINTR, "%s %s: given up", r->method, r->shown);
	if (orders & ORDER_START)
		finish(engine, r, &err);
	else
		end_running(engine, r, &err);
}

static void resume(struct http_response *r)
{
	pace_start(&r->pace, budget_clock());
	curl_easy_pause(r->easy, CURLPAUSE_CONT);
}

static void carry_out(struct engine *engine)
{
	struct http_response *r;
	unsigned orders;

	while ((r = dequeue(engine, &orders))) {
		if (orders & ORDER_CANCEL)
			cancel(engine, r, orders);
		else if (orders & ORDER_START)
			start(engine, r);
		else
			resume(r);
	}
}

static void reap(struct engine *engine)
{
	CURLMsg *message;
	int left;

	while ((message = curl_multi_info_read(engine->multi, &left))) {
		struct http_response *r;
		struct err err = ERR_INIT;

		if (message->msg != CURLMSG_DONE)
			continue;
		curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &r);
		transfer_result(r, message->data.result, &err);
		end_running(engine, r, &err);
	}
}

static bool is_stopping(struct engine *engine)
{
	SCOPED_LOCK(&engine->monitor.mutex);

	return engine->stopping;
}

static void notify_readers(struct engine *engine)
{
	struct http_response *r;

	LIST_FOREACH(r, &engine->running, running)
	response_notify(r);
}

static void end_all(struct engine *engine, int code, const char *words)
{
	struct http_response *r;

	while ((r = LIST_FIRST(&engine->running))) {
		struct err err = ERR_INIT;

		err_set(&err, code, "%s %s: %s", r->method, r->shown, words);
		end_running(engine, r, &err);
	}
}

/* Ends what has stalled. How long to wait until one of the others can have. */
static int watch(struct engine *engine)
{
	struct http_response *r, *next;
	uint64_t now = budget_clock();
	uint64_t wait = LIST_FIRST(&engine->running) ? WATCH_MAX : POLL_WAIT;

	if (now - engine->watched < WATCH_MIN)
		return WATCH_MIN;
	engine->watched = now;
	for (r = LIST_FIRST(&engine->running); r; r = next) {
		struct err err = ERR_INIT;

		next = LIST_NEXT(r, running);
		if (!pace_go_on(&r->pace, transfer_moved(r), now)) {
			transfer_result(r, CURLE_OPERATION_TIMEDOUT, &err);
			end_running(engine, r, &err);
		} else if (pace_left(&r->pace) < wait) {
			wait = pace_left(&r->pace);
		}
	}
	return wait > WATCH_MIN ? (int)wait : WATCH_MIN;
}

static void *run(void *arg)
{
	struct engine *engine = arg;

	while (!is_stopping(engine)) {
		CURLMcode c;
		int running, wait;

		carry_out(engine);
		c = curl_multi_perform(engine->multi, &running);
		reap(engine);
		wait = watch(engine);
		notify_readers(engine);
		if (c == CURLM_OK)
			c = curl_multi_poll(engine->multi, NULL, 0, wait, NULL);
		if (c != CURLM_OK)
			end_all(engine, EIO, curl_multi_strerror(c));
	}
	/* What was ordered before it stopped; nothing new is admitted. */
	carry_out(engine);
	end_all(engine, ESHUTDOWN, "shutting down");
	return NULL;
}

static int start_thread(struct engine *engine, struct err *err)
{
	errno = thread_start(&engine->thread, NULL, run, engine);
	if (errno)
		return err_sys(err, "cannot start the network thread");
	pthread_setname_np(engine->thread, "http");
	return 0;
}

int engine_init(struct engine *engine, unsigned host_connections,
    struct err *err)
{
	int r;

	LIST_INIT(&engine->running);
	TAILQ_INIT(&engine->ordered);
	sockets_init(&engine->sockets);
	engine->stopping = false;
	engine->watched = 0;
	atomic_init(&engine->counts.requests, 0);
	atomic_init(&engine->counts.received, 0);
	atomic_init(&engine->counts.sent, 0);
	engine->multi = curl_multi_init();
	if (!engine->multi)
		return err_nomem(err);
	/* Transfers that share a connection share its speed. */
	curl_multi_setopt(engine->multi, CURLMOPT_PIPELINING,
	    (long)CURLPIPE_NOTHING);
	curl_multi_setopt(engine->multi, CURLMOPT_MAX_HOST_CONNECTIONS,
	    (long)host_connections);
	monitor_init(&engine->monitor);
	r = start_thread(engine, err);
	if (r < 0) {
		monitor_release(&engine->monitor);
		curl_multi_cleanup(engine->multi);
	}
	return r;
}

void engine_stop(struct engine *engine)
{
	pthread_mutex_lock(&engine->monitor.mutex);
	engine->stopping = true;
	monitor_notify(&engine->monitor);
	pthread_mutex_unlock(&engine->monitor.mutex);
	curl_multi_wakeup(engine->multi);
}

void engine_release(struct engine *engine)
{
	pthread_join(engine->thread, NULL);
	curl_multi_cleanup(engine->multi);
	sockets_release(&engine->sockets);
	monitor_release(&engine->monitor);
}

static struct timespec from_now(uint64_t ms)
{
	struct timespec when;

	clock_gettime(CLOCK_MONOTONIC, &when);
	when.tv_sec += (time_t)(ms / 1000);
	when.tv_nsec += (long)(ms % 1000) * 1000000;
	if (when.tv_nsec >= 1000000000) {
		when.tv_nsec -= 1000000000;
		when.tv_sec++;
	}
	return when;
}

int engine_sleep(struct engine *engine, uint64_t ms)
{
	struct timespec end = from_now(ms);
	struct monitor *m = &engine->monitor;
	bool stopping;
	int r = 0;

	monitor_enter(m);
	while (!engine->stopping && !task_interrupted() && r != ETIMEDOUT)
		r = pthread_cond_clockwait(&m->changed, &m->mutex,
		    CLOCK_MONOTONIC, &end);
	stopping = engine->stopping;
	monitor_leave(m);
	if (stopping)
		return -ESHUTDOWN;
	return task_interrupted() ? -EINTR : 0;
}
