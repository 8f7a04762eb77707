/* SPDX-License-Identifier: Apache-2.0 */
/* Directory entries come back as they were added. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "node/dirlist.h"

static void test_entries(void **state)
{
	struct err err = ERR_INIT;
	CLEANUP(dirlist_free_p) struct dirlist *list = dirlist_new(&err);
	const struct dirlist_slot *slot;

	(void)state;
	assert_non_null(list);
	assert_int_equal(dirlist_count(list), 0);
	assert_int_equal(dirlist_add(list, "abcdef", 3, S_IFDIR | 0755, 7,
			     &err),
	    0);
	assert_int_equal(dirlist_add(list, "x", 1, S_IFREG, 8, &err), 0);
	assert_int_equal(dirlist_count(list), 2);
	slot = dirlist_at(list, 0);
	assert_string_equal(dirlist_name(list, slot), "abc");
	assert_int_equal(slot->ino, 7);
	assert_int_equal(slot->mode, S_IFDIR);
	slot = dirlist_at(list, 1);
	assert_string_equal(dirlist_name(list, slot), "x");
	assert_int_equal(slot->mode, S_IFREG);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_entries)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
