/* SPDX-License-Identifier: Apache-2.0 */
/* TOML: what texts come to, and in which line bad ones are refused. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/buf.h"
#include "toml.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* As JSON, but that a string has no escapes; numbers are #. */
static void print(const struct toml *value, struct buf *out)
{
	const char brackets[] = {value->type == TOML_TABLE ? '{' : '[', '\0'};
	struct err err = ERR_INIT;

	if (value->key)
		assert_int_equal(buf_addf(out, &err, "%s:", value->key), 0);
	if (value->type == TOML_STRING)
		buf_addf(out, &err, "\"%s\"", value->text);
	else if (value->type == TOML_BOOLEAN)
		buf_addstr(out, value->truth ? "true" : "false", &err);
	else if (value->type == TOML_OTHER)
		buf_addstr(out, "#", &err);
	if (value->type != TOML_TABLE && value->type != TOML_ARRAY)
		return;
	buf_addstr(out, brackets, &err);
	for (const struct toml *each = value->first; each; each = each->next) {
		print(each, out);
		if (each->next)
			buf_addstr(out, " ", &err);
	}
	buf_addstr(out, value->type == TOML_TABLE ? "}" : "]", &err);
}

static const struct {
	const char *text, *tree;
} good[] = {
    {"", "{}"},
    {"# nothing\n \t\n", "{}"},
    {"\xef\xbb\xbf"
     "a = 'b'",
	"{a:\"b\"}"},
    {"a=\"b\"\r\nc = true # yes\r\n", "{a:\"b\" c:true}"},
    {"'a b' = false\n\"\" = 1", "{a b:false :#}"},
    {"a-b_1.c = 'x'\na-b_1.d.e = 'y'", "{a-b_1:{c:\"x\" d:{e:\"y\"}}}"},
    {"a . 'b.c' . d = 'x'", "{a:{b.c:{d:\"x\"}}}"},
    {"a = \"\\\"\\\\\\t\\u00e9\\U0001F600\"", "{a:\"\"\\\t\u00e9\U0001F600\"}"},
    {"a = 'C:\\x'", "{a:\"C:\\x\"}"},
    {"a = ''", "{a:\"\"}"},
    {"a = \"\"\"\none\\\n   \n  two\r\nthree\"\"\"", "{a:\"onetwo\nthree\"}"},
    {"a = \"\"\"x\"\"\"\"\"", "{a:\"x\"\"\"}"},
    {"a = '''x\\n'y'' '''", "{a:\"x\\n'y'' \"}"},
    {"a = '''\n\n'''", "{a:\"\n\"}"},
    {"a = [ ]", "{a:[]}"},
    {"a = [\n  'x', # one\n\n  [1, true,],\n]\nb = 'c'",
	"{a:[\"x\" [# true]] b:\"c\"}"},
    {"a = { b = 'x', c.d = [ { e = 'y' } ] }\n",
	"{a:{b:\"x\" c:{d:[{e:\"y\"}]}}}"},
    {"a = {}", "{a:{}}"},
    {"[a]\nb = 'x'\n[a.c]\nd = 'y'\n[e]", "{a:{b:\"x\" c:{d:\"y\"}} e:{}}"},
    {"[a.b]\nc = 'x'\n[a]\nd = 'y'", "{a:{b:{c:\"x\"} d:\"y\"}}"},
    {"[ a . \"b.c\" ]\n", "{a:{b.c:{}}}"},
    {"[[a]]\nb = 'x'\n[[a.c]]\nd = 'y'\n[[a.c]]\n[[a]]\n[a.e]\n",
	"{a:[{b:\"x\" c:[{d:\"y\"} {}]} {e:{}}]}"},
    {"a.b = 'x'\n[a.c]\n", "{a:{b:\"x\" c:{}}}"},
    {"[host.\"https://m.example.com\"]\ncapabilities = ['pull']",
	"{host:{https://m.example.com:{capabilities:[\"pull\"]}}}"},
    {"a = [0, -1, +17, 1_000, 0xdead_beef, 0o755, 0b1_0, 3.14, -0.01, 5e+22, "
     "6.626e-34, 1e06, inf, -nan]",
	"{a:[# # # # # # # # # # # # # #]}"},
    {"a = 1979-05-27T07:32:00Z\nb = 1979-05-27 07:32:00.5-07:00 # x\n"
     "c = 1979-05-27\nd = 07:32:00\ne = [1979-05-27 , 1979-05-27 ]",
	"{a:# b:# c:# d:# e:[# #]}"},
};

static void parsed(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(good); i++) {
		CLEANUP(toml_free_p) struct toml *root = NULL;
		AUTO_BUF struct buf tree = BUF_INIT(1 << 16);
		struct err err = ERR_INIT;

		if (toml_parse(good[i].text, strlen(good[i].text), &root,
			&err) < 0)
			fail_msg("%s: %s", good[i].text, err.msg);
		print(root, &tree);
		assert_string_equal(buf_str(&tree), good[i].tree);
	}
}

static const struct {
	const char *text;
	unsigned line;
	const char *says;
} bad[] = {
    {"a", 1, "'=' is missing"},
    {"= 'x'", 1, "a key is missing"},
    {"a = \n", 1, "a value is missing"},
    {"\na = x", 2, "strings need quotes"},
    {"a = True", 1, "strings need quotes"},
    {"a = 'x' 'y'", 1, "something stands after"},
    {"a = 'x' b = 'y'", 1, "something stands after"},
    {"a = 'x", 1, "has no end"},
    {"a = 'x\n'", 1, "has no end"},
    {"a = \"x\\\"", 1, "has no end"},
    {"\na = '''x\n\n", 4, "has no end"},
    {"a = \"\\x41\"", 1, "unknown escape"},
    {"a = \"\\ud800\"", 1, "no character"},
    {"a = \"\\u0000\"", 1, "no character"},
    {"a = \"\\U00110000\"", 1, "no character"},
    {"a = \"\\u12g4\"", 1, "4 hexadecimal digits"},
    {"a = \"x\x01\"", 1, "control character"},
    {"a = '\x7f'", 1, "control character"},
    {"# x\x02", 1, "control character"},
    {"# x\ry", 1, "control character"},
    {"a = 'x'\rb = 'y'", 1, "something stands after"},
    {"'''a''' = 1", 1, "'=' is missing"},
    {"\n[a\n", 2, "']' is missing"},
    {"[a]]", 1, "something stands after"},
    {"[[a]", 1, "']]' is missing"},
    {"[[a] ]", 1, "']]' is missing"},
    {"[ ]", 1, "a key is missing"},
    {"[a.]", 1, "a key is missing"},
    {"[a] b = 1", 1, "something stands after"},
    {"a = [1 2]", 1, "',' or ']'"},
    {"a = [,]", 1, "a value is missing"},
    {"a = [\n1,\n", 3, "a value is missing"},
    {"a = {b = 1,}", 1, "a key is missing"},
    {"a = {b = 1\n}", 1, "',' or '}'"},
    {"a = {b = 1 c = 2}", 1, "',' or '}'"},
    {"a = {b = 1, b = 2}", 1, "defined already"},
    {"a = 1\n\na = 2", 3, "defined already, in line 1"},
    {"a = 1\na.b = 2", 2, "defined already"},
    {"\"x\\ny\" = 1\n\"x\\ny\" = 2", 2, "\"x?y\" is defined already"},
    {"a.b = 1\na = 2", 2, "defined already"},
    {"a = {b = 1}\na.c = 2", 2, "defined already"},
    {"a = {b.c = 1}\n[a.b]", 2, "defined already"},
    {"a = {}\n[a.b]", 2, "defined already"},
    {"[a]\n[b]\n[a]", 3, "defined already, in line 1"},
    {"[a]\nb = 1\n[a.b]", 3, "defined already"},
    {"[a]\nb = 1\n[a.b.c]", 3, "defined already"},
    {"a.b = 1\n[a]", 2, "defined already"},
    {"[a.b]\n[a]\nb.c = 1", 3, "defined already"},
    {"[a.b.c]\n[a]\nb.d = 1", 3, "defined already"},
    {"[[a]]\n[a]", 2, "defined already"},
    {"[a]\n[[a]]", 2, "defined already"},
    {"a = []\n[[a]]", 2, "defined already"},
    {"a = [{}]\n[a.b]", 2, "defined already"},
    {"[a.b]\n[[a]]", 2, "defined already"},
    {"a = 01", 1, "strings need quotes"},
    {"a = 1__0", 1, "strings need quotes"},
    {"a = 0x", 1, "strings need quotes"},
    {"a = 1.", 1, "strings need quotes"},
    {"a = .5", 1, "strings need quotes"},
    {"a = +0x1", 1, "strings need quotes"},
    {"a = 1979-05-27T", 1, "strings need quotes"},
    {"a = 10000000000000000000000000000000000000000000000000000000000000000", 1,
	"too long"},
    {"a.b.c.d.e.f.g.h.i.j.k.l.m.n.o.p.q.r.s.t.u.v.w.x.y.z.a.b.c.d.e.f.g = 1", 1,
	"too many parts"},
    {"a = [[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[", 1, "too deeply"},
};

static void refused(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(bad); i++) {
		struct toml *root = NULL;
		struct err err = ERR_INIT;
		char line[32];

		if (toml_parse(bad[i].text, strlen(bad[i].text), &root, &err) !=
		    -EINVAL)
			fail_msg("it is taken: %s", bad[i].text);
		assert_null(root);
		snprintf(line, sizeof(line), "line %u: ", bad[i].line);
		if (strncmp(err.msg, line, strlen(line)) != 0 ||
		    !strstr(err.msg, bad[i].says))
			fail_msg("%s: %s", bad[i].text, err.msg);
	}
}

static void not_text(void **state)
{
	static const char *const texts[] = {"a = '\xff'", "\xc0\x80 = 1",
	    "# \xed\xa0\x80", "'\xf4\x90\x80\x80' = 1", "# \xe2\x82"};
	struct toml *root = NULL;

	(void)state;
	for (size_t i = 0; i < COUNT(texts); i++) {
		struct err err = ERR_INIT;

		assert_int_equal(toml_parse(texts[i], strlen(texts[i]), &root,
				     &err),
		    -EINVAL);
		assert_string_equal(err.msg, "it is not UTF-8");
	}
	for (size_t i = 0; i < 9; i++) {
		char text[] = "a = ' ' #";
		struct err err = ERR_INIT;

		text[i] = '\0';
		assert_int_equal(toml_parse(text, sizeof(text) - 1, &root,
				     &err),
		    -EINVAL);
	}
}

static void typed(void **state)
{
	static const char text[] =
	    "s = 'x'\nb = true\nl = ['x',\n1]\n[t]\nu = 1\n[[a]]\n";
	CLEANUP(toml_free_p) struct toml *root = NULL;
	const struct toml *value = NULL;
	const char *string = "before";
	bool truth = false;
	struct err err = ERR_INIT;

	(void)state;
	assert_int_equal(toml_parse(text, strlen(text), &root, &err), 0);
	assert_int_equal(toml_string(root, "none", &string, &err), 0);
	assert_string_equal(string, "before");
	assert_int_equal(toml_string(root, "s", &string, &err), 0);
	assert_string_equal(string, "x");
	assert_int_equal(toml_boolean(root, "b", &truth, &err), 0);
	assert_true(truth);
	assert_int_equal(toml_table(root, "t", &value, &err), 0);
	assert_string_equal(value->first->key, "u");
	assert_int_equal(toml_elements(root, "a", TOML_TABLE, &value, &err), 0);
	assert_int_equal(value->line, 7);
	assert_int_equal(toml_string(root, "b", &string, &err), -EINVAL);
	assert_string_equal(err.msg, "line 2: \"b\" is not a string");
	assert_int_equal(toml_elements(root, "l", TOML_STRING, &value, &err),
	    -EINVAL);
	assert_string_equal(err.msg,
	    "line 4: what is in \"l\" is not a string");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(parsed),
	    cmocka_unit_test(refused),
	    cmocka_unit_test(not_text),
	    cmocka_unit_test(typed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
