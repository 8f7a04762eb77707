/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The network thread. It alone calls libcurl for what is under way; others
 * leave it orders.
 */
#ifndef CLIENT_HTTP_ENGINE_H
#define CLIENT_HTTP_ENGINE_H

#include <curl/curl.h>
#include <pthread.h>

#include "base/task.h"
#include "counts.h"
#include "response.h"
#include "sockets.h"

struct engine {
	pthread_t thread;
	CURLM *multi; /* the thread's, but for curl_multi_wakeup() */
	LIST_HEAD(, http_response) running; /* the thread's */
	uint64_t watched; /* ms, when it last looked at them; the thread's */
	struct sockets sockets; /* the thread's */

	struct monitor monitor; /* the "engine's lock" */
	/* Under it. */
	TAILQ_HEAD(, http_response) ordered;
	bool stopping;

	struct counts counts;
};

/* Starts the thread. */
int engine_init(struct engine *engine, unsigned host_connections,
    struct err *err);

/* Ends all that is under way with -ESHUTDOWN, and engine_start() from now on.
 * Does not wait. */
void engine_stop(struct engine *engine);

/* After engine_stop(): waits for the thread. */
void engine_release(struct engine *engine);

/*
 * Hands a response to the thread; it is the thread's until it is done. 0 or
 * -ESHUTDOWN, and then it is done, too.
 */
int engine_start(struct engine *engine, struct http_response *response,
    struct err *err);

enum {
	ORDER_START = 1,
	ORDER_RESUME = 2, /* the ring has room again */
	ORDER_CANCEL = 4,
};

/* Nothing for a response that is done. */
void engine_order(struct engine *engine, struct http_response *response,
    unsigned order);

/* 0 after that time, or before it -EINTR or -ESHUTDOWN. */
int engine_sleep(struct engine *engine, uint64_t ms);

#endif
