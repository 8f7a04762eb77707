/* SPDX-License-Identifier: Apache-2.0 */
/* Answers that move at more than the minimum rate, and do not end: only bulk
 * may last as long as it moves. stall_timeout is one second here. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/budget.h"
#include "http_fixture.h"

enum {
	PIECE = 200, /* bytes each STEP: twice the minimum rate */
	STEP = 100,  /* ms */
	BUDGET = 2500,
	LATE = BUDGET + 1500,
	EVER = 1000000, /* pieces */
};

static void pause_ms(long ms)
{
	const struct timespec time = {.tv_nsec = ms * 1000 * 1000};

	nanosleep(&time, NULL);
}

/* A body of so many pieces. */
static bool drip(struct peer *peer, int status, const char *fields,
    unsigned pieces)
{
	static const char piece[PIECE];
	char head[256];
	bool ok;

	snprintf(head, sizeof(head),
	    "HTTP/1.1 %d Scripted\r\n%sTransfer-Encoding: chunked\r\n\r\n",
	    status, fields);
	ok = peer_send(peer, head);
	for (unsigned i = 0; ok && i < pieces; i++) {
		pause_ms(STEP);
		ok = peer_send(peer, "c8\r\n") &&
		     peer_send_bytes(peer, piece, PIECE) &&
		     peer_send(peer, "\r\n");
	}
	return ok && peer_send(peer, "0\r\n\r\n");
}

/* A body of three seconds, and then an answer without end. */
static bool take(struct peer *peer, const char *head)
{
	char length[32];
	size_t size = 0;
	bool ok = head_field(head, "Content-Length", length, sizeof(length));

	if (ok)
		size = strtoul(length, NULL, 10);
	for (int i = 0; ok && i < 30; i++) {
		pause_ms(STEP);
		ok = peer_receive(peer, NULL, size / 30);
	}
	return ok && drip(peer, 200, "", EVER);
}

static bool answer(struct peer *peer, const char *head, void *arg)
{
	(void)arg;
	if (head_is_for(head, "/ever"))
		return drip(peer, 200, "", EVER);
	if (head_is_for(head, "/refused"))
		return drip(peer, 404, "", EVER);
	if (head_is_for(head, "/moved"))
		return drip(peer, 302, "Location: /ever\r\n", 1);
	if (head_is_for(head, "/moves"))
		return drip(peer, 302, "Location: /done\r\n", EVER);
	if (head_is_for(head, "/busy"))
		return drip(peer, 503, "", EVER);
	if (head_is_for(head, "/three-seconds"))
		return drip(peer, 200, "", 30);
	if (head_is_for(head, "/two-seconds"))
		return drip(peer, 200, "", 18);
	if (head_is_for(head, "/at-once"))
		return drip(peer, 200, "", 5);
	if (head_is_for(head, "/take"))
		return take(peer, head);
	return peer_reply(peer, 200, "", "done");
}

/* The status or -errno of the whole answer. */
static int ask(struct fixture *f, const struct http_request *request,
    struct err *err)
{
	struct http_response *r = NULL;
	AUTO_BUF struct buf body = BUF_INIT(1 << 20);
	int status = http_open(f->http, request, &r, err);

	if (status == 0)
		status = http_read_all(r, &body, err);
	if (status == 0)
		status = http_status(r);
	http_close(r);
	return status;
}

static int get(struct fixture *f, const char *path, bool bulk, struct err *err)
{
	struct http_request request = {.method = "GET",
	    .retry = true,
	    .bulk = bulk,
	    .max_redirects = 3,
	    .url = server_url(f->server, path)};

	return ask(f, &request, err);
}

/* Fails when the budget is spent, with a sentence that names it. */
static void fail_in_time(struct fixture *f, const char *path, bool bulk)
{
	struct budget budget = {0};
	struct err err = ERR_INIT;
	uint64_t start = budget_clock(), took;

	budget_bind(&budget);
	assert_int_equal(get(f, path, bulk, &err), -ETIMEDOUT);
	took = budget_clock() - start;
	if (took < BUDGET - 100 || took > LATE)
		fail_msg("%s: %s after %d ms", path, err.msg, (int)took);
	assert_non_null(strstr(err.msg, "GET http://"));
	assert_non_null(strstr(err.msg, ": the answer does not end in time"));
	/* There is nothing left for another. */
	assert_int_equal(get(f, "/done", false, &err), -ETIMEDOUT);
	budget_unbind(&budget);
}

static void test_without_end(void **state)
{
	fail_in_time(*state, "/ever", false);
	fail_in_time(*state, "/moved", false);
}

/* Nor is what a refusal says of bulk. */
static void test_refusal(void **state)
{
	fail_in_time(*state, "/refused", true);
}

/* What is read past on the way to the answer. */
static void test_on_the_way(void **state)
{
	static const char *const paths[] = {"/moves", "/busy"};

	for (size_t i = 0; i < 2; i++) {
		struct budget budget = {0};
		struct err err = ERR_INIT;
		uint64_t start = budget_clock();

		budget_bind(&budget);
		assert_true(get(*state, paths[i], true, &err) < 0);
		budget_unbind(&budget);
		assert_true(budget_clock() - start < LATE);
	}
}

static void test_bulk(void **state)
{
	struct budget budget = {.lost = 1000};
	struct err err = ERR_INIT;

	budget_bind(&budget);
	assert_int_equal(get(*state, "/three-seconds", true, &err), 200);
	assert_int_equal(budget.lost, 0);
	budget_unbind(&budget);
}

/* An answer within `timeout` costs nothing; a longer one what is beyond. */
static void test_cost(void **state)
{
	struct budget budget = {.lost = 200};
	struct err err = ERR_INIT;

	budget_bind(&budget);
	assert_int_equal(get(*state, "/at-once", false, &err), 200);
	assert_int_equal(budget.lost, 200);
	assert_int_equal(get(*state, "/two-seconds", false, &err), 200);
	assert_in_range(budget.lost, 200 + 600, 200 + 1800);
	budget_unbind(&budget);
}

/* What was sent before pays for none of it. */
static void test_after_upload(void **state)
{
	static const char body[9000];
	struct fixture *f = *state;
	struct budget budget = {0};
	struct http_request request = {.method = "PUT",
	    .url = server_url(f->server, "/take"),
	    .body = {.data = body, .size = sizeof(body)}};
	struct err err = ERR_INIT;
	uint64_t start = budget_clock();

	budget_bind(&budget);
	assert_int_equal(ask(f, &request, &err), -ETIMEDOUT);
	budget_unbind(&budget);
	assert_in_range(budget_clock() - start, 1000, 3000 + LATE);
}

static int setup(void **state)
{
	struct http_options options = fixture_options;

	options.stall_timeout = 1;
	return fixture_new(state, answer, &options);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, fixture_free)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(test_without_end),
	    TEST(test_refusal),
	    TEST(test_on_the_way),
	    TEST(test_bulk),
	    TEST(test_cost),
	    TEST(test_after_upload),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
