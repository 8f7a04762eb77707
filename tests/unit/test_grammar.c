/* SPDX-License-Identifier: Apache-2.0 */
/* Link, ranges and Retry-After. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <string.h>

#include "http/grammar.h"

static void test_link_next(void **state)
{
	static const struct {
		const char *field, *want;
	} cases[] = {
	    {"</v2/_catalog?last=b&n=2>; rel=\"next\"",
		"/v2/_catalog?last=b&n=2"},
	    {"<a>;rel=next", "a"},
	    {"<a> ; REL = \"NEXT\"", "a"},
	    {"<a>; rel=prev, <b>; rel=next", "b"},
	    {"<a,b;c>; title=\"x, y; <z>\"; rel=\"last next\"", "a,b;c"},
	    {"<a>; nofollow; rel=next", "a"},
	    {",<a>,<b>; rel=\"next\"", "b"},
	    {"<>; rel=next", ""},
	    {"/v2/app/tags/list?last=b; rel=next", "/v2/app/tags/list?last=b"},
	    {"a;rel=\"prev\",b;rel=\"next\"", "b"},
	    {"/v2/a?n=2&last=b", "/v2/a?n=2&last=b"},
	    {"<a>", "a"},
	    {"<a>; title=x", "a"},
	};
	struct err err = ERR_INIT;
	char got[64];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_int_equal(http_link_next(cases[i].field, got,
				     sizeof(got), &err),
		    1);
		assert_string_equal(got, cases[i].want);
	}
}

static void test_no_link_next(void **state)
{
	static const char *const none[] = {
	    "",
	    " , ",
	    "<a>; rel=prev",
	    "<a>; rel=\"nextpage\"",
	    "<a>; rel=help, b; rel=prev",
	};
	static const char *const wrong[] = {
	    "<a>; rel=\"next",
	    "<a; rel=next",
	    "<a>; rel=prev, <b",
	    "<a> rel=next",
	    "a b",
	    "; rel=next",
	    "a>; rel=next",
	};
	struct err err = ERR_INIT;
	char got[64];

	(void)state;
	for (size_t i = 0; i < sizeof(none) / sizeof(none[0]); i++)
		assert_int_equal(http_link_next(none[i], got, sizeof(got),
				     &err),
		    0);
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		assert_int_equal(http_link_next(wrong[i], got, sizeof(got),
				     &err),
		    -EINVAL);
	assert_int_equal(http_link_next("<abc>; rel=next", got, 4, &err), 1);
	assert_int_equal(http_link_next("<abcd>; rel=next", got, 4, &err),
	    -EINVAL);
}

static void test_content_range(void **state)
{
	static const struct {
		const char *field;
		uint64_t first, last, total;
	} good[] = {
	    {"bytes 0-0/1", 0, 0, 1},
	    {"Bytes 5-9/10", 5, 9, 10},
	    {"bytes 5-9/*", 5, 9, UINT64_MAX},
	    {" bytes  1-9223372036854775806/9223372036854775807 ", 1,
		INT64_MAX - 1, INT64_MAX},
	};
	static const char *const bad[] = {"", "bytes", "bytes */10",
	    "bytes 5-4/10", "bytes 0-10/10", "bytes 0-9/10x", "items 0-9/10",
	    "bytes 0-9", "bytes=0-9/10", "bytes -1-9/10", "bytes 0-/10",
	    "bytes 0-9/99999999999999999999"};
	uint64_t first = 7, last = 7, total = 7;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_false(http_content_range(bad[i], &first, &last, &total));
	assert_true(first == 7 && last == 7 && total == 7);
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		assert_true(
		    http_content_range(good[i].field, &first, &last, &total));
		assert_true(first == good[i].first && last == good[i].last);
		assert_true(total == good[i].total);
	}
}

static void test_upload_range(void **state)
{
	static const struct {
		const char *field;
		uint64_t received;
	} good[] = {
	    {"0-0", 0},
	    {"0-1", 2},
	    {"bytes=0-1048575", 1048576},
	    {"bytes 0-9", 10},
	    {"bytes=0--1", 0},
	    {" 0-9 ", 10},
	};
	static const char *const bad[] = {"", "0", "0-", "1-9",
	    "bytes=", "0-9/10", "0--2", "0-x", "-9"};
	uint64_t received;

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		assert_true(http_upload_range(good[i].field, &received));
		assert_int_equal(received, good[i].received);
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_false(http_upload_range(bad[i], &received));
}

static void test_retry_after(void **state)
{
	const time_t now = 784111777; /* Sun, 06 Nov 1994 08:49:37 GMT */
	static const struct {
		const char *field;
		uint64_t seconds;
	} good[] = {
	    {"0", 0},
	    {" 120 ", 120},
	    {"Sun, 06 Nov 1994 08:49:37 GMT", 0},
	    {"Sun, 06 Nov 1994 08:50:37 GMT", 60},
	    {"Sunday, 06-Nov-94 08:50:37 GMT", 60},
	    {"Sun Nov  6 08:50:37 1994", 60},
	    {"Sun, 06 Nov 1994 07:00:00 GMT", 0},
	};
	static const char *const bad[] = {"", "soon", "12 s", "-1", "1.5",
	    "99999999999999999999999"};
	uint64_t seconds;

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		assert_true(http_retry_after(good[i].field, now, &seconds));
		assert_int_equal(seconds, good[i].seconds);
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_false(http_retry_after(bad[i], now, &seconds));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_link_next),
	    cmocka_unit_test(test_no_link_next),
	    cmocka_unit_test(test_content_range),
	    cmocka_unit_test(test_upload_range),
	    cmocka_unit_test(test_retry_after),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
