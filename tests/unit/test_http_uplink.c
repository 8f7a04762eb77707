/* SPDX-License-Identifier: Apache-2.0 */
/* Bodies that are sent to a server that takes them slowly: most of them lie in
 * the socket's queue. stall_timeout is one second here. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <time.h>

#include "base/budget.h"
#include "http_fixture.h"

enum {
	/* More than the server's end of the connection holds, and less than
	 * for what libcurl waits for 100 Continue. */
	BODY_SIZE = 900 * 1000,
	PIECE = 30 * 1000,
	STEP = 100, /* ms: the whole body takes three seconds */
};

static void pause_ms(long ms)
{
	const struct timespec time = {.tv_nsec = ms * 1000 * 1000};

	nanosleep(&time, NULL);
}

static bool take(struct peer *peer, size_t size)
{
	bool ok = true;

	for (size_t at = 0; ok && at < size; at += PIECE) {
		pause_ms(STEP);
		ok = peer_receive(peer, NULL, PIECE);
	}
	return ok;
}

static bool answer(struct peer *peer, const char *head, void *arg)
{
	(void)arg;
	peer_hold_little(peer);
	if (head_is_for(head, "/slow"))
		return take(peer, BODY_SIZE) && peer_reply(peer, 201, "", "");
	if (head_is_for(head, "/stops"))
		take(peer, BODY_SIZE / 3);
	else
		take(peer, BODY_SIZE);
	peer_wait_gone(peer);
	return false;
}

/* The status or -errno, and after how many ms. */
static int put(struct fixture *f, const char *path, uint64_t *took)
{
	static const char body[BODY_SIZE];
	struct http_request request = {.method = "PUT",
	    .url = server_url(f->server, path),
	    .body = {.data = body, .size = BODY_SIZE}};
	struct http_response *r = NULL;
	struct err err = ERR_INIT;
	uint64_t start = budget_clock();
	int status = http_open(f->http, &request, &r, &err);

	if (status == 0)
		status = http_status(r);
	http_close(r);
	*took = budget_clock() - start;
	return status;
}

/* What leaves the queue moves, also on a connection that was there before. */
static void test_slow(void **state)
{
	struct budget budget = {.lost = 500};
	uint64_t took;

	budget_bind(&budget);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(put(*state, "/slow", &took), 201);
		assert_in_range(took, 2500, 9000);
		assert_int_equal(budget.lost, 0);
	}
	budget_unbind(&budget);
}

/* The answer has its own second, from when the queue is empty. */
static void test_no_answer(void **state)
{
	uint64_t took;

	assert_int_equal(put(*state, "/silent", &took), -ETIMEDOUT);
	assert_in_range(took, 3500, 9000);
}

/* What stays in the queue does not. */
static void test_stops(void **state)
{
	uint64_t took;

	assert_int_equal(put(*state, "/stops", &took), -ETIMEDOUT);
	assert_in_range(took, 1500, 4000);
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
	    TEST(test_slow),
	    TEST(test_no_answer),
	    TEST(test_stops),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
