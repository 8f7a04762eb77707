/* SPDX-License-Identifier: Apache-2.0 */
/* What a name in a repository's directory can mean. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "grammar/name.h"

#define HEX64 "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static void test_forms(void **state)
{
	static const struct {
		const char *text;
		enum name_form form;
		bool component, tag_ok;
		const char *repository, *tag, *archive_tag;
	} cases[] = {
	    {"app", NAME_PLAIN, true, true, "", "app", ""},
	    {"1.0", NAME_PLAIN, true, true, "", "1.0", ""},
	    {"App", NAME_PLAIN, false, true, "", "App", ""},
	    {"_x", NAME_PLAIN, false, true, "", "_x", ""},
	    {"1.0.tar", NAME_PLAIN, true, true, "", "1.0.tar", "1.0"},
	    {"1.0.tar.gz", NAME_PLAIN, true, true, "", "1.0.tar.gz", "1.0"},
	    {"a.tgz", NAME_PLAIN, true, true, "", "a.tgz", "a"},
	    {"a.tar.zst", NAME_PLAIN, true, true, "", "a.tar.zst", "a"},
	    {"a.tar.xz", NAME_PLAIN, true, true, "", "a.tar.xz", "a"},
	    {"a.txz", NAME_PLAIN, true, true, "", "a.txz", "a"},
	    {"a.tar.bz2", NAME_PLAIN, true, true, "", "a.tar.bz2", "a"},
	    {"a.tbz2", NAME_PLAIN, true, true, "", "a.tbz2", "a"},
	    {"RC.tar", NAME_PLAIN, false, true, "", "RC.tar", "RC"},
	    {":1.0", NAME_REFERENCE, false, false, "", "1.0", ""},
	    {":1.0.tar", NAME_REFERENCE, false, false, "", "1.0.tar", "1.0"},
	    {"app:1.0", NAME_REFERENCE, false, false, "app", "1.0", ""},
	    {"@sha256:" HEX64, NAME_REFERENCE, false, false, "", "", ""},
	    {"app@sha256:" HEX64, NAME_REFERENCE, false, false, "app", "", ""},
	    {".git", NAME_SCRATCH, false, false, "", "", ""},
	    {"1.0~", NAME_SCRATCH, false, false, "", "", ""},
	    {"Foo bar", NAME_SCRATCH, false, false, "", "", ""},
	    {".1.0.tar.Xy12", NAME_SCRATCH, false, false, "", "", ""},
	    {"App:1", NAME_SCRATCH, false, false, "", "", ""},
	    {"app:", NAME_SCRATCH, false, false, "app", "", ""},
	    {"app@sha256:12", NAME_SCRATCH, false, false, "app", "", ""},
	    {"a:b:c", NAME_SCRATCH, false, false, "a", "", ""},
	    {".tar", NAME_SCRATCH, false, false, "", "", ""},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct name name;

		name_parse(&name, cases[i].text);
		print_message("%s\n", cases[i].text);
		assert_int_equal(name.form, cases[i].form);
		assert_int_equal(name.component, cases[i].component);
		assert_int_equal(name.tag_ok, cases[i].tag_ok);
		assert_string_equal(name.repository, cases[i].repository);
		assert_string_equal(name.tag, cases[i].tag);
		assert_string_equal(name.archive_tag, cases[i].archive_tag);
		assert_int_equal(digest_is_set(&name.digest),
		    name.form == NAME_REFERENCE && !*name.tag);
	}
}

static void test_long_tag(void **state)
{
	char text[TAG_MAX + 8];
	struct name name;

	(void)state;
	memset(text, 'A', sizeof(text));
	text[TAG_MAX] = '\0';
	name_parse(&name, text);
	assert_int_equal(name.form, NAME_PLAIN);
	text[TAG_MAX] = 'A';
	text[TAG_MAX + 1] = '\0';
	name_parse(&name, text);
	assert_int_equal(name.form, NAME_SCRATCH);
	/* Too long for a tag itself, but not without its ending. */
	snprintf(text + TAG_MAX, sizeof(text) - TAG_MAX, ".tar");
	name_parse(&name, text);
	assert_int_equal(name.form, NAME_PLAIN);
	assert_int_equal(strlen(name_push_tag(&name)), TAG_MAX);
}

static void test_push_tag(void **state)
{
	static const struct {
		const char *text, *tag;
	} cases[] = {
	    {"1.0", "1.0"},
	    {"1.0.tar", "1.0"},
	    {"app.tar.gz", "app"},
	    {":1.0", "1.0"},
	    {"app:1.0.tar", "1.0"},
	    {".x.swp", NULL},
	    {"1.0~", NULL},
	    {"app@sha256:" HEX64, NULL},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		const char *tag;
		struct name name;

		name_parse(&name, cases[i].text);
		tag = name_push_tag(&name);
		if (cases[i].tag)
			assert_string_equal(tag, cases[i].tag);
		else
			assert_null(tag);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_forms),
	    cmocka_unit_test(test_long_tag),
	    cmocka_unit_test(test_push_tag),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
