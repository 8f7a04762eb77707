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
void fixture_tell(struct fixture *f, size_t value);

size_t fixture_wait(struct fixture *f);

static const struct http_options fixture_options = {
    .user_agent = "test/1",
    .connect_timeout = 10,
    .stall_timeout = 10,
    .min_rate = 1024,
    .attempts = 3,
    .max_wait = 2,
    .host_connections = 16,
};

int fixture_new(void **state, server_answer *answer,
    const struct http_options *options);

int fixture_free(void **state);

struct http_response *http_fixture_open(struct fixture *f,
    const struct http_request *request);

/* The body is this text, byte for byte. */
void assert_body(struct http_response *r, const char *want);

void fixture_get(struct fixture *f, const char *path, const char *body);

#endif
