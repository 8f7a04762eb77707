/* SPDX-License-Identifier: Apache-2.0 */
/* Matching of stored names against registries. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "key.h"

static void test_hosts(void **state)
{
	(void)state;
	assert_true(key_match("localhost:5000", "localhost:5000", NULL));
	assert_true(key_match("Reg.Example.com", "reg.example.com", NULL));
	assert_false(key_match("localhost", "localhost:5000", NULL));
	assert_false(key_match("localhost:5000", "localhost", NULL));
	assert_false(key_match("localhost:50001", "localhost:5000", NULL));
	assert_false(key_match("", "localhost:5000", NULL));
}

static void test_old_spellings(void **state)
{
	(void)state;
	assert_true(key_match("https://r.io/v1/", "r.io", NULL));
	assert_true(key_match("http://r.io", "r.io", NULL));
	assert_true(key_match("r.io/v2/", "r.io", "app"));
	assert_false(key_match("https://r.io.evil/v1/", "r.io", NULL));
	assert_true(key_match("r.io", "r.io", NULL) >
		    key_match("https://r.io/v1/", "r.io", NULL));
}

static void test_hub(void **state)
{
	(void)state;
	assert_true(key_match(KEY_DOCKER_HUB, "docker.io", "library/debian"));
	assert_true(key_match("docker.io", "registry-1.docker.io", NULL));
	assert_true(key_match("docker.io", "index.docker.io", NULL));
	assert_false(key_match(KEY_DOCKER_HUB, "notdocker.io", NULL));
	assert_true(
	    key_match(KEY_DOCKER_HUB, "docker.io", NULL) >
	    key_match(KEY_DOCKER_HUB "access-token", "docker.io", NULL));
}

static void test_namespaces(void **state)
{
	(void)state;
	assert_true(key_match("r.io/a", "r.io", "a/b"));
	assert_true(key_match("r.io/a", "r.io", "a"));
	assert_false(key_match("r.io/a", "r.io", "ab"));
	assert_false(key_match("r.io/a", "r.io", NULL));
	assert_false(key_match("r.io/a/b", "r.io", "a"));
	assert_true(key_match("r.io/a/b", "r.io", "a/b/c") >
		    key_match("r.io/a", "r.io", "a/b/c"));
	assert_true(key_match("r.io/a", "r.io", "a/b") >
		    key_match("r.io", "r.io", "a/b"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_hosts),
	    cmocka_unit_test(test_old_spellings),
	    cmocka_unit_test(test_hub),
	    cmocka_unit_test(test_namespaces),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
