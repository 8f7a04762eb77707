/* SPDX-License-Identifier: Apache-2.0 */
/* Answers that break, stall, or are none; and readers that are slow. */
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
#include <unistd.h>

#include "base/file.h"
#include "http_fixture.h"

static const size_t big = 100 << 20;

static bool send_big(struct peer *peer, struct fixture *f)
{
	static const char chunk[64 * 1024];
	bool ok = peer_send(peer,
	    "HTTP/1.1 200 OK\r\nContent-Length: 104857600\r\n\r\n");
	bool told = false;

	for (size_t sent = 0; ok && sent < big; sent += sizeof(chunk)) {
		/* The test looks at the memory while nothing moves. */
		if (!told && peer_is_stuck(peer)) {
			fixture_tell(f, sent);
			told = true;
		}
		ok = peer_send_bytes(peer, chunk, sizeof(chunk));
	}
	return ok;
}

static bool answer(struct peer *peer, const char *head, void *arg)
{
	static const char whole[] = "HTTP/1.1 200 OK\r\n"
				    "Content-Length: 10\r\n\r\n";

	if (head_is_for(head, "/plain"))
		return peer_reply(peer, 200, "", "hello");
	if (head_is_for(head, "/truncated"))
		return peer_send(peer, whole) && peer_send(peer, "12345") &&
		       false;
	if (head_is_for(head, "/chunks-truncated"))
		return peer_send(peer,
			   "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n"
			   "\r\n5\r\n12345\r\n9\r\nxx") &&
		       false;
	if (head_is_for(head, "/reset")) {
		peer_reset(peer);
		return false;
	}
	if (head_is_for(head, "/silent")) {
		peer_wait_gone(peer);
		return false;
	}
	if (head_is_for(head, "/stalled")) {
		peer_send(peer, whole);
		peer_send(peer, "12345");
		peer_wait_gone(peer);
		return false;
	}
	if (head_is_for(head, "/garbage"))
		return peer_send(peer, "SSH-2.0-OpenSSH_9.2\r\n\r\n") && false;
	if (head_is_for(head, "/long-header")) {
		peer_send(peer, "HTTP/1.1 200 OK\r\n");
		while (peer_send(peer, "X-Padding: 0123456789abcdef\r\n"))
			;
		return false;
	}
	if (head_is_for(head, "/long-line")) {
		peer_send(peer, "HTTP/1.1 200 OK\r\nX-Padding: ");
		while (peer_send(peer, "0123456789abcdef"))
			;
		return false;
	}
	if (head_is_for(head, "/continues")) {
		while (peer_send(peer, "HTTP/1.1 100 Continue\r\n\r\n"))
			;
		return false;
	}
	if (head_is_for(head, "/trailers")) {
		peer_send(peer,
		    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
		    "5\r\n12345\r\n0\r\n");
		while (peer_send(peer, "X-Trailer: 0123456789abcdef\r\n"))
			;
		return false;
	}
	if (head_is_for(head, "/big"))
		return send_big(peer, arg);
	return false; /* closes without a word */
}

static void refuse(struct fixture *f, const char *url, int code,
    const char *says)
{
	struct http_request request = {.method = "GET", .url = url};
	struct http_response *r = NULL;
	struct err err = ERR_INIT;

	assert_int_equal(http_open(f->http, &request, &r, &err), -code);
	assert_null(r);
	assert_int_equal(err.code, code);
	if (!strstr(err.msg, says) || strstr(err.msg, "secret"))
		fail_msg("%s", err.msg);
}

static void test_no_answer(void **state)
{
	struct fixture *f = *state;

	refuse(f, server_url(f->server, "/reset?secret"), ECONNRESET, "broke");
	refuse(f, server_url(f->server, "/closes?secret"), ECONNRESET,
	    "/closes: the connection was closed without an answer");
	refuse(f, server_url(f->server, "/garbage"), EPROTO, "not HTTP");
	refuse(f, server_url(f->server, "/long-header"), EPROTO, "too long");
	refuse(f, server_url(f->server, "/long-line"), EPROTO,
	    "a line of the answer's header is too long");
	refuse(f, server_url(f->server, "/continues"), EPROTO,
	    "the answer's header is too long");
	refuse(f, "not-an-url?secret", EINVAL, "not an http URL");
	refuse(f, "ftp://127.0.0.1/", EINVAL, "not an http URL");
}

/* A port where nobody listens: bound, so that nobody else takes it. */
static void test_refused(void **state)
{
	struct sockaddr_in address = {.sin_family = AF_INET};
	socklen_t len = sizeof(address);
	AUTO_FD int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	char url[64];

	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	assert_int_equal(bind(fd, (struct sockaddr *)&address, len), 0);
	getsockname(fd, (struct sockaddr *)&address, &len);
	snprintf(url, sizeof(url), "http://127.0.0.1:%u/a?secret",
	    ntohs(address.sin_port));
	refuse(*state, url, ECONNREFUSED, "/a: connection refused");
}

static void test_no_name(void **state)
{
	refuse(*state, "http://no-such-host.invalid/", EHOSTUNREACH,
	    "GET http://no-such-host.invalid/: the host's name cannot be");
}

/* What came is given, then the failure, again and again. */
static void read_broken(struct fixture *f, const char *path, int code)
{
	struct http_request request = {.method = "GET",
	    .url = server_url(f->server, path)};
	struct http_response *r = http_fixture_open(f, &request);
	struct err err = ERR_INIT;
	char body[16] = "";
	size_t len = 0;
	ssize_t n;

	while ((n = http_read(r, body + len, 1, &err)) > 0)
		len += (size_t)n;
	assert_int_equal(n, -code);
	assert_memory_equal(body, "12345", 5);
	assert_int_equal(err.code, code);
	assert_int_equal(http_read(r, body, 1, &err), -code);
	http_close(r);
}

static void test_truncated(void **state)
{
	read_broken(*state, "/truncated", ECONNRESET);
	read_broken(*state, "/chunks-truncated", ECONNRESET);
}

static void test_trailers(void **state)
{
	read_broken(*state, "/trailers", EPROTO);
}

static void test_stalls(void **state)
{
	struct fixture *f = *state;

	refuse(f, server_url(f->server, "/silent"), ETIMEDOUT, "timed out");
	read_broken(f, "/stalled", ETIMEDOUT);
}

/* The sanitizer keeps what was freed. */
#if defined(__SANITIZE_ADDRESS__)
static const bool memory_is_given_back = false;
#elif defined(__has_feature)
static const bool memory_is_given_back = !__has_feature(address_sanitizer);
#else
static const bool memory_is_given_back = true;
#endif

static size_t resident(void)
{
	AUTO_BUF struct buf text = BUF_INIT(4096);
	struct err err = ERR_INIT;
	size_t size, pages;

	assert_int_equal(file_slurp("/proc/self/statm", &text, &err), 0);
	assert_int_equal(sscanf(buf_str(&text), "%zu %zu", &size, &pages), 2);
	return pages * (size_t)sysconf(_SC_PAGESIZE);
}

/* The server is stopped by a full pipe, not by our memory. */
static void test_slow_reader(void **state)
{
	struct fixture *f = *state;
	struct http_request request = {.method = "GET",
	    .url = server_url(f->server, "/big")};
	size_t before = resident(), sum = 0, sent;
	struct http_response *r = http_fixture_open(f, &request);
	struct err err = ERR_INIT;
	char chunk[64 * 1024];
	ssize_t n;

	sent = fixture_wait(f);
	/* The kernel's buffers hold some megabytes, which are not ours. */
	assert_true(sent < big / 2);
	assert_true(resident() < before + (8 << 20));
	while ((n = http_read(r, chunk, sizeof(chunk), &err)) > 0)
		sum += (size_t)n;
	assert_int_equal(n, 0);
	assert_int_equal(sum, big);
	assert_int_equal(http_count(f->http).bytes_received, big);
	assert_true(!memory_is_given_back || resident() < before + (8 << 20));
	http_close(r);
}

/* Transfers that nobody reads do not hold others up. */
static void test_unread(void **state)
{
	struct fixture *f = *state;
	struct http_request request = {.method = "GET",
	    .url = server_url(f->server, "/big")};
	struct http_response *r = http_fixture_open(f, &request);

	fixture_wait(f);
	fixture_get(f, "/plain", "hello");
	http_close(r);
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
	    TEST(test_no_answer),
	    TEST(test_refused),
	    TEST(test_no_name),
	    TEST(test_truncated),
	    TEST(test_trailers),
	    TEST(test_stalls),
	    TEST(test_slow_reader),
	    TEST(test_unread),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
