/* SPDX-License-Identifier: Apache-2.0 */
/* Error bodies. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "refusal.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static void bodies(void **state)
{
	static const struct {
		const char *body, *code, *message;
	} cases[] = {
	    {"{\"errors\":[{\"code\":\"NAME_UNKNOWN\",\"message\":\"repository "
	     "name not known to registry\",\"detail\":{\"name\":\"x\"}}]}",
		"NAME_UNKNOWN", "repository name not known to registry"},
	    {"{\"errors\":[{\"code\":\"DENIED\",\"message\":\"\",\"detail\":"
	     "\"no\"},{\"code\":\"OTHER\"}]}",
		"DENIED", "no"},
	    {"{\"errors\":[{\"code\":\"X\",\"message\":7}]}", "X", ""},
	    {"{\"errors\":[]}", "", ""},
	    {"{\"errors\":{\"code\":\"X\"}}", "", ""},
	    {"{\"errors\":[\"text\"]}", "", ""},
	    {"{\"details\":\"incorrect username or password\"}", "",
		"incorrect username or password"},
	    {"{\"error\":\"Invalid bearer token format\"}", "",
		"Invalid bearer token format"},
	    {"{\"error\":\"invalid_grant\",\"error_description\":\"expired\"}",
		"", "expired"},
	    {"{\"message\":\"Not Found\"}", "", "Not Found"},
	    {"[]", "", ""},
	    {"null", "", ""},
	    {"", "", ""},
	    {"Too Many Requests\nmore", "", "Too Many Requests"},
	    {"  \r\n404 page not found\n", "", "404 page not found"},
	    {"<!DOCTYPE html><html>", "", ""},
	    {"{\"errors\":[{\"code\":\"X\",", "",
		"{\"errors\":[{\"code\":\"X\","},
	    {"{\"message\":\"a\\u001b[31mred\\nb\"}", "", "a?[31mred?b"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct refusal refusal = {.status = 400};

		refusal_parse(cases[i].body, strlen(cases[i].body), &refusal);
		assert_int_equal(refusal.status, 400);
		assert_string_equal(refusal.code, cases[i].code);
		assert_string_equal(refusal.message, cases[i].message);
	}
}

static void long_texts_are_cut(void **state)
{
	struct refusal refusal = {.status = 500};
	char text[4096];

	(void)state;
	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	refusal_parse(text, strlen(text), &refusal);
	assert_int_equal(strlen(refusal.message), sizeof(refusal.message) - 1);
}

static void errnos(void **state)
{
	static const struct {
		int value;
		struct refusal refusal;
	} cases[] = {
	    {EACCES, {401, "UNAUTHORIZED", "authentication required"}},
	    {EACCES, {403, "DENIED", "requested access is denied"}},
	    {EPERM, {403, "DENIED", "denied by policy"}},
	    {EPERM, {412, "PRECONDITION", "configured as immutable"}},
	    {EPERM, {400, "TAG_INVALID",
			"The image tag '1' already exists in the 'x' repository"
			" and cannot be overwritten because the repository is "
			"immutable."}},
	    {EPERM, {403, "DENIED", "adding 2 MiB exceeds the quota"}},
	    {EPERM, {405, "UNSUPPORTED", "the registry is read-only"}},
	    {ENOENT, {404, "MANIFEST_UNKNOWN", "manifest unknown"}},
	    {ENOENT, {404, "NAME_UNKNOWN", "an immutable name"}},
	    {ENOENT, {400, "NAME_UNKNOWN", ""}},
	    {EINVAL, {400, "MANIFEST_INVALID", ""}},
	    {EINVAL, {400, "MANIFEST_BLOB_UNKNOWN", ""}},
	    {EINVAL, {400, "", ""}},
	    {EOPNOTSUPP, {400, "UNSUPPORTED", ""}},
	    {EOPNOTSUPP, {405, "UNSUPPORTED", ""}},
	    {EFBIG, {413, "", ""}},
	    {EBUSY, {429, "TOOMANYREQUESTS", ""}},
	    {EIO, {500, "UNKNOWN", "quota"}},
	    {EIO, {503, "", ""}},
	    {EIO, {307, "", ""}},
	    {EIO, {204, "", ""}},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++)
		assert_int_equal(refusal_errno(&cases[i].refusal),
		    cases[i].value);
}

static void sentences(void **state)
{
	static const struct refusal denied = {403, "DENIED", "no way"};
	static const struct refusal silent = {404, "", ""};
	static const struct refusal coded = {404, "BLOB_UNKNOWN", ""};
	struct err err = ERR_INIT;

	(void)state;
	assert_int_equal(refusal_err(&denied, "r.io", "app:1",
			     "repository:app:pull", &err),
	    -EACCES);
	assert_string_equal(err.msg, "r.io: app:1 (needs repository:app:pull): "
				     "no way (403 DENIED)");
	assert_int_equal(err.http, 403);
	assert_int_equal(refusal_err(&silent, "r.io", "app:1",
			     "repository:app:pull", &err),
	    -ENOENT);
	assert_string_equal(err.msg, "r.io: app:1: status 404");
	refusal_err(&coded, "r.io", "x", NULL, &err);
	assert_string_equal(err.msg, "r.io: x: status 404 BLOB_UNKNOWN");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(bodies),
	    cmocka_unit_test(long_texts_are_cut),
	    cmocka_unit_test(errnos),
	    cmocka_unit_test(sentences),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
