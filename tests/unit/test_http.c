/* SPDX-License-Identifier: Apache-2.0 */
/* Responses, whole ones: what is sent, and what is read. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include "http_fixture.h"

static bool answer(struct peer *peer, const char *head, void *arg)
{
	(void)arg;
	if (head_is_for(head, "/plain"))
		return peer_reply(peer, 200, "X-A: one\r\nx-a:  two \r\n",
		    "hello");
	if (head_is_for(head, "/missing"))
		return peer_reply(peer, 404, "", "{\"errors\":[]}");
	if (head_is_for(head, "/empty"))
		return peer_send(peer, "HTTP/1.1 204 No Content\r\n\r\n");
	if (head_is_for(head, "/chunked"))
		return peer_send(peer,
		    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n"
		    "\r\n5\r\nhello\r\n7\r\n, world\r\n0\r\nX-A: no\r\n\r\n");
	if (head_is_for(head, "/close"))
		return peer_send(peer, "HTTP/1.0 200 OK\r\n\r\nto the end") &&
		       false;
	if (head_is_for(head, "/hints"))
		return peer_send(peer,
		    "HTTP/1.1 103 Early Hints\r\nX-A: early\r\n\r\n"
		    "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
	if (head_is_for(head, "/head"))
		return peer_send(peer,
		    "HTTP/1.1 200 OK\r\nContent-Length: 123456\r\n\r\n");
	if (head_is_for(head, "/echo"))
		return peer_reply(peer, 200, "", head);
	return false;
}

static struct http_response *get(struct fixture *f, const char *method,
    const char *path)
{
	struct http_request request = {.method = method,
	    .url = server_url(f->server, path)};

	return http_fixture_open(f, &request);
}

static void test_plain(void **state)
{
	struct fixture *f = *state;
	struct http_response *r = get(f, "GET", "/plain");

	assert_int_equal(http_status(r), 200);
	assert_int_equal(http_length(r), 5);
	assert_string_equal(http_header(r, "x-A"), "one");
	assert_string_equal(http_header_nth(r, "X-A", 1), "two");
	assert_null(http_header_nth(r, "X-A", 2));
	assert_null(http_header(r, "X-B"));
	assert_string_equal(http_url(r), server_url(f->server, "/plain"));
	assert_body(r, "hello");
	http_close(r);
}

static void test_counters(void **state)
{
	struct fixture *f = *state;
	struct http_counters count;

	fixture_get(f, "/plain", "hello");
	fixture_get(f, "/chunked", "hello, world");
	count = http_count(f->http);
	assert_int_equal(count.requests, 2);
	assert_int_equal(count.bytes_received, 5 + 12);
	assert_int_equal(count.bytes_sent, 0);
}

static void test_statuses_are_answers(void **state)
{
	struct fixture *f = *state;
	struct http_response *r = get(f, "GET", "/missing");

	assert_int_equal(http_status(r), 404);
	assert_body(r, "{\"errors\":[]}");
	http_close(r);
	r = get(f, "GET", "/empty");
	assert_int_equal(http_status(r), 204);
	assert_body(r, "");
	http_close(r);
}

static void test_framings(void **state)
{
	struct fixture *f = *state;
	struct http_response *r = get(f, "GET", "/chunked");

	assert_int_equal(http_length(r), -1);
	assert_body(r, "hello, world");
	assert_null(http_header(r, "X-A"));
	http_close(r);
	r = get(f, "GET", "/close");
	assert_int_equal(http_length(r), -1);
	assert_body(r, "to the end");
	http_close(r);
}

/* Interim answers are none. */
static void test_interim(void **state)
{
	struct http_response *r = get(*state, "GET", "/hints");

	assert_int_equal(http_status(r), 200);
	assert_null(http_header(r, "X-A"));
	assert_body(r, "ok");
	http_close(r);
}

static void test_head(void **state)
{
	struct http_response *r = get(*state, "HEAD", "/head");

	assert_int_equal(http_status(r), 200);
	assert_int_equal(http_length(r), 123456);
	assert_body(r, "");
	http_close(r);
}

static void test_what_is_sent(void **state)
{
	static const char *const headers[] = {"X-Mine: 1", "Accept: a/b",
	    "Range: bytes=1-", NULL};
	struct fixture *f = *state;
	struct http_request request = {.method = "GET",
	    .url = server_url(f->server, "/echo"),
	    .headers = headers};
	struct http_response *r = http_fixture_open(f, &request);
	AUTO_BUF struct buf head = BUF_INIT(4096);
	struct err err = ERR_INIT;
	char value[64];

	assert_int_equal(http_read_all(r, &head, &err), 0);
	http_close(r);
	assert_true(head_field(buf_str(&head), "X-Mine", value, 64));
	assert_string_equal(value, "1");
	assert_true(head_field(buf_str(&head), "Accept", value, 64));
	assert_string_equal(value, "a/b");
	assert_true(head_field(buf_str(&head), "Range", value, 64));
	assert_string_equal(value, "bytes=1-");
	assert_true(head_field(buf_str(&head), "Accept-Encoding", value, 64));
	assert_string_equal(value, "identity");
	assert_true(head_field(buf_str(&head), "User-Agent", value, 64));
	assert_string_equal(value, "test/1");
	assert_false(head_field(buf_str(&head), "Expect", value, 64));
}

static void test_read_all_is_bounded(void **state)
{
	struct http_response *r = get(*state, "GET", "/plain");
	AUTO_BUF struct buf out = BUF_INIT(4);
	struct err err = ERR_INIT;

	assert_int_equal(http_read_all(r, &out, &err), -EFBIG);
	http_close(r);
	r = get(*state, "GET", "/plain");
	out.limit = 5;
	assert_int_equal(http_read_all(r, &out, &err), 0);
	assert_string_equal(buf_str(&out), "hello");
	http_close(r);
}

/* What is on this machine is asked directly, whatever the environment says. */
static void test_no_proxy(void **state)
{
	assert_int_equal(setenv("http_proxy", "http://127.0.0.1:1", 1), 0);
	fixture_get(*state, "/plain", "hello");
	unsetenv("http_proxy");
}

struct crowd {
	struct fixture *f;
	atomic_uint answers;
};

static void *ask_often(void *arg)
{
	struct crowd *crowd = arg;
	struct http_request request = {.method = "GET"};

	for (unsigned i = 0; i < 50; i++) {
		AUTO_BUF struct buf body = BUF_INIT(64);
		struct http_response *r = NULL;
		struct err err = ERR_INIT;

		request.url =
		    server_url(crowd->f->server, i % 2 ? "/chunked" : "/plain");
		if (http_open(crowd->f->http, &request, &r, &err) < 0)
			continue;
		/* Some do not want to know the end. */
		if (i % 5 == 0 || (http_read_all(r, &body, &err) == 0 &&
				      strncmp(body.data, "hello", 5) == 0))
			atomic_fetch_add(&crowd->answers, 1);
		http_close(r);
	}
	return NULL;
}

static void test_many_threads(void **state)
{
	struct crowd crowd = {.f = *state};
	pthread_t threads[16];

	for (size_t i = 0; i < 16; i++)
		pthread_create(&threads[i], NULL, ask_often, &crowd);
	for (size_t i = 0; i < 16; i++)
		pthread_join(threads[i], NULL);
	assert_int_equal(atomic_load(&crowd.answers), 16 * 50);
}

static int setup(void **state)
{
	return fixture_new(state, answer, &fixture_options);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, fixture_free)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(test_plain),
	    TEST(test_counters),
	    TEST(test_statuses_are_answers),
	    TEST(test_framings),
	    TEST(test_interim),
	    TEST(test_head),
	    TEST(test_what_is_sent),
	    TEST(test_read_all_is_bounded),
	    TEST(test_no_proxy),
	    TEST(test_many_threads),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
