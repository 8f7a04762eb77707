/* SPDX-License-Identifier: Apache-2.0 */
/* Lists of names: order, duplicates, and the tree that they make. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "image/names.h"

static struct names *make(const char *const *list)
{
	struct err err = ERR_INIT;
	struct names_builder *builder = names_builder_new(&err);
	struct names *names = NULL;

	assert_non_null(builder);
	for (; *list; list++)
		assert_int_equal(names_builder_add(builder, *list, &err), 0);
	assert_int_equal(names_builder_take(builder, &names, &err), 0);
	return names;
}

/* "name[=][/] …": '=' for a name of the list, '/' for one with more below. */
static void assert_children(struct names *names, const char *prefix,
    const char *expected)
{
	char text[256] = "";
	struct names_child child;
	size_t cursor = 0;

	while (names_child_next(names, prefix, &cursor, &child)) {
		size_t len = strlen(text);

		snprintf(text + len, sizeof(text) - len, "%s%.*s%s%s",
		    len ? " " : "", (int)child.len, child.name,
		    child.is_name ? "=" : "", child.is_prefix ? "/" : "");
	}
	assert_string_equal(text, expected);
}

static void test_children(void **state)
{
	const char *const list[] = {"a/b", "a", "a-b", "a/b-c", "a/b/d", "z",
	    "a.b/c", "a/b", "q/r/s", NULL};
	CLEANUP(names_put_p) struct names *names = make(list);

	(void)state;
	assert_int_equal(names_count(names), 8);
	assert_children(names, "", "a=/ a-b= a.b/ q/ z=");
	assert_children(names, "a", "b=/ b-c=");
	assert_children(names, "a/b", "d=");
	assert_children(names, "q", "r/");
	assert_children(names, "z", "");
	assert_children(names, "nothing", "");
}

static void test_membership(void **state)
{
	const char *const list[] = {"a/b", "c", NULL};
	CLEANUP(names_put_p) struct names *names = make(list);

	(void)state;
	assert_true(names_has(names, "a/b"));
	assert_true(names_has(names, "c"));
	assert_false(names_has(names, "a"));
	assert_false(names_has(names, "a/"));
	assert_false(names_has(names, "cc"));
	assert_true(names_has_below(names, "a"));
	assert_true(names_has_below(names, ""));
	assert_false(names_has_below(names, "c"));
	assert_false(names_has_below(names, "a/b"));
}

static void test_empty(void **state)
{
	const char *const list[] = {NULL};
	CLEANUP(names_put_p) struct names *names = make(list);

	(void)state;
	assert_int_equal(names_count(names), 0);
	assert_false(names_has(names, ""));
	assert_false(names_has_below(names, ""));
	assert_children(names, "", "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_children),
	    cmocka_unit_test(test_membership),
	    cmocka_unit_test(test_empty),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
