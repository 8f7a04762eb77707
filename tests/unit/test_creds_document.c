/* SPDX-License-Identifier: Apache-2.0 */
/* Changes of auth files: what is about the host, and nothing else. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>

#include "creds/secret.h"
#include "document.h"

static char user[] = "u", password[] = "1", token[] = "t";
static const struct credential login = {user, password, NULL, NULL};
static const struct credential identity = {user, NULL, token, NULL};

static void assert_json(const char *text, const char *want)
{
	json_auto_t *a = json_loads(text, 0, NULL);
	json_auto_t *b = json_loads(want, 0, NULL);

	assert_non_null(b);
	if (!json_equal(a, b))
		fail_msg("%s\nis not\n%s", text, want);
}

static void assert_set(const char *text, const char *host, const char *key,
    const struct credential *credential, const char *want)
{
	AUTO_SECRET char *out = NULL;
	struct err err = ERR_INIT;

	assert_int_equal(document_set(text, strlen(text), host, key, credential,
			     &out, &err),
	    0);
	assert_json(out, want);
}

static void test_set(void **state)
{
	(void)state;
	assert_set("", "r.io", "r.io", &login,
	    "{\"auths\":{\"r.io\":{\"auth\":\"dTox\"}}}");
	assert_set("{\"auths\":null}", "r.io", "r.io", &identity,
	    "{\"auths\":{\"r.io\":{\"auth\":\"dTo=\","
	    "\"identitytoken\":\"t\"}}}");
	assert_set("{}", "r.io", "r.io", NULL, "{\"auths\":{\"r.io\":{}}}");
}

static void test_what_else_is_there(void **state)
{
	(void)state;
	assert_set("{\"HttpHeaders\":{\"a\":[1,2.5]},\"psFormat\":\"x\","
		   "\"auths\":{\"o.io\":{\"auth\":\"x\"},"
		   "\"r.io/team\":{\"auth\":\"y\"},"
		   "\"https://r.io/v1/\":{\"auth\":\"z\"},"
		   "\"r.io\":{\"email\":\"e\",\"username\":\"v\","
		   "\"password\":\"w\",\"identitytoken\":\"i\"}}}",
	    "r.io", "r.io", &login,
	    "{\"HttpHeaders\":{\"a\":[1,2.5]},\"psFormat\":\"x\","
	    "\"auths\":{\"o.io\":{\"auth\":\"x\"},"
	    "\"r.io/team\":{\"auth\":\"y\"},"
	    "\"r.io\":{\"email\":\"e\",\"auth\":\"dTox\"}}}");
}

static void test_hub(void **state)
{
	(void)state;
	assert_set("{\"auths\":{\"docker.io\":{\"auth\":\"x\"}}}",
	    "registry-1.docker.io", "https://index.docker.io/v1/", &login,
	    "{\"auths\":{\"https://index.docker.io/v1/\":"
	    "{\"auth\":\"dTox\"}}}");
}

static void assert_removed(const char *text, const char *want)
{
	AUTO_SECRET char *out = NULL;
	struct err err = ERR_INIT;

	assert_int_equal(document_remove(text, strlen(text), "r.io", &out,
			     &err),
	    want != NULL);
	if (want)
		assert_json(out, want);
	else
		assert_null(out);
}

static void test_remove(void **state)
{
	(void)state;
	assert_removed("{\"auths\":{\"r.io\":{\"auth\":\"x\"},"
		       "\"http://r.io\":{\"auth\":\"x\"},"
		       "\"r.io:5000\":{\"auth\":\"x\"},"
		       "\"r.io/a\":{\"auth\":\"x\"}},\"credsStore\":\"s\"}",
	    "{\"auths\":{\"r.io:5000\":{\"auth\":\"x\"},"
	    "\"r.io/a\":{\"auth\":\"x\"}},\"credsStore\":\"s\"}");
	assert_removed("{\"r.io\":{\"auth\":\"x\"}}", "{}");
	assert_removed("{\"auths\":{\"o.io\":{}}}", NULL);
	assert_removed("", NULL);
}

static void test_broken(void **state)
{
	static const char *const texts[] = {"{", "[]", "{\"auths\":[]}"};
	char *out = NULL;

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
		struct err err = ERR_INIT;

		assert_int_equal(document_set(texts[i], strlen(texts[i]),
				     "r.io", "r.io", &login, &out, &err),
		    -EINVAL);
		assert_null(out);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_set),
	    cmocka_unit_test(test_what_else_is_there),
	    cmocka_unit_test(test_hub),
	    cmocka_unit_test(test_remove),
	    cmocka_unit_test(test_broken),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
