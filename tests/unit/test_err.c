/* SPDX-License-Identifier: Apache-2.0 */
/* The error object. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/err.h"

static void set_fills_it_and_returns_the_code(void **state)
{
	struct err err = {1, 404, "old"};

	(void)state;
	assert_int_equal(err_set(&err, EILSEQ, "got %d", 7), -EILSEQ);
	assert_int_equal(err.code, EILSEQ);
	assert_int_equal(err.http, 0);
	assert_string_equal(err.msg, "got 7");
}

static void sys_takes_code_and_text_from_errno(void **state)
{
	struct err err = ERR_INIT;

	(void)state;
	errno = ENOENT;
	assert_int_equal(err_sys(&err, "open %s", "/x"), -ENOENT);
	assert_int_equal(err.code, ENOENT);
	assert_string_equal(err.msg, "open /x: No such file or directory");
}

static void sys_without_errno_is_still_an_error(void **state)
{
	struct err err = ERR_INIT;

	(void)state;
	errno = 0;
	assert_int_equal(err_sys(&err, "open"), -EIO);
	assert_int_equal(err.code, EIO);
}

static void nomem_says_so(void **state)
{
	struct err err = ERR_INIT;

	(void)state;
	assert_int_equal(err_nomem(&err), -ENOMEM);
	assert_string_equal(err.msg, "out of memory");
}

static void wrap_adds_context_and_keeps_the_rest(void **state)
{
	struct err err = ERR_INIT;

	(void)state;
	err_set(&err, EACCES, "denied");
	err.http = 403;
	assert_int_equal(err_wrap(&err, "blob %d", 1), -EACCES);
	assert_int_equal(err_wrap(&err, "pulling %s", "app:1"), -EACCES);
	assert_int_equal(err.http, 403);
	assert_string_equal(err.msg, "pulling app:1: blob 1: denied");
}

static void long_messages_are_cut(void **state)
{
	char text[2 * sizeof(((struct err *)NULL)->msg)];
	struct err err = ERR_INIT;

	(void)state;
	memset(text, 'x', sizeof(text));
	text[sizeof(text) - 1] = '\0';
	err_set(&err, EIO, "%s", text);
	assert_int_equal(strlen(err.msg), sizeof(err.msg) - 1);
	err_wrap(&err, "context");
	assert_int_equal(strlen(err.msg), sizeof(err.msg) - 1);
	assert_memory_equal(err.msg, "context: xxx", 12);
	err_wrap(&err, "%s", text);
	assert_int_equal(strlen(err.msg), sizeof(err.msg) - 1);
	errno = EIO;
	err_sys(&err, "%s", text);
	assert_int_equal(strlen(err.msg), sizeof(err.msg) - 1);
}

static void clean_replaces_control_characters(void **state)
{
	char out[16];

	(void)state;
	err_clean(out, sizeof(out), "a\x1b[31m\n\t\x7f\0z", 11);
	assert_string_equal(out, "a?[31m????z");
	err_clean(out, sizeof(out), "\xc3\xa9", 2);
	assert_string_equal(out, "\xc3\xa9");
}

static void clean_stays_in_its_buffer(void **state)
{
	char out[4] = "zzz";

	(void)state;
	err_clean(out, sizeof(out), "abcdef", 6);
	assert_string_equal(out, "abc");
	err_clean(out, 1, "abcdef", 6);
	assert_string_equal(out, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(set_fills_it_and_returns_the_code),
	    cmocka_unit_test(sys_takes_code_and_text_from_errno),
	    cmocka_unit_test(sys_without_errno_is_still_an_error),
	    cmocka_unit_test(nomem_says_so),
	    cmocka_unit_test(wrap_adds_context_and_keeps_the_rest),
	    cmocka_unit_test(long_messages_are_cut),
	    cmocka_unit_test(clean_replaces_control_characters),
	    cmocka_unit_test(clean_stays_in_its_buffer),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
