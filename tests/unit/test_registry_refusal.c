/* SPDX-License-Identifier: Apache-2.0 */
/* Error bodies. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "answer/refusal.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static void bodies(void **state)
{
	static const struct {
		const char *body, *code, *message;
		enum refusal_form form;
	} cases[] = {
	    {"{\"errors\":[{\"code\":\"NAME_UNKNOWN\",\"message\":\"repository "
	     "name not known to registry\",\"detail\":{\"name\":\"x\"}}]}",
		"NAME_UNKNOWN", "repository name not known to registry",
		REFUSAL_SPOKEN},
	    {"{\"errors\":[{\"code\":\"DENIED\",\"message\":\"\",\"detail\":"
	     "\"no\"},{\"code\":\"OTHER\"}]}",
		"DENIED", "no", REFUSAL_SPOKEN},
	    {"{\"errors\":[{\"code\":\"X\",\"message\":7}]}", "X", "",
		REFUSAL_SPOKEN},
	    {"{\"errors\":[]}", "", "{\"errors\":[]}", REFUSAL_STRANGE},
	    {"{\"errors\":{\"code\":\"X\"}}", "",
		"{\"errors\":{\"code\":\"X\"}}", REFUSAL_STRANGE},
	    {"{\"errors\":[\"text\"]}", "", "{\"errors\":[\"text\"]}",
		REFUSAL_STRANGE},
	    {"{\"details\":\"incorrect username or password\"}", "",
		"incorrect username or password", REFUSAL_SPOKEN},
	    {"{\"error\":\"Invalid bearer token format\"}", "",
		"Invalid bearer token format", REFUSAL_SPOKEN},
	    {"{\"error\":\"invalid_grant\",\"error_description\":\"expired\"}",
		"", "expired", REFUSAL_SPOKEN},
	    {"{\"message\":\"Not Found\"}", "", "Not Found", REFUSAL_SPOKEN},
	    {"[]", "", "[]", REFUSAL_STRANGE},
	    {"null", "", "null", REFUSAL_STRANGE},
	    {"{}", "", "{}", REFUSAL_STRANGE},
	    {"", "", "", REFUSAL_SPOKEN},
	    {" \n", "", "", REFUSAL_SPOKEN},
	    {"Too Many Requests\nmore", "", "Too Many Requests",
		REFUSAL_SPOKEN},
	    {"  \r\n404 page not found\n", "", "404 page not found",
		REFUSAL_SPOKEN},
	    {"<!DOCTYPE html><html>", "", "", REFUSAL_PAGE},
	    {"<html><h1>502</h1>Bad\nGateway", "", "502 Bad Gateway",
		REFUSAL_PAGE},
	    {"<Error><Code>NoSuchKey</Code></Error>", "", "NoSuchKey",
		REFUSAL_STRANGE},
	    {"{\"errors\":[{\"code\":\"X\",", "",
		"{\"errors\":[{\"code\":\"X\",", REFUSAL_SPOKEN},
	    {"{\"message\":\"a\\u001b[31mred\\nb\"}", "", "a?[31mred?b",
		REFUSAL_SPOKEN},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct refusal refusal = {.status = 400};

		refusal_parse(cases[i].body, strlen(cases[i].body), &refusal);
		assert_int_equal(refusal.status, 400);
		assert_string_equal(refusal.code, cases[i].code);
		assert_string_equal(refusal.message, cases[i].message);
		assert_int_equal(refusal.form, cases[i].form);
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
	    {EACCES, {401, "UNAUTHORIZED", "authentication required",
			 REFUSAL_SPOKEN}},
	    {EACCES,
		{403, "DENIED", "requested access is denied", REFUSAL_SPOKEN}},
	    {EPERM, {403, "DENIED", "denied by policy", REFUSAL_SPOKEN}},
	    {EPERM, {412, "PRECONDITION", "configured as immutable",
			REFUSAL_SPOKEN}},
	    {EPERM, {400, "TAG_INVALID",
			"The image tag '1' already exists in the 'x' repository"
			" and cannot be overwritten because the repository is "
			"immutable.",
			REFUSAL_SPOKEN}},
	    {EPERM, {403, "DENIED", "adding 2 MiB exceeds the quota",
			REFUSAL_SPOKEN}},
	    {EPERM, {405, "UNSUPPORTED", "the registry is read-only",
			REFUSAL_SPOKEN}},
	    {ENOENT,
		{404, "MANIFEST_UNKNOWN", "manifest unknown", REFUSAL_SPOKEN}},
	    {ENOENT,
		{404, "NAME_UNKNOWN", "an immutable name", REFUSAL_SPOKEN}},
	    {ENOENT, {400, "NAME_UNKNOWN", "", REFUSAL_SPOKEN}},
	    {EINVAL, {400, "MANIFEST_INVALID", "", REFUSAL_SPOKEN}},
	    {EINVAL, {400, "MANIFEST_BLOB_UNKNOWN", "", REFUSAL_SPOKEN}},
	    {EINVAL, {400, "", "", REFUSAL_SPOKEN}},
	    {EOPNOTSUPP, {400, "UNSUPPORTED", "", REFUSAL_SPOKEN}},
	    {EOPNOTSUPP, {405, "UNSUPPORTED", "", REFUSAL_SPOKEN}},
	    {EFBIG, {413, "", "", REFUSAL_SPOKEN}},
	    {EBUSY, {429, "TOOMANYREQUESTS", "", REFUSAL_SPOKEN}},
	    {EIO, {500, "UNKNOWN", "quota", REFUSAL_SPOKEN}},
	    {EIO, {503, "", "", REFUSAL_SPOKEN}},
	    {EIO, {307, "", "", REFUSAL_SPOKEN}},
	    {EIO, {204, "", "", REFUSAL_SPOKEN}},
	    {EIO, {200, "", "Please log in", REFUSAL_PAGE}},
	    /* What a page says is not the registry's policy. */
	    {EACCES, {403, "", "Blocked by policy", REFUSAL_PAGE}},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++)
		assert_int_equal(refusal_errno(&cases[i].refusal),
		    cases[i].value);
}

static void sentences(void **state)
{
	static const char needs[] = "repository:app:pull";
	static const struct {
		struct refusal refusal;
		const char *scope, *sentence;
	} cases[] = {
	    {{403, "DENIED", "no way", REFUSAL_SPOKEN}, needs,
		"r.io: app:1 (needs repository:app:pull): "
		"no way (403 DENIED)"},
	    {{404, "", "", REFUSAL_SPOKEN}, needs, "r.io: app:1: status 404"},
	    {{404, "BLOB_UNKNOWN", "", REFUSAL_SPOKEN}, NULL,
		"r.io: app:1: status 404 BLOB_UNKNOWN"},
	    {{404, "", "404 page not found", REFUSAL_SPOKEN}, NULL,
		"r.io: app:1: 404 page not found (404)"},
	    {{200, "", "Please log in", REFUSAL_PAGE}, needs,
		"r.io: app:1: answered 200 with a page: \"Please log in\""},
	    {{302, "", "", REFUSAL_PAGE}, NULL,
		"r.io: app:1: answered 302 with a page"},
	    {{502, "", "Bad Gateway", REFUSAL_PAGE}, NULL,
		"r.io: app:1: answered 502 with a page: \"Bad Gateway\""},
	    {{200, "", "{}", REFUSAL_STRANGE}, NULL,
		"r.io: app:1: answered 200 with \"{}\""},
	    {{404, "", "{}", REFUSAL_STRANGE}, NULL,
		"r.io: app:1: answered 404 with \"{}\""},
	    {{204, "", "", REFUSAL_SPOKEN}, NULL,
		"r.io: app:1: answered 204 with nothing"},
	    {{200, "X", "", REFUSAL_SPOKEN}, NULL,
		"r.io: app:1: answered 200 with \"X\""},
	    {{200, "", "welcome", REFUSAL_SPOKEN}, NULL,
		"r.io: app:1: answered 200 with \"welcome\""},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		const struct refusal *refusal = &cases[i].refusal;
		struct err err = ERR_INIT;

		assert_int_equal(refusal_err(refusal, "r.io", "app:1",
				     cases[i].scope, &err),
		    -refusal_errno(refusal));
		assert_string_equal(err.msg, cases[i].sentence);
		assert_int_equal(err.http, refusal->status);
	}
}

static void a_body_that_is_not_what_was_asked_for(void **state)
{
	static const char page[] = "<html><h1>Please log in</h1></html>";
	struct err err = ERR_INIT;

	(void)state;
	assert_int_equal(refusal_of_body(page, strlen(page), &err), -EIO);
	assert_string_equal(err.msg,
	    "answered 200 with a page: \"Please log in\"");
	assert_int_equal(err.http, 200);
	refusal_of_body("", 0, &err);
	assert_string_equal(err.msg, "answered 200 with nothing");
}

static void whose_word_it_is(void **state)
{
	static const struct {
		bool absence;
		struct refusal refusal;
	} cases[] = {
	    {true, {404, "NAME_UNKNOWN", "", REFUSAL_SPOKEN}},
	    {true, {404, "MANIFEST_UNKNOWN", "unknown", REFUSAL_SPOKEN}},
	    {true, {410, "MANIFEST_UNKNOWN", "", REFUSAL_SPOKEN}},
	    {true, {404, "NOT_FOUND", "", REFUSAL_SPOKEN}},
	    {false, {404, "UNKNOWN", "", REFUSAL_SPOKEN}},
	    {false, {404, "", "404 page not found", REFUSAL_SPOKEN}},
	    {false, {404, "", "no backend", REFUSAL_PAGE}},
	    {false, {404, "", "", REFUSAL_SPOKEN}},
	    {false, {400, "NAME_UNKNOWN", "", REFUSAL_SPOKEN}},
	    {false, {200, "NAME_UNKNOWN", "", REFUSAL_SPOKEN}},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++)
		assert_int_equal(refusal_is_absence(&cases[i].refusal),
		    cases[i].absence);
}

static void what_may_have_been_done(void **state)
{
	static const struct {
		int code, http;
		bool open;
	} cases[] = {
	    {EIO, 200, true},
	    {EIO, 204, true},
	    {EIO, 307, true},
	    {EIO, 502, true},
	    {ETIMEDOUT, 504, true},
	    {ECONNRESET, 0, true},
	    {EIO, 500, false},
	    {EIO, 503, false},
	    {ENOENT, 404, false},
	    {EACCES, 401, false},
	    {EBUSY, 429, false},
	    {ECONNREFUSED, 0, false},
	    {ETIMEDOUT, 0, false},
	    {EINTR, 0, false},
	    {EBADMSG, 0, false},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct err err = {cases[i].code, cases[i].http, ""};

		assert_int_equal(refusal_is_open(&err), cases[i].open);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(bodies),
	    cmocka_unit_test(long_texts_are_cut),
	    cmocka_unit_test(errnos),
	    cmocka_unit_test(sentences),
	    cmocka_unit_test(a_body_that_is_not_what_was_asked_for),
	    cmocka_unit_test(whose_word_it_is),
	    cmocka_unit_test(what_may_have_been_done),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
