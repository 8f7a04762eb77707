/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "base/strf.h"

static void formats_into_a_new_string(void **state)
{
	AUTO_FREE char *text = strf("%s/%d", "a", 1);

	(void)state;
	assert_string_equal(text, "a/1");
}

static void nothing_is_a_string_too(void **state)
{
	AUTO_FREE char *text = strf("%s", "");

	(void)state;
	assert_string_equal(text, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(formats_into_a_new_string),
	    cmocka_unit_test(nothing_is_a_string_too),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
