/* SPDX-License-Identifier: Apache-2.0 */
/* A scripted server and a client, for the tests of http. */
#ifndef TESTS_UNIT_HTTP_FIXTURE_H
#define TESTS_UNIT_HTTP_FIXTURE_H

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "http/http.h"
#include "server.h"

/* The answer function gets it as arg. */
struct fixture {
	struct server *server;
	struct http *http;
	pthread_mutex_t lock;
	pthread_cond_t changed;
	bool told; /* under lock, as `value` */
	size_t value;
	char seen[256]; /* the answer function's, until it has answered */
};

/* From the answer function to fixture_wait(). */
static inline void fixture_tell(struct fixture *f, size_t value)
{
	pthread_mutex_lock(&f->lock);
	f->told = true;
	f->value = value;
	pthread_cond_broadcast(&f->changed);
	pthread_mutex_unlock(&f->lock);
}

static inline size_t fixture_wait(struct fixture *f)
{
	size_t value;

	pthread_mutex_lock(&f->lock);
	while (!f->told)
		pthread_cond_wait(&f->changed, &f->lock);
	f->told = false;
	value = f->value;
	pthread_mutex_unlock(&f->lock);
	return value;
}

static const struct http_options fixture_options = {
    .user_agent = "test/1",
    .connect_timeout = 10,
    .stall_timeout = 10,
    .min_rate = 1024,
    .attempts = 3,
    .max_wait = 2,
    .host_connections = 16,
};

static inline int fixture_new(void **state, server_answer *answer,
    const struct http_options *options)
{
	struct fixture *f = calloc(1, sizeof(*f));
	struct err err = ERR_INIT;

	pthread_mutex_init(&f->lock, NULL);
	pthread_cond_init(&f->changed, NULL);
	f->server = server_start(answer, f);
	f->http = http_new(options, &err);
	*state = f;
	return f->http ? 0 : -1;
}

static inline int fixture_free(void **state)
{
	struct fixture *f = *state;

	http_free(f->http);
	server_stop(f->server);
	pthread_cond_destroy(&f->changed);
	pthread_mutex_destroy(&f->lock);
	free(f);
	return 0;
}

static inline struct http_response *http_fixture_open(struct fixture *f,
    const struct http_request *request)
{
	struct http_response *r = NULL;
	struct err err = ERR_INIT;

	if (http_open(f->http, request, &r, &err) < 0)
		fail_msg("%s", err.msg);
	return r;
}

/* The body is this text, byte for byte. */
static inline void assert_body(struct http_response *r, const char *want)
{
	AUTO_BUF struct buf body = BUF_INIT(1 << 20);
	struct err err = ERR_INIT;

	if (http_read_all(r, &body, &err) < 0)
		fail_msg("%s", err.msg);
	assert_string_equal(buf_str(&body), want);
}

static inline void fixture_get(struct fixture *f, const char *path,
    const char *body)
{
	struct http_request request = {.method = "GET",
	    .url = server_url(f->server, path)};
	struct http_response *r = http_fixture_open(f, &request);

	assert_body(r, body);
	http_close(r);
}

#endif
