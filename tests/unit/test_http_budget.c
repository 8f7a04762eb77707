/* SPDX-License-Identifier: Apache-2.0 */
/* How long servers that fail are borne: stall_timeout is one second here. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <arpa/inet.h>
#include <cmocka.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/budget.h"
#include "http_fixture.h"

enum {
	SLOW = 6000, /* bytes: three seconds at twice the minimum rate */
	STEP = 100,  /* ms */
};

static void pause_ms(long ms)
{
	const struct timespec time = {.tv_nsec = ms * 1000 * 1000};

	nanosleep(&time, NULL);
}

/* So many bytes each tenth of a second. */
static bool drip(struct peer *peer, size_t bytes)
{
	static const char zeros[SLOW];
	bool ok =
	    peer_send(peer, "HTTP/1.1 200 OK\r\nContent-Length: 6000\r\n\r\n");

	for (size_t sent = 0; ok && sent < SLOW; sent += bytes) {
		size_t left = SLOW - sent;

		pause_ms(STEP);
		ok = peer_send_bytes(peer, zeros, left < bytes ? left : bytes);
	}
	return ok;
}

static bool answer(struct peer *peer, const char *head, void *arg)
{
	(void)arg;
	if (head_is_for(head, "/silent")) {
		peer_wait_gone(peer);
		return false;
	}
	if (head_is_for(head, "/drips"))
		return drip(peer, 1);
	if (head_is_for(head, "/slow"))
		return drip(peer, 200);
	if (head_is_for(head, "/header-drips")) {
		for (const char *p =
			 "HTTP/1.1 200 OK\r\nX: yyyyyyyyyyyyyyyyyyyy";
		     *p && peer_send(peer, (char[]){*p, '\0'}); p++)
			pause_ms(STEP);
		peer_wait_gone(peer);
		return false;
	}
	if (head_is_for(head, "/minute"))
		return peer_reply(peer, 503, "Retry-After: 60\r\n", "");
	if (head_is_for(head, "/always"))
		return peer_reply(peer, 503, "", "busy");
	return peer_reply(peer, 200, "", "done");
}

static double seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static int get(struct fixture *f, const char *path, struct err *err)
{
	struct http_request request = {.method = "GET",
	    .retry = true,
	    .bulk = true,
	    .url = server_url(f->server, path)};
	struct http_response *r = NULL;
	AUTO_BUF struct buf body = BUF_INIT(2 * SLOW);
	int status = http_open(f->http, &request, &r, err);

	if (status == 0)
		status = http_read_all(r, &body, err);
	if (status == 0)
		status = http_status(r);
	http_close(r);
	return status;
}

/* Fails with that, not before and not long after so many seconds. */
static void fail_after(struct fixture *f, const char *path, int code,
    double least, double most)
{
	struct err err = ERR_INIT;
	double start = seconds(), took;

	assert_int_equal(get(f, path, &err), -code);
	took = seconds() - start;
	if (took < least || took > most)
		fail_msg("%s: %s after %.2f s", path, err.msg, took);
}

static void test_drips(void **state)
{
	fail_after(*state, "/drips", ETIMEDOUT, 0.9, 2.5);
	fail_after(*state, "/header-drips", ETIMEDOUT, 0.9, 2.5);
}

static void test_slow(void **state)
{
	struct err err = ERR_INIT;

	assert_int_equal(get(*state, "/slow", &err), 200);
}

static void test_silence(void **state)
{
	struct fixture *f = *state;
	struct budget budget = {0};

	budget_bind(&budget);
	fail_after(f, "/silent", ETIMEDOUT, 0.9, 2.5);
	assert_int_equal(server_requests(f->server), 1);
	/* It is known now. */
	fail_after(f, "/silent", ETIMEDOUT, 0, 0.5);
	assert_int_equal(server_requests(f->server), 1);
	fail_after(f, "/silent?other", ETIMEDOUT, 0.9, 2.5);
	assert_int_equal(server_requests(f->server), 2);
	budget_unbind(&budget);
}

/* Whatever is asked for, two and a half timeouts are the end of it. */
static void test_patient_silence(void **state)
{
	struct fixture *f = *state;
	struct budget budget = {.patient = true};
	uint64_t asked;

	budget_bind(&budget);
	fail_after(f, "/silent", ETIMEDOUT, 2.0, 4.5);
	assert_in_range(http_count(f->http).requests, 2, 3);
	/* What is left is not enough for all that it asks for. */
	fail_after(f, "/silent?other", ETIMEDOUT, 0, 1.5);
	asked = http_count(f->http).requests;
	fail_after(f, "/silent?third", ETIMEDOUT, 0, 0.5);
	assert_int_equal(http_count(f->http).requests, asked);
	budget_unbind(&budget);
	/* Another operation has its own. */
	budget = (struct budget){0};
	budget_bind(&budget);
	assert_int_equal(get(f, "/done", &budget.last), 200);
	budget_unbind(&budget);
}

static void test_status_is_noted(void **state)
{
	struct fixture *f = *state;
	struct budget budget = {.patient = true};
	struct err err = ERR_INIT;

	budget_bind(&budget);
	assert_int_equal(get(f, "/always", &err), 503);
	assert_int_equal(server_requests(f->server), 3);
	assert_int_equal(get(f, "/always", &err), -EIO);
	assert_int_equal(err.http, 503);
	assert_non_null(strstr(err.msg, "/always: the server answers 503"));
	assert_int_equal(server_requests(f->server), 3);
	assert_int_equal(get(f, "/done", &err), 200);
	budget_unbind(&budget);
}

/* A server that begins to listen after a while. */
struct restart {
	int fd;
	char url[64];
};

static void *come_back(void *arg)
{
	static const char done[] = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n"
				   "Connection: close\r\n\r\n";
	struct restart *restart = arg;
	char head[4096];
	int fd;

	for (int i = 0; i < 15; i++)
		pause_ms(STEP);
	listen(restart->fd, 1);
	fd = accept(restart->fd, NULL, NULL);
	if (read(fd, head, sizeof(head)) > 0 &&
	    write(fd, done, sizeof(done) - 1) < 0)
		restart->url[0] = '\0';
	close(fd);
	return NULL;
}

static void begin_restart(struct restart *restart)
{
	struct sockaddr_in address = {.sin_family = AF_INET};
	socklen_t len = sizeof(address);

	restart->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	assert_int_equal(bind(restart->fd, (struct sockaddr *)&address, len),
	    0);
	getsockname(restart->fd, (struct sockaddr *)&address, &len);
	snprintf(restart->url, sizeof(restart->url), "http://127.0.0.1:%u/",
	    ntohs(address.sin_port));
}

/* More attempts than http_options.attempts. */
static void test_restart(void **state)
{
	struct fixture *f = *state;
	struct budget budget = {.patient = true};
	struct restart restart;
	struct http_request request = {.method = "GET",
	    .retry = true,
	    .url = restart.url};
	struct http_response *r = NULL;
	struct err err = ERR_INIT;
	pthread_t thread;

	begin_restart(&restart);
	budget_bind(&budget);
	pthread_create(&thread, NULL, come_back, &restart);
	if (http_open(f->http, &request, &r, &err) < 0)
		fail_msg("%s", err.msg);
	assert_int_equal(http_status(r), 200);
	assert_in_range(budget_lost(), 1000, 2900);
	http_close(r);
	pthread_join(thread, NULL);
	close(restart.fd);
	budget_unbind(&budget);
}

/* ms that a patient operation loses on what is not there. */
static uint64_t lose_by(struct fixture *f, const char *url, bool retry)
{
	struct budget budget = {.patient = true};
	struct http_request request = {.method = "GET",
	    .retry = retry,
	    .url = url};
	struct http_response *r = NULL;
	struct err err = ERR_INIT;

	budget_bind(&budget);
	assert_int_equal(http_open(f->http, &request, &r, &err), -ECONNREFUSED);
	budget_unbind(&budget);
	return budget.lost;
}

static uint64_t lose_on(struct fixture *f, const char *url)
{
	return lose_by(f, url, true);
}

/* The first one waits for it to come back. */
static void test_away(void **state)
{
	struct fixture *f = *state;
	struct restart restart;
	struct err err = ERR_INIT;

	begin_restart(&restart);
	assert_in_range(lose_on(f, restart.url), 1500, 3100);
	assert_in_range(lose_on(f, restart.url), 200, 1200);
	assert_int_equal(get(f, "/done", &err), 200);
	assert_in_range(lose_on(f, restart.url), 1500, 3100);
	close(restart.fd);
}

/* The body of an upload is sent once: that this failed at once is no reason
 * for others not to wait. */
static void test_sent_once(void **state)
{
	struct fixture *f = *state;
	struct restart restart;

	begin_restart(&restart);
	assert_in_range(lose_by(f, restart.url, false), 0, 200);
	assert_in_range(lose_on(f, restart.url), 1500, 3100);
	close(restart.fd);
}

/* Without patience, a few attempts are all that a user waits for. */
static void test_no_restart(void **state)
{
	struct fixture *f = *state;
	struct budget budget = {0};
	struct restart restart;
	struct http_request request = {.method = "GET",
	    .retry = true,
	    .url = restart.url};
	struct http_response *r = NULL;
	struct err err = ERR_INIT;

	begin_restart(&restart);
	budget_bind(&budget);
	assert_int_equal(http_open(f->http, &request, &r, &err), -ECONNREFUSED);
	assert_in_range(budget_lost(), 200, 1200);
	close(restart.fd);
	budget_unbind(&budget);
}

/* What is asked for a longer wait than there is time. */
static void test_minute(void **state)
{
	struct fixture *f = *state;

	fail_after(f, "/minute", EBUSY, 0, 0.5);
	assert_int_equal(server_requests(f->server), 1);
}

static int setup(void **state)
{
	struct http_options options = fixture_options;

	options.stall_timeout = 1;
	options.max_wait = 100;
	return fixture_new(state, answer, &options);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, fixture_free)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(test_drips),
	    TEST(test_slow),
	    TEST(test_silence),
	    TEST(test_patient_silence),
	    TEST(test_status_is_noted),
	    TEST(test_restart),
	    TEST(test_no_restart),
	    TEST(test_away),
	    TEST(test_sent_once),
	    TEST(test_minute),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
