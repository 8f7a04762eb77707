/* SPDX-License-Identifier: Apache-2.0 */
/* The small parsers: what they take, what they refuse, where they leave off. */
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/parse.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static void literal(void **state)
{
	const char *p = "Bearer x";

	(void)state;
	assert_false(parse_literal(&p, "bearer"));
	assert_false(parse_literal(&p, "Bearer xy"));
	assert_string_equal(p, "Bearer x");
	assert_true(parse_literal(&p, ""));
	assert_true(parse_literal(&p, "Bearer"));
	assert_string_equal(p, " x");
}

static void literal_nocase(void **state)
{
	const char *p = "BeArEr x";

	(void)state;
	assert_false(parse_literal_nocase(&p, "bearer xy"));
	assert_false(parse_literal_nocase(&p, "basic"));
	assert_string_equal(p, "BeArEr x");
	assert_true(parse_literal_nocase(&p, "bEARER"));
	assert_string_equal(p, " x");
	/* '[' and '{' differ in the bit that makes 'A' an 'a'. */
	p = "[";
	assert_false(parse_literal_nocase(&p, "{"));
}

static void u64_good(void **state)
{
	static const struct {
		const char *text;
		uint64_t max, value;
		const char *rest;
	} cases[] = {
	    {"0", 0, 0, ""},
	    {"007", 7, 7, ""},
	    {"42;", 100, 42, ";"},
	    {"18446744073709551615", UINT64_MAX, UINT64_MAX, ""},
	    {"9223372036854775807x", INT64_MAX, INT64_MAX, "x"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		const char *p = cases[i].text;
		uint64_t value = 1;

		assert_true(parse_u64(&p, cases[i].max, &value));
		assert_true(value == cases[i].value);
		assert_string_equal(p, cases[i].rest);
	}
}

static void u64_bad(void **state)
{
	static const struct {
		const char *text;
		uint64_t max;
	} cases[] = {
	    {"", 10},
	    {"-1", 10},
	    {"+1", 10},
	    {" 1", 10},
	    {"x", 10},
	    {"1", 0},
	    {"11", 10},
	    {"100", 10},
	    {"18446744073709551616", UINT64_MAX},
	    {"99999999999999999999999", UINT64_MAX},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		const char *p = cases[i].text;
		uint64_t value = 77;

		assert_false(parse_u64(&p, cases[i].max, &value));
		assert_true(value == 77);
		assert_ptr_equal(p, cases[i].text);
	}
}

static void token(void **state)
{
	static const char *const bad[] = {"", " a", "\"a\"", "=", "\xc3\xa9"};
	const char *p = "max-age=1", *out = NULL;
	size_t len = 0;

	(void)state;
	assert_true(parse_token(&p, &out, &len));
	assert_int_equal(len, 7);
	assert_memory_equal(out, "max-age", 7);
	assert_string_equal(p, "=1");
	p = "!#$%&'*+-.^_`|~09azAZ";
	assert_true(parse_token(&p, &out, &len));
	assert_string_equal(p, "");
	for (size_t i = 0; i < COUNT(bad); i++) {
		p = bad[i];
		assert_false(parse_token(&p, &out, &len));
		assert_ptr_equal(p, bad[i]);
	}
}

static void quoted_good(void **state)
{
	static const char *const cases[][2] = {
	    {"\"\"", ""},
	    {"\"a b\"", "a b"},
	    {"\"a\\\"b\\\\c\"", "a\"b\\c"},
	    {"\"\\a\t\xc3\xa9\"", "a\t\xc3\xa9"},
	    {"\"1234567\"", "1234567"},
	};
	char out[8];

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		const char *p = cases[i][0];

		assert_true(parse_quoted(&p, out, sizeof(out)));
		assert_string_equal(out, cases[i][1]);
		assert_string_equal(p, "");
	}
}

static void quoted_bad(void **state)
{
	static const char *const cases[] = {
	    "",
	    "a\"",
	    "\"",
	    "\"abc",
	    "\"abc\\\"",
	    "\"abc\\",
	    "\"a\nb\"",
	    "\"a\\\nb\"",
	    "\"\x7f\"",
	    "\"12345678\"",
	};
	char out[8];

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		const char *p = cases[i];

		assert_false(parse_quoted(&p, out, sizeof(out)));
		assert_ptr_equal(p, cases[i]);
	}
}

static void space(void **state)
{
	const char *p = " \t x";

	(void)state;
	assert_true(parse_space(&p));
	assert_string_equal(p, "x");
	assert_true(parse_space(&p));
	assert_string_equal(p, "x");
}

static void hex(void **state)
{
	static const char *const bad[] = {"", "0", "00f", "00FF", "0x00",
	    "00g0"};
	const char *p = "00ff9aX";
	uint8_t out[3] = {1, 1, 1};

	(void)state;
	assert_true(parse_hex(&p, out, 3));
	assert_memory_equal(out, "\x00\xff\x9a", 3);
	assert_string_equal(p, "X");
	for (size_t i = 0; i < COUNT(bad); i++) {
		p = bad[i];
		assert_false(parse_hex(&p, out, 2));
		assert_ptr_equal(p, bad[i]);
	}
}

static void rfc3339_good(void **state)
{
	static const struct {
		const char *text;
		int64_t seconds;
		uint32_t nanos;
	} cases[] = {
	    {"1970-01-01T00:00:00Z", 0, 0},
	    {"1969-12-31T23:59:59.5Z", -1, 500000000},
	    {"2024-02-29T12:34:56.123456789Z", 1709210096, 123456789},
	    {"2023-05-09T23:11:10.007217553Z", 1683673870, 7217553},
	    {"2000-03-01t00:00:00z", 951868800, 0},
	    {"2024-01-01T00:00:00+05:30", 1704047400, 0},
	    {"2023-12-31T20:00:00-04:00", 1704067200, 0},
	    {"2016-12-31T23:59:60Z", 1483228800, 0},
	    {"2024-01-01T00:00:00.1234567891234Z", 1704067200, 123456789},
	    {"0001-01-01T00:00:00Z", INT64_C(-62135596800), 0},
	    {"0000-01-01T00:00:00Z", INT64_C(-62167219200), 0},
	    {"9999-12-31T23:59:59Z", INT64_C(253402300799), 0},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		const char *p = cases[i].text;
		int64_t seconds = 1;
		uint32_t nanos = 1;

		assert_true(parse_rfc3339(&p, &seconds, &nanos));
		assert_string_equal(p, "");
		if (seconds != cases[i].seconds)
			fail_msg("%s: %" PRId64, cases[i].text, seconds);
		assert_int_equal(nanos, cases[i].nanos);
	}
}

static void rfc3339_bad(void **state)
{
	static const char *const cases[] = {
	    "",
	    "2024-01-01",
	    "2024-01-01T00:00:00",
	    "2024-01-01T00:00Z",
	    "2024-01-01 00:00:00Z",
	    "2024-00-01T00:00:00Z",
	    "2024-13-01T00:00:00Z",
	    "2024-04-31T00:00:00Z",
	    "2023-02-29T00:00:00Z",
	    "1900-02-29T00:00:00Z",
	    "2024-01-00T00:00:00Z",
	    "2024-01-01T24:00:00Z",
	    "2024-01-01T00:60:00Z",
	    "2024-01-01T00:00:61Z",
	    "2024-01-01T00:00:00.Z",
	    "2024-01-01T00:00:00+0530",
	    "2024-01-01T00:00:00+24:00",
	    "2024-1-1T00:00:00Z",
	    "-024-01-01T00:00:00Z",
	    "+2024-01-01T00:00:00Z",
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		const char *p = cases[i];
		int64_t seconds = 77;
		uint32_t nanos = 77;

		if (parse_rfc3339(&p, &seconds, &nanos))
			fail_msg("taken: %s", cases[i]);
		assert_ptr_equal(p, cases[i]);
		assert_int_equal(seconds, 77);
		assert_int_equal(nanos, 77);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(literal),
	    cmocka_unit_test(literal_nocase),
	    cmocka_unit_test(u64_good),
	    cmocka_unit_test(u64_bad),
	    cmocka_unit_test(token),
	    cmocka_unit_test(quoted_good),
	    cmocka_unit_test(quoted_bad),
	    cmocka_unit_test(space),
	    cmocka_unit_test(hex),
	    cmocka_unit_test(rfc3339_good),
	    cmocka_unit_test(rfc3339_bad),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
