/* SPDX-License-Identifier: Apache-2.0 */
/* Answers of token servers. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "creds/secret.h"
#include "session/token.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* 2024-01-02T03:04:05Z */
#define NOW 1704164645

static void good(void **state)
{
	static const struct {
		const char *body, *text;
		uint64_t lifetime;
	} cases[] = {
	    {"{\"token\":\"t\"}", "t", 60},
	    {"{\"access_token\":\"a\"}", "a", 60},
	    {"{\"token\":\"t\",\"access_token\":\"t\",\"expires_in\":300}", "t",
		300},
	    {"{\"token\":\"\",\"access_token\":\"a\",\"expires_in\":1}", "a",
		1},
	    {"{\"token\":\"t\",\"expires_in\":0}", "t", 60},
	    {"{\"token\":\"t\",\"expires_in\":-5}", "t", 60},
	    {"{\"token\":\"t\",\"expires_in\":\"300\"}", "t", 60},
	    {"{\"token\":\"t\",\"expires_in\":9223372036854775807}", "t",
		86400},
	    {"{\"token\":\"t\",\"expires_in\":300,"
	     "\"issued_at\":\"2024-01-02T03:04:05Z\"}",
		"t", 300},
	    {"{\"token\":\"t\",\"expires_in\":300,"
	     "\"issued_at\":\"2024-01-02T03:02:25.5Z\"}",
		"t", 200},
	    /* Clocks that do not agree say nothing. */
	    {"{\"token\":\"t\",\"expires_in\":300,"
	     "\"issued_at\":\"2024-01-02T04:04:05Z\"}",
		"t", 300},
	    {"{\"token\":\"t\",\"expires_in\":300,"
	     "\"issued_at\":\"2024-01-02T02:04:05Z\"}",
		"t", 300},
	    {"{\"token\":\"t\",\"expires_in\":300,\"issued_at\":\"today\"}",
		"t", 300},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct token token = {0};
		struct err err = ERR_INIT;

		assert_int_equal(token_parse(cases[i].body,
				     strlen(cases[i].body), NOW, &token, &err),
		    0);
		assert_string_equal(token.text, cases[i].text);
		assert_int_equal(token.lifetime, cases[i].lifetime);
		secret_free(token.text);
	}
}

static void bad(void **state)
{
	static const char *const cases[] = {"", "{}", "[]", "null",
	    "{\"token\":7}", "{\"token\":\"\"}", "<html>login</html>",
	    "{\"token\":\"a\\r\\nX-Evil: 1\"}", "{\"token\":\"a b\"}",
	    "{\"token\":\"\\u00e4\"}", "{\"token\":\"t\""};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct token token = {0};
		struct err err = ERR_INIT;

		assert_int_equal(token_parse(cases[i], strlen(cases[i]), NOW,
				     &token, &err),
		    -EIO);
		assert_null(token.text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(good),
	    cmocka_unit_test(bad),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
