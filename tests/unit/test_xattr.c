/* SPDX-License-Identifier: Apache-2.0 */
/* Extended attributes: found by name, listed as listxattr(2) wants them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "node/xattr.h"

static void test_found_and_listed(void **state)
{
	CLEANUP(xattrs_release) struct xattrs xattrs = XATTRS_INIT;
	AUTO_BUF struct buf names = BUF_INIT(1024);
	struct err err = ERR_INIT;
	const char *value;
	size_t len;

	(void)state;
	assert_int_equal(xattrs_add(&xattrs, "user.a", "one", &err), 0);
	assert_int_equal(xattrs_add(&xattrs, "user.b", "", &err), 0);
	assert_int_equal(xattrs_add_number(&xattrs, "user.c", 42, &err), 0);
	value = xattrs_find(&xattrs, "user.a", &len);
	assert_int_equal(len, 3);
	assert_memory_equal(value, "one", 3);
	assert_non_null(xattrs_find(&xattrs, "user.b", &len));
	assert_int_equal(len, 0);
	value = xattrs_find(&xattrs, "user.c", &len);
	assert_int_equal(len, 2);
	assert_memory_equal(value, "42", 2);
	assert_null(xattrs_find(&xattrs, "user.", &len));
	assert_int_equal(xattrs_names(&xattrs, &names, &err), 0);
	assert_int_equal(names.len, 21);
	assert_memory_equal(names.data, "user.a\0user.b\0user.c", 21);
}

static void test_annotations(void **state)
{
	CLEANUP(xattrs_release) struct xattrs xattrs = XATTRS_INIT;
	char long_name[300];
	struct annotation annotations[] = {{"org.title", "x"},
	    {long_name, "y"}};
	AUTO_BUF struct buf names = BUF_INIT(1024);
	struct err err = ERR_INIT;
	size_t len;

	(void)state;
	memset(long_name, 'n', sizeof(long_name) - 1);
	long_name[sizeof(long_name) - 1] = '\0';
	assert_int_equal(xattrs_add_annotations(&xattrs, annotations, 2, &err),
	    0);
	assert_non_null(
	    xattrs_find(&xattrs, "user.oci.annotation.org.title", &len));
	/* No extended attribute can have the other's name. */
	assert_int_equal(xattrs_names(&xattrs, &names, &err), 0);
	assert_int_equal(names.len, sizeof("user.oci.annotation.org.title"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_found_and_listed),
	    cmocka_unit_test(test_annotations),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
