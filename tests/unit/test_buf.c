/* SPDX-License-Identifier: Apache-2.0 */
/* The bounded buffer. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/buf.h"

static void an_empty_buffer_is_an_empty_string(void **state)
{
	AUTO_BUF struct buf buf = BUF_INIT(10);

	(void)state;
	assert_string_equal(buf_str(&buf), "");
	assert_int_equal(buf.len, 0);
	buf_reset(&buf);
	assert_string_equal(buf_str(&buf), "");
}

static void what_is_added_follows(void **state)
{
	AUTO_BUF struct buf buf = BUF_INIT(1000);
	struct err err = ERR_INIT;

	(void)state;
	assert_int_equal(buf_addstr(&buf, "one", &err), 0);
	assert_int_equal(buf_add(&buf, " two\0", 5, &err), 0);
	assert_int_equal(buf_addf(&buf, &err, "%s-%d", "three", 4), 0);
	assert_int_equal(buf_add(&buf, NULL, 0, &err), 0);
	assert_int_equal(buf.len, 15);
	assert_memory_equal(buf.data, "one two\0three-4", 16);
	assert_int_equal(err.code, 0);
}

static void grows_to_its_limit_and_no_further(void **state)
{
	AUTO_BUF struct buf buf = BUF_INIT(5000);
	struct err err = ERR_INIT;

	(void)state;
	for (int i = 0; i < 5000; i++)
		assert_int_equal(buf_add(&buf, "x", 1, &err), 0);
	assert_int_equal(strlen(buf_str(&buf)), 5000);
	assert_int_equal(buf_add(&buf, "y", 1, &err), -EFBIG);
	assert_int_equal(err.code, EFBIG);
	assert_string_equal(err.msg, "more than 5000 bytes");
	assert_int_equal(buf.len, 5000);
	assert_null(strchr(buf_str(&buf), 'y'));
	assert_int_equal(buf_add(&buf, "", 0, &err), 0);
}

static void too_much_at_once_changes_nothing(void **state)
{
	AUTO_BUF struct buf buf = BUF_INIT(8);
	struct err err = ERR_INIT;

	(void)state;
	assert_int_equal(buf_addstr(&buf, "12345678", &err), 0);
	assert_int_equal(buf_addf(&buf, &err, "%d", 9), -EFBIG);
	assert_int_equal(buf_addstr(&buf, "9", &err), -EFBIG);
	assert_int_equal(buf_reserve(&buf, SIZE_MAX, &err), -EFBIG);
	assert_string_equal(buf_str(&buf), "12345678");
}

static void reserved_room_can_be_filled(void **state)
{
	AUTO_BUF struct buf buf = BUF_INIT(10000);
	struct err err = ERR_INIT;

	(void)state;
	assert_int_equal(buf_addstr(&buf, "ab", &err), 0);
	assert_int_equal(buf_reserve(&buf, 9998, &err), 0);
	memset(buf.data + buf.len, 'c', 9998);
	buf.len += 9998;
	assert_int_equal(buf_add(&buf, "", 0, &err), 0);
	assert_int_equal(strlen(buf_str(&buf)), 10000);
	assert_memory_equal(buf_str(&buf), "abc", 3);
}

static void reset_keeps_and_release_frees(void **state)
{
	struct buf buf = BUF_INIT(100);
	struct err err = ERR_INIT;
	char *before;

	(void)state;
	assert_int_equal(buf_addstr(&buf, "abc", &err), 0);
	before = buf.data;
	buf_reset(&buf);
	assert_string_equal(buf_str(&buf), "");
	assert_int_equal(buf_addstr(&buf, "d", &err), 0);
	assert_ptr_equal(buf.data, before);
	assert_string_equal(buf_str(&buf), "d");
	buf_release(&buf);
	assert_null(buf.data);
	assert_int_equal(buf.limit, 100);
	assert_int_equal(buf_addstr(&buf, "again", &err), 0);
	buf_release(&buf);
}

static void steal_hands_the_content_over(void **state)
{
	AUTO_BUF struct buf buf = BUF_INIT(100);
	struct err err = ERR_INIT;
	AUTO_FREE char *empty = buf_steal(&buf);
	AUTO_FREE char *text = NULL;

	(void)state;
	assert_string_equal(empty, "");
	assert_int_equal(buf_addstr(&buf, "mine", &err), 0);
	text = buf_steal(&buf);
	assert_string_equal(text, "mine");
	assert_string_equal(buf_str(&buf), "");
	assert_int_equal(buf.limit, 100);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(an_empty_buffer_is_an_empty_string),
	    cmocka_unit_test(what_is_added_follows),
	    cmocka_unit_test(grows_to_its_limit_and_no_further),
	    cmocka_unit_test(too_much_at_once_changes_nothing),
	    cmocka_unit_test(reserved_room_can_be_filled),
	    cmocka_unit_test(reset_keeps_and_release_frees),
	    cmocka_unit_test(steal_hands_the_content_over),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
