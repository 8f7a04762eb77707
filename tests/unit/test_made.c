/* SPDX-License-Identifier: Apache-2.0 */
/* Directories that exist only here. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "tag/made.h"

static int join(void *arg, const char *name, struct err *err)
{
	(void)err;
	strncat(arg, name, 32);
	return 0;
}

static void test_tree(void **state)
{
	struct err err = ERR_INIT;
	struct made *made = made_new(&err);
	char children[64] = "";

	(void)state;
	assert_int_equal(made_add(made, "a", &err), 0);
	assert_int_equal(made_add(made, "a/b", &err), 0);
	assert_int_equal(made_add(made, "ab/c", &err), 0);
	assert_true(made_has(made, "a/b"));
	assert_false(made_has(made, "b"));
	assert_int_equal(made_children(made, "", join, children, &err), 0);
	assert_string_equal(children, "a");
	*children = '\0';
	assert_int_equal(made_children(made, "a", join, children, &err), 0);
	assert_string_equal(children, "b");
	assert_true(made_remove(made, "a/b"));
	assert_false(made_remove(made, "a/b"));
	*children = '\0';
	assert_int_equal(made_children(made, "a", join, children, &err), 0);
	assert_string_equal(children, "");
	/* One can be in a directory that was not made here. */
	assert_int_equal(made_children(made, "ab", join, children, &err), 0);
	assert_string_equal(children, "c");
	assert_false(made_has(made, "ab"));
	assert_false(made_has(made, ""));
	made_free(made);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_tree)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
