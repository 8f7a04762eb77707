/* SPDX-License-Identifier: Apache-2.0 */
/* Interrupts and the shutdown, wherever a thread may wait. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <pthread.h>
#include <string.h>

#include "base/task.h"
#include "http_fixture.h"

/* What the server tells. */
enum {
	WAITING, /* the client, for what is not sent */
	GONE,
};

static bool answer(struct peer *peer, const char *head, void *arg)
{
	if (head_is_for(head, "/plain"))
		return peer_reply(peer, 200, "", "hello");
	if (head_is_for(head, "/retry")) {
		peer_reply(peer, 503, "Retry-After: 1000\r\n", "");
		fixture_tell(arg, WAITING);
		return true;
	}
	if (head_is_for(head, "/body"))
		peer_send(peer, "HTTP/1.1 200 OK\r\n"
				"Content-Length: 10\r\n\r\n12345");
	fixture_tell(arg, WAITING);
	peer_wait_gone(peer);
	fixture_tell(arg, GONE);
	return false;
}

struct reader {
	struct fixture *f;
	const char *path;
	struct task task;
	pthread_t thread;
	int result;
	struct err err;
};

static void *read_path(void *arg)
{
	struct reader *reader = arg;
	struct http_request request = {.method = "GET",
	    .retry = true,
	    .url = server_url(reader->f->server, reader->path)};
	AUTO_BUF struct buf body = BUF_INIT(64);
	struct http_response *r = NULL;

	task_begin(&reader->task);
	reader->result = http_open(reader->f->http, &request, &r, &reader->err);
	if (reader->result == 0)
		reader->result = http_read_all(r, &body, &reader->err);
	http_close(r);
	task_end(&reader->task);
	return NULL;
}

/* Returns when the server has let the client wait. */
static void start(struct reader *reader, struct fixture *f, const char *path)
{
	*reader = (struct reader){.f = f, .path = path, .err = ERR_INIT};
	pthread_create(&reader->thread, NULL, read_path, reader);
	assert_int_equal(fixture_wait(f), WAITING);
}

static void join(struct reader *reader, int result)
{
	pthread_join(reader->thread, NULL);
	assert_int_equal(reader->result, -result);
	assert_int_equal(reader->err.code, result);
}

static void interrupt(struct fixture *f, const char *path)
{
	struct reader reader;

	start(&reader, f, path);
	task_interrupt(&reader.task);
	join(&reader, EINTR);
	/* The transfer was ended, and the client goes on. */
	assert_int_equal(fixture_wait(f), GONE);
	fixture_get(f, "/plain", "hello");
}

static void test_interrupt_header(void **state)
{
	interrupt(*state, "/header");
}

static void test_interrupt_body(void **state)
{
	interrupt(*state, "/body");
}

static void test_interrupt_retry(void **state)
{
	struct fixture *f = *state;
	struct reader reader;

	start(&reader, f, "/retry");
	task_interrupt(&reader.task);
	join(&reader, EINTR);
	assert_int_equal(server_requests(f->server), 1);
}

/* Whose task was interrupted before does not even begin to wait. */
static void test_interrupted_before(void **state)
{
	struct fixture *f = *state;
	struct http_request request = {.method = "GET",
	    .url = server_url(f->server, "/header")};
	struct http_response *r = NULL;
	struct err err = ERR_INIT;
	struct task task;

	task_begin(&task);
	task_interrupt(&task);
	assert_int_equal(http_open(f->http, &request, &r, &err), -EINTR);
	task_end(&task);
	assert_null(r);
}

static void test_shutdown(void **state)
{
	static const char *const paths[] = {"/header", "/body", "/retry"};
	struct fixture *f = *state;
	struct http_request request = {.method = "GET",
	    .url = server_url(f->server, "/plain")};
	struct http_response *r = NULL;
	struct err err = ERR_INIT;
	struct reader readers[3];

	for (size_t i = 0; i < 3; i++)
		start(&readers[i], f, paths[i]);
	http_shutdown(f->http);
	for (size_t i = 0; i < 3; i++)
		join(&readers[i], ESHUTDOWN);
	assert_int_equal(http_open(f->http, &request, &r, &err), -ESHUTDOWN);
	assert_null(r);
}

/* A response may be closed after the shutdown, and while it is under way. */
static void test_close(void **state)
{
	struct fixture *f = *state;
	struct http_request request = {.method = "GET",
	    .url = server_url(f->server, "/body")};
	struct http_response *early = http_fixture_open(f, &request);
	struct http_response *late = http_fixture_open(f, &request);

	http_close(early);
	http_shutdown(f->http);
	http_close(late);
	http_close(NULL);
}

static int setup(void **state)
{
	struct http_options options = fixture_options;

	options.max_wait = 2000;
	options.stall_timeout = 1000; /* so that there is time for it */
	return fixture_new(state, answer, &options);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, fixture_free)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(test_interrupt_header),
	    TEST(test_interrupt_body),
	    TEST(test_interrupt_retry),
	    TEST(test_interrupted_before),
	    TEST(test_shutdown),
	    TEST(test_close),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
