/* SPDX-License-Identifier: Apache-2.0 */
/* Bodies that are sent: from memory and from a file, and again. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "http_fixture.h"

enum { SKIPPED = 1000, BODY_SIZE = 5 << 20 };

/* Receives the body and compares it with what write_body() wrote. */
static bool body_is_right(struct peer *peer, size_t size)
{
	uint32_t got[1024];

	for (size_t at = 0; at < size; at += sizeof(got)) {
		if (!peer_receive(peer, got, sizeof(got)))
			return false;
		for (size_t i = 0; i < 1024; i++)
			if (got[i] != (uint32_t)(at / 4 + i))
				return false;
	}
	return true;
}

static size_t body_size(const char *head)
{
	char value[32];

	if (!head_field(head, "Content-Length", value, sizeof(value)))
		return SIZE_MAX;
	return strtoul(value, NULL, 10);
}

/* 100 Continue where the client waits for it. */
static bool take(struct peer *peer, const char *head)
{
	char value[32];

	if (head_field(head, "Expect", value, sizeof(value)) &&
	    !peer_send(peer, "HTTP/1.1 100 Continue\r\n\r\n"))
		return false;
	return body_is_right(peer, body_size(head)) &&
	       peer_reply(peer, 201, "", "taken");
}

static bool answer(struct peer *peer, const char *head, void *arg)
{
	struct fixture *f = arg;
	char value[64], small[8];

	if (head_is_for(head, "/take"))
		return take(peer, head);
	/* Knows nothing of Expect, and just reads. */
	if (head_is_for(head, "/old"))
		return body_is_right(peer, body_size(head)) &&
		       peer_reply(peer, 201, "", "taken");
	if (head_is_for(head, "/small")) {
		snprintf(f->seen, sizeof(f->seen), "%s", head);
		return peer_receive(peer, small, 4) &&
		       memcmp(small, "body", 4) == 0 &&
		       peer_reply(peer, 201, "", "taken");
	}
	if (head_is_for(head, "/none")) {
		snprintf(f->seen, sizeof(f->seen), "%s", head);
		return peer_reply(peer, 202, "", "");
	}
	if (head_is_for(head, "/guarded"))
		return head_field(head, "Authorization", value, 64)
			   ? take(peer, head)
			   : peer_reply(peer, 401, "", "who are you");
	/* Breaks in the middle of the first attempt. */
	if (head_is_for(head, "/breaks") && peer_number(peer) == 1) {
		peer_send(peer, "HTTP/1.1 100 Continue\r\n\r\n");
		peer_receive(peer, NULL, BODY_SIZE / 2);
		peer_reset(peer);
		return false;
	}
	if (head_is_for(head, "/breaks"))
		return take(peer, head);
	if (head_is_for(head, "/417") && head_field(head, "Expect", value, 64))
		return peer_reply(peer, 417, "", "what do you expect");
	if (head_is_for(head, "/417"))
		return take(peer, head);
	return peer_reply(peer, 404, "", "");
}

static int write_body(void)
{
	struct err err = ERR_INIT;
	int fd = file_temp("/tmp", &err);
	uint32_t chunk[1024];

	assert_true(fd >= 0);
	for (size_t at = 0; at < BODY_SIZE; at += sizeof(chunk)) {
		for (size_t i = 0; i < 1024; i++)
			chunk[i] = (uint32_t)(at / 4 + i);
		assert_int_equal(file_pwrite(fd, chunk, sizeof(chunk),
				     SKIPPED + at, &err),
		    0);
	}
	return fd;
}

static int put(struct fixture *f, const char *path, int fd,
    const char *authorization, int *status)
{
	const char *headers[] = {authorization, NULL};
	struct http_request request = {.method = "PUT",
	    .headers = headers,
	    .url = server_url(f->server, path),
	    .retry = true,
	    .body = {.fd = fd, .offset = SKIPPED, .size = BODY_SIZE}};
	struct http_response *r = NULL;
	struct err err = ERR_INIT;
	int result = http_open(f->http, &request, &r, &err);

	if (result == 0)
		*status = http_status(r);
	http_close(r);
	return result;
}

static void test_file(void **state)
{
	struct fixture *f = *state;
	AUTO_FD int fd = write_body();
	int status;

	assert_int_equal(put(f, "/take", fd, NULL, &status), 0);
	assert_int_equal(status, 201);
	assert_int_equal(http_count(f->http).bytes_sent, BODY_SIZE);
	assert_int_equal(put(f, "/old", fd, NULL, &status), 0);
	assert_int_equal(status, 201);
	assert_int_equal(http_count(f->http).bytes_sent, 2 * BODY_SIZE);
}

/* A refused body is not sent, and the next attempt begins at its start. */
static void test_unauthorized_first(void **state)
{
	struct fixture *f = *state;
	AUTO_FD int fd = write_body();
	int status;

	assert_int_equal(put(f, "/guarded", fd, NULL, &status), 0);
	assert_int_equal(status, 401);
	assert_int_equal(http_count(f->http).bytes_sent, 0);
	assert_int_equal(put(f, "/guarded", fd, "Authorization: x", &status),
	    0);
	assert_int_equal(status, 201);
	assert_int_equal(http_count(f->http).bytes_sent, BODY_SIZE);
}

static void test_broken(void **state)
{
	struct fixture *f = *state;
	AUTO_FD int fd = write_body();
	int status;

	assert_int_equal(put(f, "/breaks", fd, NULL, &status), 0);
	assert_int_equal(status, 201);
	assert_int_equal(server_requests(f->server), 2);
}

static void test_expectation_failed(void **state)
{
	AUTO_FD int fd = write_body();
	int status;

	assert_int_equal(put(*state, "/417", fd, NULL, &status), 0);
	assert_int_equal(status, 201);
}

static void test_short_file(void **state)
{
	struct fixture *f = *state;
	AUTO_FD int fd = write_body();
	int status;

	assert_int_equal(ftruncate(fd, BODY_SIZE / 2), 0);
	assert_int_equal(put(f, "/take", fd, NULL, &status), -EIO);
	assert_int_equal(server_requests(f->server), 1);
}

static void test_memory(void **state)
{
	struct fixture *f = *state;
	struct http_request request = {.method = "PATCH",
	    .url = server_url(f->server, "/small"),
	    .body = {.data = "body", .size = 4}};
	struct http_response *r = http_fixture_open(f, &request);
	char value[32];

	assert_int_equal(http_status(r), 201);
	assert_memory_equal(f->seen, "PATCH ", 6);
	assert_false(head_field(f->seen, "Expect", value, sizeof(value)));
	assert_false(head_field(f->seen, "Transfer-Encoding", value, 32));
	http_close(r);
	assert_int_equal(http_count(f->http).bytes_sent, 4);
}

/* Methods that have a body say so when it is empty. */
static void test_no_body(void **state)
{
	static const struct {
		const char *method;
		bool has_length;
	} cases[] = {{"POST", true}, {"PUT", true}, {"DELETE", false},
	    {"GET", false}};
	struct fixture *f = *state;

	for (size_t i = 0; i < 4; i++) {
		struct http_request request = {.method = cases[i].method,
		    .url = server_url(f->server, "/none")};
		struct http_response *r = http_fixture_open(f, &request);

		assert_int_equal(http_status(r), 202);
		assert_int_equal(body_size(f->seen),
		    cases[i].has_length ? 0 : SIZE_MAX);
		http_close(r);
	}
}

static int setup(void **state)
{
	return fixture_new(state, answer, &fixture_options);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, fixture_free)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(test_file),
	    TEST(test_unauthorized_first),
	    TEST(test_broken),
	    TEST(test_expectation_failed),
	    TEST(test_short_file),
	    TEST(test_memory),
	    TEST(test_no_body),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
