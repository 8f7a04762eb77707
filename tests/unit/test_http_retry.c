/* SPDX-License-Identifier: Apache-2.0 */
/* What is tried again, when, and how often. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/budget.h"
#include "engine/retry.h"
#include "http_fixture.h"

static bool answer(struct peer *peer, const char *head, void *arg)
{
	unsigned n = peer_number(peer);
	char fields[128], date[64];
	struct tm tm;
	time_t soon;

	(void)arg;
	if (head_is_for(head, "/second"))
		return n < 2 ? peer_reply(peer, 503, "", "busy")
			     : peer_reply(peer, 200, "", "done");
	if (head_is_for(head, "/resets")) {
		if (n >= 3)
			return peer_reply(peer, 200, "", "done");
		peer_reset(peer);
		return false;
	}
	if (head_is_for(head, "/after-one"))
		return n < 2 ? peer_reply(peer, 429, "Retry-After: 1\r\n", "")
			     : peer_reply(peer, 200, "", "done");
	if (head_is_for(head, "/after-date") && n < 2) {
		soon = time(NULL) + 2;
		gmtime_r(&soon, &tm);
		strftime(date, sizeof(date), "%a, %d %b %Y %H:%M:%S GMT", &tm);
		snprintf(fields, sizeof(fields), "Retry-After: %s\r\n", date);
		return peer_reply(peer, 503, fields, "");
	}
	if (head_is_for(head, "/after-date"))
		return peer_reply(peer, 200, "", "done");
	if (head_is_for(head, "/after-long"))
		return peer_reply(peer, 429, "Retry-After: 3600\r\n", "");
	if (head_is_for(head, "/always"))
		return peer_reply(peer, 503, "", "busy");
	if (head_is_for(head, "/truncated"))
		return peer_send(peer,
			   "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc") &&
		       false;
	return peer_reply(peer, 404, "", "none");
}

static int open_path(struct fixture *f, const char *path, bool retry,
    struct http_response **out, struct err *err)
{
	struct http_request request = {.method = "GET",
	    .retry = retry,
	    .url = server_url(f->server, path)};

	*out = NULL;
	return http_open(f->http, &request, out, err);
}

/* The answer's status after so many requests. */
static void expect(struct fixture *f, const char *path, bool retry, int status,
    unsigned requests)
{
	struct http_response *r;
	struct err err = ERR_INIT;

	if (open_path(f, path, retry, &r, &err) < 0)
		fail_msg("%s", err.msg);
	assert_int_equal(err.code, 0);
	assert_int_equal(http_status(r), status);
	assert_int_equal(server_requests(f->server), requests);
	assert_int_equal(http_count(f->http).requests, requests);
	http_close(r);
}

static void test_second_attempt(void **state)
{
	expect(*state, "/second", true, 200, 2);
}

static void test_not_asked_to(void **state)
{
	expect(*state, "/second", false, 503, 1);
}

/* Where there is another server to ask: the time counts all the same. */
static void test_once(void **state)
{
	struct budget outer = {.lost = 100}, own;

	budget_bind(&outer);
	assert_ptr_equal(budget_detour(&own), &outer);
	expect(*state, "/second", true, 503, 1);
	budget_lose(7);
	budget_return(&own, &outer);
	assert_ptr_equal(budget_now(), &outer);
	assert_true(outer.lost >= 107);
	assert_false(outer.once);
	budget_unbind(&outer);
	assert_null(budget_detour(&own));
	budget_return(&own, NULL);
	assert_null(budget_now());
}

static void test_network(void **state)
{
	expect(*state, "/resets", true, 200, 3);
}

static void test_gives_up(void **state)
{
	expect(*state, "/always", true, 503, 3);
}

static void test_final_status(void **state)
{
	expect(*state, "/none", true, 404, 1);
}

static double seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void test_retry_after(void **state)
{
	double start = seconds();

	expect(*state, "/after-one", true, 200, 2);
	assert_true(seconds() - start >= 1);
}

/* Dates are of whole seconds: two ahead is more than one away. */
static void test_retry_after_date(void **state)
{
	double start = seconds();

	expect(*state, "/after-date", true, 200, 2);
	assert_true(seconds() - start >= 1);
}

static void test_retry_after_too_long(void **state)
{
	struct fixture *f = *state;
	struct http_response *r;
	struct err err = ERR_INIT;

	assert_int_equal(open_path(f, "/after-long", true, &r, &err), -EBUSY);
	assert_int_equal(err.http, 429);
	assert_non_null(strstr(err.msg, "3600"));
	assert_int_equal(server_requests(f->server), 1);
}

/* Who reads knows how much came, and can ask for the rest. */
static void test_broken_body(void **state)
{
	struct fixture *f = *state;
	struct http_response *r;
	struct err err = ERR_INIT;
	AUTO_BUF struct buf body = BUF_INIT(64);

	assert_int_equal(open_path(f, "/truncated", true, &r, &err), 0);
	assert_int_equal(http_read_all(r, &body, &err), -ECONNRESET);
	assert_int_equal(server_requests(f->server), 1);
	http_close(r);
}

static void test_what_helps(void **state)
{
	static const int passing[] = {408, 429, 500, 502, 503, 504};
	size_t found = 0;

	(void)state;
	for (int status = 100; status < 600; status++)
		if (found < 6 && status == passing[found]) {
			assert_true(retry_helps_status(status));
			found++;
		} else {
			assert_false(retry_helps_status(status));
		}
	assert_int_equal(found, 6);
	assert_true(retry_helps_error(ECONNREFUSED));
	assert_true(retry_helps_error(ECONNRESET));
	assert_false(retry_helps_error(ETIMEDOUT));
	assert_true(retry_helps_error(EHOSTUNREACH));
	assert_false(retry_helps_error(EPROTO));
	assert_false(retry_helps_error(EINTR));
	assert_false(retry_helps_error(ESHUTDOWN));
	assert_false(retry_helps_error(EINVAL));
	assert_true(retry_is_patient(ECONNREFUSED));
	assert_true(retry_is_patient(ETIMEDOUT));
	assert_false(retry_is_patient(ECONNRESET));
	assert_false(retry_is_patient(0));
}

/* Twice as long each time, spread over the upper half, and bounded. */
static void test_backoff(void **state)
{
	(void)state;
	for (unsigned attempts = 1; attempts <= 5; attempts++) {
		uint64_t longest = 200ULL << (attempts - 1);

		for (uint32_t random = 0; random < 20000; random += 77) {
			uint64_t ms = retry_backoff(attempts, random);

			assert_in_range(ms, longest / 2, longest);
		}
	}
	assert_in_range(retry_backoff(1000, UINT32_MAX), 5000, 10000);
	assert_int_not_equal(retry_backoff(3, 1), retry_backoff(3, 100));
}

static int setup(void **state)
{
	return fixture_new(state, answer, &fixture_options);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, fixture_free)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(test_second_attempt),
	    TEST(test_not_asked_to),
	    TEST(test_once),
	    TEST(test_network),
	    TEST(test_gives_up),
	    TEST(test_final_status),
	    TEST(test_retry_after),
	    TEST(test_retry_after_date),
	    TEST(test_retry_after_too_long),
	    TEST(test_broken_body),
	    cmocka_unit_test(test_what_helps),
	    cmocka_unit_test(test_backoff),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
