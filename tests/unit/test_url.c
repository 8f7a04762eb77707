/* SPDX-License-Identifier: Apache-2.0 */
/* Url arithmetic. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <string.h>

#include "base/cleanup.h"
#include "grammar/url.h"
#include "http/grammar.h"

static void test_resolve(void **state)
{
	static const char base[] = "https://reg.example:5000/v2/a/blobs?n=1";
	static const struct {
		const char *reference, *want;
	} cases[] = {
	    {"https://cdn.example/x?sig=a%2Fb&c=d",
		"https://cdn.example/x?sig=a%2Fb&c=d"},
	    {"http://cdn.example/x", "http://cdn.example/x"},
	    {"HTTPS://cdn.example/", "https://cdn.example/"},
	    {"/v2/b/uploads/1?_state=a", /* the usual Location */
		"https://reg.example:5000/v2/b/uploads/1?_state=a"},
	    {"uploads/1", "https://reg.example:5000/v2/a/uploads/1"},
	    {"../c", "https://reg.example:5000/v2/c"},
	    {"?last=x", "https://reg.example:5000/v2/a/blobs?last=x"},
	    {"//cdn.example/x", "https://cdn.example/x"}, /* scheme lost */
	    {"/x#part", "https://reg.example:5000/x"},
	    {"/a b", "https://reg.example:5000/a%20b"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct err err = ERR_INIT;
		AUTO_FREE char *got =
		    http_url_resolve(base, cases[i].reference, &err);

		assert_non_null(got);
		assert_string_equal(got, cases[i].want);
	}
}

static void test_resolve_refuses(void **state)
{
	static const struct {
		const char *base, *reference;
	} cases[] = {
	    {"https://a/", "ftp://b/x"},
	    {"https://a/", "file:///etc/passwd"},
	    {"https://a/", "http://b:99999/"},
	    {"https://a/", "https://"},
	    {"a/b", "/c"},
	    {"", ""},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct err err = ERR_INIT;

		assert_null(
		    http_url_resolve(cases[i].base, cases[i].reference, &err));
		assert_int_equal(err.code, EINVAL);
	}
}

static void test_same_origin(void **state)
{
	(void)state;
	assert_true(http_same_origin("http://a/x", "http://A:80/y?z"));
	assert_true(http_same_origin("https://a:443/", "HTTPS://a"));
	assert_true(http_same_origin("http://u:p@a:5000/", "http://a:5000/"));
	assert_true(http_same_origin("http://[::1]:1/", "http://[::1]:1/a"));
	assert_false(http_same_origin("http://a/", "https://a/"));
	assert_false(http_same_origin("http://a:80/", "https://a:80/"));
	assert_false(http_same_origin("http://a/", "http://b/"));
	assert_false(http_same_origin("http://a/", "http://a.b/"));
	assert_false(http_same_origin("http://a:1/", "http://a:2/"));
	assert_false(http_same_origin("http://a@b/", "http://a/"));
	assert_false(http_same_origin("junk", "junk"));
}

static void test_escape(void **state)
{
	AUTO_FREE char *all = http_url_escape("aZ09-._~ /:@?&=+%\xc3\xa9");
	AUTO_FREE char *none = http_url_escape("");

	(void)state;
	assert_string_equal(all, "aZ09-._~%20%2F%3A%40%3F%26%3D%2B%25%C3%A9");
	assert_string_equal(none, "");
}

/* Nothing that can hold a credential is shown. */
static void test_shown(void **state)
{
	struct err err = ERR_INIT;
	AUTO_FREE char *shown =
	    url_shown("https://user:pass@host:1/path?sig=secret#part", &err);

	(void)state;
	assert_string_equal(shown, "https://host:1/path");
	assert_null(url_shown("host/path?secret", &err));
	assert_int_equal(err.code, EINVAL);
	assert_null(strstr(err.msg, "secret"));
}

static void test_loopback(void **state)
{
	(void)state;
	assert_true(url_is_loopback("http://localhost:5000/v2/"));
	assert_true(url_is_loopback("https://LOCALHOST/"));
	assert_true(url_is_loopback("http://127.0.0.1:5000/"));
	assert_true(url_is_loopback("http://127.8.9.10/"));
	assert_true(url_is_loopback("http://[::1]:5000/"));
	assert_false(url_is_loopback("http://localhost.example/"));
	assert_false(url_is_loopback("http://127.0.0.1.example/"));
	assert_false(url_is_loopback("http://128.0.0.1/"));
	assert_false(url_is_loopback("http://[::2]/"));
	assert_false(url_is_loopback("junk"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_resolve),
	    cmocka_unit_test(test_resolve_refuses),
	    cmocka_unit_test(test_same_origin),
	    cmocka_unit_test(test_escape),
	    cmocka_unit_test(test_shown),
	    cmocka_unit_test(test_loopback),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
