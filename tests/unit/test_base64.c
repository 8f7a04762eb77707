/* SPDX-License-Identifier: Apache-2.0 */
/* Base64, with the vectors of RFC 4648 section 10. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/base64.h"
#include "base/cleanup.h"

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
		size_t len;

		assert_memory_equal(encoded, "p ", 2);
		assert_string_equal(encoded + 2, vectors[i][1]);
		assert_int_equal(base64_decode(vectors[i][1],
				     strlen(vectors[i][1]), &decoded, &len,
				     &err),
		    0);
		assert_string_equal(decoded, vectors[i][0]);
		assert_int_equal(len, strlen(vectors[i][0]));
	}
}

static void test_padding_may_be_missing(void **state)
{
	AUTO_FREE char *decoded = NULL;
	struct err err = ERR_INIT;
	size_t len;

	(void)state;
	assert_int_equal(base64_decode("Zm9vYg", 6, &decoded, &len, &err), 0);
	assert_string_equal(decoded, "foob");
	assert_int_equal(len, 4);
}

/* What is encoded may have NULs in it, and what is behind it is not read. */
static void test_takes_lengths(void **state)
{
	AUTO_FREE char *decoded = NULL;
	struct err err = ERR_INIT;
	size_t len;

	(void)state;
	assert_int_equal(base64_decode("AAEAx", 4, &decoded, &len, &err), 0);
	assert_int_equal(len, 3);
	assert_memory_equal(decoded, "\0\1\0", 4);
}

static void test_refused(void **state)
{
	static const char *const bad[] = {"Z", "Zm9vY", "Zg=", "Z===", "=",
	    "Zm8=Zm8=", "Zm 9v", "Zm9v\n", "Zm-_", "Zm9vYmFy="};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		struct err err = ERR_INIT;
		char *decoded;
		size_t len;

		assert_int_equal(base64_decode(bad[i], strlen(bad[i]), &decoded,
				     &len, &err),
		    -EINVAL);
		assert_null(decoded);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_vectors),
	    cmocka_unit_test(test_padding_may_be_missing),
	    cmocka_unit_test(test_takes_lengths),
	    cmocka_unit_test(test_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
