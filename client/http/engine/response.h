/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One request on its way and what came back of it so far: made and read by one
 * thread, carried out by the network thread. Who may touch what is written at
 * each part.
 */
#ifndef CLIENT_HTTP_RESPONSE_H
#define CLIENT_HTTP_RESPONSE_H

#include <curl/curl.h>
#include <sys/queue.h>

#include "base/task.h"
#include "grammar/header.h"
#include "http/http.h"
#include "pace.h"
#include "ring.h"
#include "tls.h"

struct counts;
struct engine;
struct sockets;

/* Where a request goes, beside what http_request says. */
struct destination {
	const char *url;
	bool own_origin; /* of the request: it may see who we are */
};

struct http_response {
	/* Constant once made. */
	struct engine *engine;
	struct counts *counts; /* the engine's, as the sockets */
	struct sockets *sockets;
	bool bulk;
	char *method;
	char *url;
	char *what;       /* method and url of the request that it is for */
	char *shown;      /* the url for messages */
	uint64_t started; /* ms, CLOCK_MONOTONIC */

	/* The reader's: bytes of the body that it has, and that it may have. */
	uint64_t taken, limit;

	/* The network thread's while it has the response: from engine_start()
	 * until `done`. */
	CURL *easy;
	struct curl_slist *fields;
	struct payload body;
	uint64_t body_position;
	int socket;          /* that it goes to, or -1 */
	size_t header_bytes; /* of headers and trailers, so far */
	bool expects;        /* asked for 100 Continue */
	bool begun;          /* it has its turn */
	bool asked;          /* the request was sent, or some of it */
	bool fresh; /* the ring has bytes that the reader was not told of */
	struct pace pace;
	struct tls tls;
	struct err cause; /* why a callback of ours gave up */
	char detail[CURL_ERROR_SIZE];
	LIST_ENTRY(http_response) running;

	/* Under the engine's lock. */
	unsigned orders; /* 0: not in the queue */
	bool finished;   /* takes no more orders */
	TAILQ_ENTRY(http_response) ordered;

	struct header header; /* the network thread's until `headed`, then
			       * constant */
	struct monitor monitor;
	/* Under the monitor. */
	bool headed;
	bool paused;
	bool done;         /* nothing more comes, and result is set */
	struct err result; /* code 0: the body is whole */
	struct ring ring;
	uint64_t received; /* bytes of the body */
};

/* A request that is not yet sent. NULL on failure, err filled. */
struct http_response *response_new(struct engine *engine,
    const struct http_options *options, const struct http_request *request,
    const struct destination *to, struct err *err);

/* Waits until the header is there. */
int response_wait(struct http_response *response, struct err *err);

/* Reads a short rest of the body, so that the connection can be used again. */
void response_drain(struct http_response *response);

/* For the network thread: the header is whole. */
void response_set_headed(struct http_response *response);

/*
 * For the network thread: gives the reader some of the body. 1, or 0 where it
 * does not fit: an ORDER_RESUME comes when it may be tried again. -ENOMEM.
 */
int response_put(struct http_response *response, const void *data, size_t len);

/* For the network thread, after a round: wakes a reader of what was put. */
void response_notify(struct http_response *response);

/* For the network thread, which then forgets the response. */
void response_set_done(struct http_response *response,
    const struct err *result);

#endif
