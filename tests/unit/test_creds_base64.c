/* SPDX-License-Identifier: Apache-2.0 */
/* Base64, with the vectors of RFC 4648 section 10. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "base64.h"

static const char *const vectors[][2] = {
    {"", ""},
    {"f", "Zg=="},
    {"fo", "Zm8="},
    {"foo", "Zm9v"},
    {"foob", "Zm9vYg=="},
    {"fooba", "Zm9vYmE="},
    {"foobar", "Zm9vYmFy"},
    {"\xfb\xff\xfe", "+//+"},
};

static void test_vectors(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(vectors) / sizeof(*vectors); i++) {
		AUTO_FREE char *encoded =
		    base64_encode("p ", vectors[i][0], strlen(vectors[i][0]));
		AUTO_FREE char *decoded = NULL;
		struct err err = ERR_INIT;

		assert_memory_equal(encoded, "p ", 2);
		assert_string_equal(encoded + 2, vectors[i][1]);
		assert_int_equal(base64_decode(encoded + 2, &decoded, &err), 0);
		assert_string_equal(decoded, vectors[i][0]);
	}
}

static void test_padding_may_be_missing(void **state)
{
	AUTO_FREE char *decoded = NULL;
	struct err err = ERR_INIT;

	(void)state;
	assert_int_equal(base64_decode("Zm9vYg", &decoded, &err), 0);
	assert_string_equal(decoded, "foob");
}

static void test_refused(void **state)
{
	static const char *const bad[] = {"Z", "Zm9vY", "Zg=", "Z===", "=",
	    "Zm8=Zm8=", "Zm 9v", "Zm9v\n", "Zm-_", "Zm9vYmFy="};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		struct err err = ERR_INIT;
		char *decoded;

		assert_int_equal(base64_decode(bad[i], &decoded, &err),
		    -EINVAL);
		assert_null(decoded);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_vectors),
	    cmocka_unit_test(test_padding_may_be_missing),
	    cmocka_unit_test(test_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
