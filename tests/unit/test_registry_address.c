/* SPDX-License-Identifier: Apache-2.0 */
/* Addresses of registries. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "session/address.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static void good(void **state)
{
	static const struct {
		const char *text;
		enum address_scheme scheme;
		const char *host, *server;
		bool hub, loopback;
	} cases[] = {
	    {"localhost:5000", ADDRESS_ANY, "localhost:5000", "localhost:5000",
		false, true},
	    {"https://reg.example.com", ADDRESS_HTTPS, "reg.example.com",
		"reg.example.com", false, false},
	    {"HTTP://reg.example.com:80/", ADDRESS_HTTP, "reg.example.com:80",
		"reg.example.com:80", false, false},
	    {"docker.io", ADDRESS_ANY, "docker.io", "registry-1.docker.io",
		true, false},
	    {"index.docker.io", ADDRESS_ANY, "index.docker.io",
		"registry-1.docker.io", true, false},
	    {"registry", ADDRESS_ANY, "registry", "registry", false, false},
	    {"[::1]:5000", ADDRESS_ANY, "[::1]:5000", "[::1]:5000", false,
		true},
	    {"[2001:db8::1]", ADDRESS_ANY, "[2001:db8::1]", "[2001:db8::1]",
		false, false},
	    {"127.3.2.1", ADDRESS_ANY, "127.3.2.1", "127.3.2.1", false, true},
	    {"reg.localhost:1", ADDRESS_ANY, "reg.localhost:1",
		"reg.localhost:1", false, true},
	    {"127.example.com", ADDRESS_ANY, "127.example.com",
		"127.example.com", false, false},
	    {"notlocalhost", ADDRESS_ANY, "notlocalhost", "notlocalhost", false,
		false},
	    {"localhost.example.com", ADDRESS_ANY, "localhost.example.com",
		"localhost.example.com", false, false},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct address address;
		struct err err = ERR_INIT;

		assert_int_equal(address_parse(&address, cases[i].text, &err),
		    0);
		assert_int_equal(address.scheme, cases[i].scheme);
		assert_string_equal(address.host, cases[i].host);
		assert_string_equal(address.server, cases[i].server);
		assert_int_equal(address.hub, cases[i].hub);
		assert_int_equal(address.loopback, cases[i].loopback);
	}
}

static void bad(void **state)
{
	static const char *const cases[] = {"", "https://", "ftp://r.io",
	    "r.io/library", "https://r.io/a", "r.io:", "r.io:0", "r.io:65536",
	    "r.io:80a", "user@r.io", "user:pass@r.io", "r io", "-r.io", ".io",
	    ":5000", "[::1", "[]", "[x]", "r.io?x", "r.io#x", "r.io//"};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct address address;
		struct err err = ERR_INIT;

		assert_int_equal(address_parse(&address, cases[i], &err),
		    -EINVAL);
		assert_string_not_equal(err.msg, "");
	}
}

static void too_long(void **state)
{
	struct address address;
	struct err err = ERR_INIT;
	char text[300];

	(void)state;
	memset(text, 'a', sizeof(text));
	text[sizeof(text) - 1] = '\0';
	assert_int_equal(address_parse(&address, text, &err), -EINVAL);
}

static void references(void **state)
{
	static const struct {
		const char *address;
		bool plain;
		const char *repository, *name;
	} cases[] = {
	    {"localhost:5000", true, "ns/app", "localhost:5000/ns/app"},
	    {"localhost", false, "app", "localhost/app"},
	    {"https://reg.example.com", false, "a/b/c",
		"reg.example.com/a/b/c"},
	    {"[::1]:5000", true, "app", "[::1]:5000/app"},
	    {"docker.io", false, "alpine", "docker.io/library/alpine"},
	    {"docker.io", false, "library/alpine", "docker.io/library/alpine"},
	    {"docker.io", false, "user/app", "docker.io/user/app"},
	    {"index.docker.io", false, "alpine", "docker.io/library/alpine"},
	    {"https://registry-1.docker.io", false, "library/alpine",
		"docker.io/library/alpine"},
	    {"Docker.IO", false, "alpine", "docker.io/library/alpine"},
	    /* "registry/app" would be one of Docker Hub's. */
	    {"registry", false, "app", "registry:443/app"},
	    {"http://registry", true, "app", "registry:80/app"},
	    {"registry:5000", true, "app", "registry:5000/app"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct reference reference;
		struct address address;
		struct err err = ERR_INIT;

		assert_int_equal(address_parse(&address, cases[i].address,
				     &err),
		    0);
		assert_int_equal(address_reference(&address, cases[i].plain,
				     cases[i].repository, &reference, &err),
		    0);
		assert_string_equal(reference.name, cases[i].name);
		assert_string_equal(reference.tag, "");
	}
}

static void too_long_for_a_reference(void **state)
{
	struct reference reference;
	struct address address;
	struct err err = ERR_INIT;
	char repository[REFERENCE_NAME_SIZE];

	(void)state;
	memset(repository, 'a', sizeof(repository));
	repository[sizeof(repository) - 1] = '\0';
	assert_int_equal(address_parse(&address, "r.io", &err), 0);
	assert_int_equal(address_reference(&address, false, repository,
			     &reference, &err),
	    -ENAMETOOLONG);
	assert_string_not_equal(err.msg, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(good),
	    cmocka_unit_test(bad),
	    cmocka_unit_test(too_long),
	    cmocka_unit_test(references),
	    cmocka_unit_test(too_long_for_a_reference),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
