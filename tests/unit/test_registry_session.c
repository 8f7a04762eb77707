/* SPDX-License-Identifier: Apache-2.0 */
/* Where a registry may lead us. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "session/session.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static void locations(void **state)
{
	static const struct {
		const char *origin, *location, *want;
	} cases[] = {
	    {"https://r.io",
		"/v2/u/1?_state=a%2Bb==", "/v2/u/1?_state=a%2Bb=="},
	    {"https://r.io", "https://r.io/u", "https://r.io/u"},
	    {"https://r.io", "https://up.r.io/u?x=1", "https://up.r.io/u?x=1"},
	    /* The port, or the scheme, is lost behind a proxy. */
	    {"https://r.io:5000", "https://r.io/u", "https://r.io:5000/u"},
	    {"https://r.io", "http://r.io/u", "https://r.io/u"},
	    {"https://r.io", "http://r.io:443/u", "https://r.io/u"},
	    {"https://[::1]:5000", "https://[::1]/u", "https://[::1]:5000/u"},
	    {"http://r.io:5000", "https://r.io:5000/u", "http://r.io:5000/u"},
	    /* Another port is another server. */
	    {"https://r.io", "https://r.io:8443/u", "https://r.io:8443/u"},
	    {"http://r.io", "http://other.io/u", "http://other.io/u"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		AUTO_FREE char *origin = strdup(cases[i].origin);
		struct registry registry = {.origin = origin};
		AUTO_FREE char *url = NULL;
		struct err err = ERR_INIT;
		char base[100];

		snprintf(base, sizeof(base), "%s/v2/", origin);
		assert_int_equal(session_location(&registry, base,
				     cases[i].location, &url, &err),
		    0);
		if (*cases[i].want == '/') {
			assert_memory_equal(url, origin, strlen(origin));
			assert_string_equal(url + strlen(origin),
			    cases[i].want);
		} else {
			assert_string_equal(url, cases[i].want);
		}
	}
}

static void bad_locations(void **state)
{
	static const char *const cases[] = {"ftp://r.io/u",
	    "file:///etc/passwd", "http://other.io/u"};
	char origin[] = "https://r.io";
	struct registry registry = {.origin = origin};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct err err = ERR_INIT;
		char *url = NULL;

		assert_true(session_location(&registry, "https://r.io/v2/",
				cases[i], &url, &err) < 0);
		assert_null(url);
	}
}

static void plain_http(void **state)
{
	char https[] = "https://r.io", http[] = "http://r.io";
	struct registry registry = {.origin = https};
	struct err err = ERR_INIT;

	(void)state;
	assert_int_equal(session_check_url(&registry, "https://a.io/t", &err),
	    0);
	assert_int_equal(session_check_url(&registry, "HTTP://a.io/t", &err),
	    -EPROTO);
	registry.insecure = true;
	assert_int_equal(session_check_url(&registry, "http://a.io/t", &err),
	    0);
	registry.insecure = false;
	registry.origin = http;
	assert_int_equal(session_check_url(&registry, "http://a.io/t", &err),
	    0);
}

static void own_urls(void **state)
{
	static const char *const cases[][2] = {
	    {"https://evil.io/v2/_catalog?last=b", "/v2/_catalog?last=b"},
	    {"https://evil.io", "/"},
	    {"https://evil.io?x", "/?x"},
	};
	char origin[] = "http://r.io:5000";
	struct registry registry = {.origin = origin};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		AUTO_FREE char *url = session_own_url(&registry, cases[i][0]);

		assert_memory_equal(url, origin, strlen(origin));
		assert_string_equal(url + strlen(origin), cases[i][1]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(locations),
	    cmocka_unit_test(bad_locations),
	    cmocka_unit_test(plain_http),
	    cmocka_unit_test(own_urls),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
