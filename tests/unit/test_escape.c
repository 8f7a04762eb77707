/* SPDX-License-Identifier: Apache-2.0 */
/* Whatever a text holds, what comes out follows the format's rules. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/escape.h"

#define NONE "\xef\xbf\xbd"

static const struct {
	const char *text, *json, *label;
} cases[] = {
    {"", "", ""},
    {"app/1.0", "app/1.0", "app/1.0"},
    {"a\"b\\c", "a\\\"b\\\\c", "a\\\"b\\\\c"},
    {"a\nb", "a\\u000ab", "a\\nb"},
    {"\x01\t\x1f\x7f", "\\u0001\\u0009\\u001f\x7f", "\x01\t\x1f\x7f"},
    /* Of two, three and four bytes, the last of them and the first. */
    {"\u00e9\u20ac\U0001f433", "\u00e9\u20ac\U0001f433",
	"\u00e9\u20ac\U0001f433"},
    {"\xc2\x80\xdf\xbf\xe0\xa0\x80\xef\xbf\xbf",
	"\xc2\x80\xdf\xbf\xe0\xa0\x80\xef\xbf\xbf",
	"\xc2\x80\xdf\xbf\xe0\xa0\x80\xef\xbf\xbf"},
    {"\xf0\x90\x80\x80\xf4\x8f\xbf\xbf", "\xf0\x90\x80\x80\xf4\x8f\xbf\xbf",
	"\xf0\x90\x80\x80\xf4\x8f\xbf\xbf"},
    /* Latin-1, a lone continuation, cut off by the end and by a letter. */
    {"caf\xe9", "caf" NONE, "caf" NONE},
    {"\x80x", NONE "x", NONE "x"},
    {"\xe2\x82", NONE NONE, NONE NONE},
    {"\xf0\x9f\x90x", NONE NONE NONE "x", NONE NONE NONE "x"},
    /* Longer than need be, a surrogate, beyond the last. */
    {"\xc0\xaf", NONE NONE, NONE NONE},
    {"\xe0\x9f\xbf", NONE NONE NONE, NONE NONE NONE},
    {"\xed\xa0\x80", NONE NONE NONE, NONE NONE NONE},
    {"\xf4\x90\x80\x80", NONE NONE NONE NONE, NONE NONE NONE NONE},
    {"\xff\"", NONE "\\\"", NONE "\\\""},
};

static void expect(const struct buf *out, const char *inner)
{
	size_t len = strlen(inner);

	assert_int_equal(out->len, len + 2);
	assert_int_equal(out->data[0], '"');
	assert_memory_equal(out->data + 1, inner, len);
	assert_int_equal(out->data[len + 1], '"');
}

static void texts_are_escaped(void **state)
{
	struct err err = ERR_INIT;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		AUTO_BUF struct buf json = BUF_INIT(1000);
		AUTO_BUF struct buf label = BUF_INIT(1000);
		/* So that a sanitizer sees who reads behind its end. */
		AUTO_FREE char *text = strdup(cases[i].text);

		assert_non_null(text);
		assert_int_equal(escape_json(&json, text, &err), 0);
		expect(&json, cases[i].json);
		assert_int_equal(escape_label(&label, text, &err), 0);
		expect(&label, cases[i].label);
	}
}

static const struct {
	const char *text, *visible;
} shown[] = {
    {"", ""},
    {"RUN make\\", "RUN make\\"},
    {"a\nb\tc\rd", "a\\nb\\tc\\x0dd"},
    {"\x1b[31mred\x7f", "\\x1b[31mred\\x7f"},
    {"\u00e9\u20ac\U0001f433", "\u00e9\u20ac\U0001f433"},
    {"caf\xe9", "caf\\xe9"},
    /* CSI in one character, a right-to-left override, a line separator. */
    {"\xc2\x9bm", "\\u009bm"},
    {"a\u202eb\u2066c\u2028d", "a\\u202eb\\u2066c\\u2028d"},
};

static void nothing_controls_a_terminal(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(shown) / sizeof(*shown); i++) {
		AUTO_BUF struct buf out = BUF_INIT(1000);
		AUTO_FREE char *text = strdup(shown[i].text);
		struct err err = ERR_INIT;

		assert_int_equal(escape_visible(&out, text, &err), 0);
		assert_string_equal(buf_str(&out), shown[i].visible);
	}
}

static void nothing_is_markup(void **state)
{
	AUTO_BUF struct buf out = BUF_INIT(1000);
	struct err err = ERR_INIT;

	(void)state;
	assert_int_equal(escape_html(&out, "<a b='c' d=\"e\">&\n\u00e9\xff",
			     &err),
	    0);
	assert_string_equal(buf_str(&out),
	    "&#60;a b=&#39;c&#39; d=&#34;e&#34;&#62;&#38;\\n\u00e9\\xff");
}

static void what_does_not_fit_is_an_error(void **state)
{
	(void)state;
	for (size_t limit = 0; limit < 4; limit++) {
		AUTO_BUF struct buf out = BUF_INIT(limit);
		struct err err = ERR_INIT;

		assert_int_equal(escape_json(&out, "abc", &err), -EFBIG);
		assert_int_equal(escape_label(&out, "a\n", &err), -EFBIG);
		assert_int_equal(escape_visible(&out, "ab\n", &err), -EFBIG);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(texts_are_escaped),
	    cmocka_unit_test(nothing_controls_a_terminal),
	    cmocka_unit_test(nothing_is_markup),
	    cmocka_unit_test(what_does_not_fit_is_an_error),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
