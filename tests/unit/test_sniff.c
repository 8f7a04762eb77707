/* SPDX-License-Identifier: Apache-2.0 */
/* Compressions told by their first bytes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "stream/compression.h"

static enum compression sniff(const char *head, size_t len)
{
	return compression_sniff(head, len);
}

static void test_known(void **state)
{
	(void)state;
	assert_int_equal(sniff("\x1f\x8b\x08\0\0\0", 6), COMPRESSION_GZIP);
	assert_int_equal(sniff("\x28\xb5\x2f\xfd\0\0", 6), COMPRESSION_ZSTD);
	assert_int_equal(sniff("\x50\x2a\x4d\x18\0\0", 6), COMPRESSION_ZSTD);
	assert_int_equal(sniff("\x5f\x2a\x4d\x18\0\0", 6), COMPRESSION_ZSTD);
	assert_int_equal(sniff("BZh91A", 6), COMPRESSION_BZIP2);
	assert_int_equal(sniff("\xfd"
			       "7zXZ\0",
			     6),
	    COMPRESSION_XZ);
}

static void test_unknown(void **state)
{
	(void)state;
	assert_int_equal(sniff("", 0), COMPRESSION_NONE);
	assert_int_equal(sniff("layer/", 6), COMPRESSION_NONE);
	assert_int_equal(sniff("\x1f\x8b\x07\0\0\0", 6), COMPRESSION_NONE);
	assert_int_equal(sniff("\x60\x2a\x4d\x18\0\0", 6), COMPRESSION_NONE);
	/* Too short to be told. */
	assert_int_equal(sniff("\x1f\x8b\x08", 2), COMPRESSION_NONE);
	assert_int_equal(sniff("\x28\xb5\x2f\xfd", 3), COMPRESSION_NONE);
	assert_int_equal(sniff("\x50\x2a\x4d\x18", 3), COMPRESSION_NONE);
}

static void test_names(void **state)
{
	(void)state;
	assert_string_equal(compression_name(COMPRESSION_GZIP), "gzip");
	assert_string_equal(compression_name(COMPRESSION_NONE), "uncompressed");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_known),
	    cmocka_unit_test(test_unknown),
	    cmocka_unit_test(test_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
