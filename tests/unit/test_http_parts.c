/* SPDX-License-Identifier: Apache-2.0 */
/* The ring between two threads, the lines of a header, and where to go next. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/response.h"
#include "engine/ring.h"
#include "grammar/header.h"
#include "redirect.h"

/* Bytes come out as they went in, wherever the ring begins. */
static void test_ring_order(void **state)
{
	struct ring ring;
	unsigned char in = 0, out = 0;

	(void)state;
	assert_int_equal(ring_init(&ring, 7), 0);
	for (unsigned round = 0; round < 1000; round++) {
		unsigned char piece[5];
		const char *front;
		size_t len = round % 6, n;

		for (size_t i = 0; i < len; i++)
			piece[i] = (unsigned char)(in + i);
		if (ring_put(&ring, piece, len))
			in = (unsigned char)(in + len);
		n = ring_front(&ring, &front);
		assert_true(n <= ring.len && (n > 0 || ring.len == 0));
		if (n > 1 + round % 3)
			n = 1 + round % 3;
		for (size_t i = 0; i < n; i++)
			assert_int_equal((unsigned char)front[i], out++);
		ring_drop(&ring, n);
	}
	assert_int_equal((unsigned char)(in - out), ring.len);
	ring_release(&ring);
}

static void test_ring_full(void **state)
{
	struct ring ring;

	(void)state;
	assert_int_equal(ring_init(&ring, 4), 0);
	assert_true(ring_put(&ring, "abc", 3));
	assert_false(ring_put(&ring, "de", 2));
	assert_int_equal(ring.len, 3);
	assert_true(ring_put(&ring, "d", 1));
	assert_true(ring_put(&ring, "", 0));
	ring_release(&ring);
	assert_null(ring.data);
}

static int add(struct header *header, const char *line)
{
	struct err err = ERR_INIT;

	return header_add_line(header, line, strlen(line), &err);
}

static void test_header(void **state)
{
	struct header header;

	(void)state;
	header_init(&header);
	assert_int_equal(add(&header, "HTTP/1.1 100 Continue\r\n"), 0);
	assert_int_equal(add(&header, "A: early\r\n"), 0);
	assert_int_equal(add(&header, "\r\n"), 1);
	assert_int_equal(header.status, 100);
	assert_int_equal(add(&header, "HTTP/2 206\r\n"), 0);
	assert_null(header_get(&header, "A", 0));
	assert_int_equal(header_length(&header), -1);
	add(&header, "Content-Length: 42\r\n");
	add(&header, "Empty:\r\n");
	add(&header, "no field\r\n");
	add(&header, "A:b: c\t \r\n");
	assert_int_equal(add(&header, "\n"), 1);
	assert_int_equal(header.status, 206);
	assert_int_equal(header_length(&header), 42);
	assert_string_equal(header_get(&header, "empty", 0), "");
	assert_string_equal(header_get(&header, "a", 0), "b: c");
	assert_null(header_get(&header, "b", 0));
	add(&header, "Transfer-Encoding: chunked\r\n");
	assert_int_equal(header_length(&header), -1);
	header_release(&header);
}

static void test_header_limit(void **state)
{
	struct header header;
	int r = 0;
	size_t lines = 0;

	(void)state;
	header_init(&header);
	for (; r == 0 && lines < 100000; lines++)
		r = add(&header, "A: bcdefghijklmno\r\n");
	assert_int_equal(r, -EFBIG);
	assert_true(lines > 1000);
	header_release(&header);
}

static int follow(const char *url, const char *location, char **target,
    struct err *err)
{
	char from[64];
	struct http_request request = {.method = "GET", .max_redirects = 1};
	struct http_response response = {.url = from, .shown = from};
	char line[128];
	int r;

	snprintf(from, sizeof(from), "%s", url);
	snprintf(line, sizeof(line), "Location: %s\r\n", location);
	header_init(&response.header);
	add(&response.header, "HTTP/1.1 307 Temporary Redirect\r\n");
	add(&response.header, line);
	r = redirect_target(&request, &response, 0, target, err);
	header_release(&response.header);
	return r;
}

/* What was encrypted stays so. */
static void test_redirect_schemes(void **state)
{
	static const struct {
		const char *url, *location;
		int result;
	} cases[] = {
	    {"https://a/", "https://b/", 1},
	    {"http://a/", "https://b/", 1},
	    {"http://a/", "http://b/", 1},
	    {"https://a/", "//b/", 1},
	    {"https://a/", "http://b/", -EPROTO},
	    {"https://a/", "HTTP://a/", -EPROTO},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		AUTO_FREE char *target = NULL;
		struct err err = ERR_INIT;

		assert_int_equal(follow(cases[i].url, cases[i].location,
				     &target, &err),
		    cases[i].result);
		assert_true((target != NULL) == (cases[i].result == 1));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_ring_order),
	    cmocka_unit_test(test_ring_full),
	    cmocka_unit_test(test_header),
	    cmocka_unit_test(test_header_limit),
	    cmocka_unit_test(test_redirect_schemes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
