/* SPDX-License-Identifier: Apache-2.0 */
/* WWW-Authenticate, good and bad. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "http/grammar.h"

/* The challenges of a field, one "scheme realm|service|scope|error" a line. */
static int flatten(const char *field, char *out, size_t size)
{
	struct http_challenge challenge;
	struct err err = ERR_INIT;
	const char *p = field;
	size_t len = 0;
	int r;

	out[0] = '\0';
	while ((r = http_challenge_next(&p, &challenge, &err)) == 1)
		len +=
		    (size_t)snprintf(out + len, size - len, "%s %s|%s|%s|%s\n",
			challenge.bearer ? "bearer" : "basic", challenge.realm,
			challenge.service, challenge.scope, challenge.error);
	assert_true(r == 0 || (r == -EINVAL && err.code == EINVAL));
	return r;
}

static void test_good(void **state)
{
	static const struct {
		const char *field, *want;
	} cases[] = {
	    {"Bearer realm=\"https://a/t\",service=\"s\","
	     "scope=\"repository:x:pull,push\"",
		"bearer https://a/t|s|repository:x:pull,push|\n"},
	    {"bearer Realm=\"r\", SERVICE=s", "bearer r|s||\n"},
	    {"Basic realm=\"Registry Realm\"", "basic Registry Realm|||\n"},
	    {"Basic", "basic |||\n"},
	    {"", ""},
	    {" , ,", ""},
	    /* Several in one line. */
	    {"Bearer realm=\"a\",service=\"b\",Basic realm=\"c\"",
		"bearer a|b||\nbasic c|||\n"},
	    {"Basic realm=\"c\", Bearer realm=\"a\" , error=invalid_token",
		"basic c|||\nbearer a|||invalid_token\n"},
	    {"Basic,Bearer realm=\"a\"", "basic |||\nbearer a|||\n"},
	    /* Other schemes in between are passed over. */
	    {"Negotiate, Basic realm=\"c\"", "basic c|||\n"},
	    {"Negotiate YWJj==, Basic realm=\"c\"", "basic c|||\n"},
	    {"Digest realm=\"d\", nonce=\"Bearer realm=x\", qop=\"a,b\","
	     " Bearer realm=\"a\",,NTLM",
		"bearer a|||\n"},
	    {"Digest realm=\"d\"", ""},
	    /* Escapes, spaces around "=", unknown parameters. */
	    {"Basic realm=\"a \\\"b\\\\c\\\"\"", "basic a \"b\\c\"|||\n"},
	    {"Bearer realm = \"a\" , charset=\"UTF-8\",service =\"s\"",
		"bearer a|s||\n"},
	    {"Bearer realm=\"\",scope=\"a b\"", "bearer ||a b|\n"},
	    {"Bearer realm=\"a\",", "bearer a|||\n"},
	};
	char got[8192];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_int_equal(flatten(cases[i].field, got, sizeof(got)), 0);
		assert_string_equal(got, cases[i].want);
	}
}

static void test_bad(void **state)
{
	static const char *const cases[] = {
	    "\"Bearer\"",
	    "=",
	    "Bearer realm=\"a",
	    "Bearer realm=\"a\" service=\"b\"",
	    "Bearer realm=\"a\"; service=\"b\"",
	    "Bearer Basic realm=\"a\"",
	    "Basic realm=\"a\\",
	    "Basic realm=\"a\nb\"",
	    "<html>",
	    "Bearer realm==\"a\"",
	};
	char got[8192];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_int_equal(flatten(cases[i], got, sizeof(got)), -EINVAL);
}

/* What came before the garbage is still given. */
static void test_good_then_bad(void **state)
{
	char got[8192];

	(void)state;
	assert_int_equal(flatten("Basic realm=\"a\", {", got, sizeof(got)),
	    -EINVAL);
	assert_string_equal(got, "basic a|||\n");
}

static void test_too_long(void **state)
{
	char field[CHALLENGE_TEXT_SIZE + 64], got[8192];
	size_t fits = CHALLENGE_TEXT_SIZE - 1;

	(void)state;
	memset(field, 'a', sizeof(field));
	memcpy(field, "Basic realm=\"", 13);
	memcpy(field + 13 + fits, "\"", 2);
	assert_int_equal(flatten(field, got, sizeof(got)), 0);
	assert_int_equal(strlen(got), 6 + fits + 4);

	memset(field, 'a', sizeof(field));
	memcpy(field, "Basic realm=\"", 13);
	memcpy(field + 13 + fits + 1, "\"", 2);
	assert_int_equal(flatten(field, got, sizeof(got)), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_good),
	    cmocka_unit_test(test_bad),
	    cmocka_unit_test(test_good_then_bad),
	    cmocka_unit_test(test_too_long),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
