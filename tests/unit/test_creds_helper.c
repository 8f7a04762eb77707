/* SPDX-License-Identifier: Apache-2.0 */
/* Credential helpers: small scripts in a directory of their own. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "base/strf.h"
#include "helper.h"
#include "scratch.h"

static struct scratch scratch;

static void write_helper(const char *name, const char *script)
{
	AUTO_FREE char *path =
	    strf("%s/docker-credential-%s", scratch.path, name);
	FILE *file = fopen(path, "w");

	assert_non_null(file);
	fprintf(file, "#!/bin/sh\n%s\n", script);
	assert_int_equal(fclose(file), 0);
	assert_int_equal(chmod(path, 0755), 0);
}

static int setup(void **state)
{
	AUTO_FREE char *path = NULL;

	(void)state;
	if (scratch_make(&scratch) < 0)
		return -1;
	path = strf("%s:%s", scratch.path, getenv("PATH"));
	setenv("PATH", path, 1);
	write_helper("fine",
	    "[ \"$1\" = get ] || exit 9\nread -r s\n"
	    "echo \"{\\\"ServerURL\\\":\\\"$s\\\",\\\"Username\\\":\\\"u\\\","
	    "\\\"Secret\\\":\\\"for $s\\\"}\"");
	write_helper("token",
	    "echo '{\"Username\":\"<token>\",\"Secret\":\"refresh\"}'");
	write_helper("none",
	    "echo credentials not found in native keychain; exit 1");
	write_helper("locked", "printf 'key ring\\033 locked\\nmore'; exit 2");
	write_helper("killed", "kill -9 $$");
	write_helper("talk", "echo Welcome to the helper");
	write_helper("half", "echo '{\"Username\":\"u\"}'");
	write_helper("flood", "yes");
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	return scratch_remove(&scratch);
}

static void test_found(void **state)
{
	struct credential found = {0};
	struct err err = ERR_INIT;

	(void)state;
	assert_int_equal(helper_get("fine", "r.io:5000", &found, &err), 1);
	assert_string_equal(found.username, "u");
	assert_string_equal(found.password, "for r.io:5000");
	assert_null(found.identity_token);
	credential_release(&found);
}

static void test_token(void **state)
{
	struct credential found = {0};
	struct err err = ERR_INIT;

	(void)state;
	assert_int_equal(helper_get("token", "r.io", &found, &err), 1);
	assert_string_equal(found.identity_token, "refresh");
	assert_null(found.password);
	credential_release(&found);
}

static void test_none(void **state)
{
	struct credential found = {0};
	struct err err = ERR_INIT;

	(void)state;
	assert_int_equal(helper_get("none", "r.io", &found, &err), 0);
	assert_null(found.password);
	assert_int_equal(err.code, 0);
}

static void test_failures(void **state)
{
	static const struct {
		const char *name, *says;
		int code;
	} cases[] = {
	    {"locked", "exit status 2: key ring? locked", EIO},
	    {"killed", "killed", EIO},
	    {"talk", "Username", EIO},
	    {"half", "Secret", EIO},
	    {"flood", "more than", EIO},
	    {"absent", "program docker-credential-absent does not exist", EIO},
	    {"../bin/sh", "not a valid name", EINVAL},
	    {"", "not a valid name", EINVAL},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct credential found = {0};
		struct err err = ERR_INIT;

		assert_int_equal(helper_get(cases[i].name, "r.io", &found,
				     &err),
		    -cases[i].code);
		assert_non_null(strstr(err.msg, cases[i].says));
		assert_null(strstr(err.msg, "more\n"));
		credential_release(&found);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_found),
	    cmocka_unit_test(test_token),
	    cmocka_unit_test(test_none),
	    cmocka_unit_test(test_failures),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
