/* SPDX-License-Identifier: Apache-2.0 */
/* Names out of a JSON text that arrives in pieces. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "api/names.h"
#include "base/buf.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static int join(void *arg, const char *name, size_t len, struct err *err)
{
	struct buf *out = arg;

	assert_int_equal(strlen(name), len);
	return buf_addf(out, err, "%s|", name);
}

/* All names of "tags", the text coming in pieces of that size. */
static int read_all(const char *text, size_t piece, struct buf *out,
    struct err *err)
{
	struct names_parser names;
	size_t len = strlen(text);

	names_init(&names, "tags");
	for (size_t i = 0; i < len; i += piece) {
		size_t n = len - i < piece ? len - i : piece;
		int r = names_feed(&names, text + i, n, join, out, err);

		if (r != 0)
			return r;
	}
	return names_finish(&names, err);
}

static void good(void **state)
{
	static const char *const cases[][2] = {
	    {"{\"name\":\"a\",\"tags\":[\"1.0\",\"2.0\"]}", "1.0|2.0|"},
	    {" {\n\"tags\" : [ \"x\" ] } \n", "x|"},
	    {"{\"tags\":null,\"name\":\"tags\"}", ""},
	    {"{\"tags\":[]}", ""},
	    {"{\"tags\" : null}", ""},
	    {"{\"other\":{\"tags\":[\"no\"]},\"tags\":[\"yes\"]}", "yes|"},
	    {"{\"other\":[\"tags\",[\"no\"]],\"tags\":[\"yes\"]}", "yes|"},
	    {"{\"tags\":[null,\"a\",7,true,\"b\",[\"c\"],{\"d\":\"e\"},\"f\"]}",
		"a|b|f|"},
	    {"{\"tags\":[\"a\\/b\",\"\\u0061\\u002D\\u002d\",\"\\\"q\\\\\"]}",
		"a/b|a--|\"q\\|"},
	    /* What is no ASCII text is no name. */
	    {"{\"tags\":[\"a\\n\",\"\\u0000\",\"\\u00e4\",\"\xc3\xa4\","
	     "\"\\uzzzz\",\"ok\"]}",
		"ok|"},
	    {"{\"ta\\u0067s\":[\"a\"]}", "a|"},
	    {"{\"x\":\"]}\\\"\",\"tags\":[\"[{,:\"]}", "[{,:|"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		for (size_t piece = 1; piece < 70; piece += 3) {
			AUTO_BUF struct buf out = BUF_INIT(1000);
			struct err err = ERR_INIT;

			assert_int_equal(read_all(cases[i][0], piece, &out,
					     &err),
			    0);
			assert_string_equal(buf_str(&out), cases[i][1]);
		}
	}
}

static void bad(void **state)
{
	static const char *const cases[] = {"", "   ", "[\"a\"]", "\"a\"",
	    "null", "<html>", "{\"tags\":[\"a\"]", "{\"tags\":[\"a", "{",
	    "{} {}", "{\"tags\":[]} x",
	    /* No such list. */
	    "{}", "{\"name\":\"tags\",\"other\":[\"no\"]}",
	    "{\"tags\":\"no\",\"x\":null}",
	    "{\"tags\":{\"n\":\"no\"},\"z\":[\"no\"]}",
	    "{\"other\":{\"tags\":[]}}", "{\"tags\":7,\"n\":null}"};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		AUTO_BUF struct buf out = BUF_INIT(1000);
		struct err err = ERR_INIT;

		assert_int_equal(read_all(cases[i], 5, &out, &err), -EIO);
		assert_string_not_equal(err.msg, "");
	}
}

static void long_strings_are_passed_over(void **state)
{
	AUTO_BUF struct buf text = BUF_INIT(10000);
	AUTO_BUF struct buf out = BUF_INIT(1000);
	struct err err = ERR_INIT;

	(void)state;
	buf_addstr(&text, "{\"tags\":[\"", &err);
	for (int i = 0; i < 600; i++)
		buf_addstr(&text, "long", &err);
	buf_addstr(&text, "\",\"short\"]}", &err);
	assert_int_equal(read_all(buf_str(&text), 100, &out, &err), 0);
	assert_string_equal(buf_str(&out), "short|");
}

static int stop(void *arg, const char *name, size_t len, struct err *err)
{
	unsigned *left = arg;

	(void)name;
	(void)len;
	(void)err;
	return --*left == 0 ? 42 : 0;
}

static void what_each_returns_ends_it(void **state)
{
	static const char text[] = "{\"tags\":[\"a\",\"b\",\"c\"]}";
	struct names_parser names;
	struct err err = ERR_INIT;
	unsigned left = 2;

	(void)state;
	names_init(&names, "tags");
	assert_int_equal(names_feed(&names, text, strlen(text), stop, &left,
			     &err),
	    42);
	assert_int_equal(left, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(good),
	    cmocka_unit_test(bad),
	    cmocka_unit_test(long_strings_are_passed_over),
	    cmocka_unit_test(what_each_returns_ends_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
