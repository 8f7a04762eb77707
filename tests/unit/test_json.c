/* SPDX-License-Identifier: Apache-2.0 */
/* What is written is what any parser reads. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/json.h"

static int print(struct buf *out, bool pretty, struct err *err)
{
	struct json json = JSON_INIT(out, pretty, err);

	json_open(&json, NULL, '{');
	json_text(&json, "text", "a\"b\xff");
	json_text(&json, "none", NULL);
	json_count(&json, "most", UINT64_MAX - 1);
	json_count(&json, "unknown", UINT64_MAX);
	json_seconds(&json, "seconds", 1.5);
	json_bool(&json, "yes", true);
	json_time(&json, "time", 951782400);
	json_time(&json, "never", 0);
	json_open(&json, "empty", '[');
	json_close(&json, ']');
	json_open(&json, "list", '[');
	json_open(&json, NULL, '{');
	json_bool(&json, "no", false);
	json_close(&json, '}');
	json_count(&json, NULL, 0);
	json_null(&json, NULL);
	json_close(&json, ']');
	json_close(&json, '}');
	return json.r;
}

static void on_one_line(void **state)
{
	AUTO_BUF struct buf out = BUF_INIT(1000);
	struct err err = ERR_INIT;

	(void)state;
	assert_int_equal(print(&out, false, &err), 0);
	assert_string_equal(out.data,
	    "{\"text\":\"a\\\"b\ufffd\",\"none\":null,"
	    "\"most\":18446744073709551614,\"unknown\":null,"
	    "\"seconds\":1.500,\"yes\":true,"
	    "\"time\":\"2000-02-29T00:00:00Z\",\"never\":null,"
	    "\"empty\":[],\"list\":[{\"no\":false},0,null]}\n");
}

static void on_many(void **state)
{
	AUTO_BUF struct buf out = BUF_INIT(1000);
	struct err err = ERR_INIT;

	(void)state;
	assert_int_equal(print(&out, true, &err), 0);
	assert_string_equal(out.data, "{\n"
				      "  \"text\": \"a\\\"b\ufffd\",\n"
				      "  \"none\": null,\n"
				      "  \"most\": 18446744073709551614,\n"
				      "  \"unknown\": null,\n"
				      "  \"seconds\": 1.500,\n"
				      "  \"yes\": true,\n"
				      "  \"time\": \"2000-02-29T00:00:00Z\",\n"
				      "  \"never\": null,\n"
				      "  \"empty\": [],\n"
				      "  \"list\": [\n"
				      "    {\n"
				      "      \"no\": false\n"
				      "    },\n"
				      "    0,\n"
				      "    null\n"
				      "  ]\n"
				      "}\n");
}

static void what_does_not_fit_is_an_error(void **state)
{
	AUTO_BUF struct buf whole = BUF_INIT(1000);
	struct err none = ERR_INIT;

	(void)state;
	assert_int_equal(print(&whole, false, &none), 0);
	for (size_t limit = 0; limit < whole.len; limit++) {
		AUTO_BUF struct buf out = BUF_INIT(limit);
		struct err err = ERR_INIT;

		assert_int_equal(print(&out, false, &err), -EFBIG);
		assert_int_equal(err.code, EFBIG);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(on_one_line),
	    cmocka_unit_test(on_many),
	    cmocka_unit_test(what_does_not_fit_is_an_error),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
