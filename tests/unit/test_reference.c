/* SPDX-License-Identifier: Apache-2.0 */
/* Repository names, tags, and references that combine them. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/buf.h"
#include "cases.h"
#include "oci/reference.h"

#define HEX64 "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static bool component(const char *text)
{
	return repository_component_valid(text, strlen(text));
}

static void components_follow_the_grammar(void **state)
{
	static const char *const good[] = {"a", "0", "app", "a.b", "a_b",
	    "a__b", "a-b", "a---b", "1.2_3__4-5--6"};
	static const char *const bad[] = {"", ".", "..", ".git", "a.", "-a",
	    "a-", "a..b", "a___b", "a._b", "a_-b", "A", "aB", "a b", "a/b",
	    "a:b", "a@b", "\xc3\xa4", "_a"};

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		if (!component(good[i]))
			fail_msg("%s", good[i]);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		if (component(bad[i]))
			fail_msg("%s", bad[i]);
	assert_true(repository_component_valid("app/x", 3));
	assert_false(repository_component_valid("a\0b", 3));
}

static void repositories_are_components(void **state)
{
	char longest[REPOSITORY_MAX + 2];

	(void)state;
	assert_true(repository_valid("a"));
	assert_true(repository_valid("a/b/c-d"));
	assert_false(repository_valid(""));
	assert_false(repository_valid("/a"));
	assert_false(repository_valid("a/"));
	assert_false(repository_valid("a//b"));
	assert_false(repository_valid("a/../b"));
	memset(longest, 'a', sizeof(longest));
	longest[REPOSITORY_MAX] = '\0';
	assert_true(repository_valid(longest));
	longest[REPOSITORY_MAX] = 'a';
	longest[REPOSITORY_MAX + 1] = '\0';
	assert_false(repository_valid(longest));
}

static bool tag(const char *text)
{
	return tag_valid(text, strlen(text));
}

static void tags_follow_the_grammar(void **state)
{
	char longest[TAG_MAX + 1];

	(void)state;
	assert_true(tag("1.0"));
	assert_true(tag("_"));
	assert_true(tag("Latest-x_y.z"));
	assert_false(tag(""));
	assert_false(tag(".1"));
	assert_false(tag("-1"));
	assert_false(tag("a:b"));
	assert_false(tag("a/b"));
	assert_false(tag("a b"));
	assert_false(tag("a~"));
	assert_false(tag_valid("a\0b", 3));
	assert_true(tag_valid("1.0.tar", 3));
	memset(longest, 'A', sizeof(longest));
	assert_true(tag_valid(longest, TAG_MAX));
	assert_false(tag_valid(longest, TAG_MAX + 1));
}

static void referrers_tags_are_told(void **state)
{
	(void)state;
	assert_true(tag_is_referrers("sha256-" HEX64));
	assert_true(tag_is_referrers("sha512-" HEX64));
	assert_true(tag_is_referrers("sha256-" HEX64 ".sig"));
	assert_true(tag_is_referrers("sha256-" HEX64 ".att"));
	assert_true(tag_is_referrers("sha256-" HEX64 ".sbom"));
	assert_false(tag_is_referrers("sha256-" HEX64 ".tar"));
	assert_false(tag_is_referrers("sha256-" HEX64 "0"));
	assert_false(tag_is_referrers("sha256-0123"));
	assert_false(tag_is_referrers("sha256-"));
	assert_false(tag_is_referrers("build-" HEX64));
	assert_false(tag_is_referrers(HEX64));
	assert_false(tag_is_referrers("1.0"));
}

static void reference_is(const char *text, const char *name, const char *tag,
    const char *digest)
{
	struct reference reference;
	struct err err = ERR_INIT;
	char out[DIGEST_TEXT_SIZE] = "";

	if (reference_parse(&reference, text, &err) < 0)
		fail_msg("%s", err.msg);
	assert_string_equal(reference.name, name);
	assert_string_equal(reference.tag, tag);
	if (digest_is_set(&reference.digest))
		digest_format(&reference.digest, out);
	assert_string_equal(out, digest);
}

static void references_are_taken_apart(void **state)
{
	static const char digest[] = "sha256:" HEX64;

	(void)state;
	reference_is("busybox", "busybox", "", "");
	reference_is("busybox:1.36", "busybox", "1.36", "");
	reference_is("localhost:5000/a/b", "localhost:5000/a/b", "", "");
	reference_is("localhost:5000/a:1", "localhost:5000/a", "1", "");
	reference_is("localhost/a:1", "localhost/a", "1", "");
	reference_is("[::1]:5000/a:1", "[::1]:5000/a", "1", "");
	reference_is("Reg.example.com/a:1", "Reg.example.com/a", "1", "");
	reference_is("docker.io/library/busybox:latest",
	    "docker.io/library/busybox", "latest", "");
	reference_is("a@sha256:" HEX64, "a", "", digest);
	reference_is("reg:5/a:1@sha256:" HEX64, "reg:5/a", "1", digest);
}

/* What is parsed is printed as it was, and as docker shows it. */
static void printed_is(const char *text, const char *familiar)
{
	struct reference reference;
	struct err err = ERR_INIT;
	char out[REFERENCE_TEXT_SIZE];

	if (reference_parse(&reference, text, &err) < 0)
		fail_msg("%s", err.msg);
	assert_string_equal(reference_format(&reference, out), text);
	assert_string_equal(reference_familiar(&reference, out), familiar);
}

static void references_are_printed(void **state)
{
	static const char *const same[] = {"localhost:5000/team/web:1",
	    "localhost/a:1", "[::1]:5000/a:1", "reg.example.com/a/b/c:1.0",
	    "registry:80/app:1", "quay.io/library/alpine:1",
	    "docker.io.example.com/a:1", "reg:5/a:1@sha256:" HEX64,
	    "reg:5/a@sha256:" HEX64};
	static const char *const of_hub[][2] = {
	    {"docker.io/library/alpine:latest", "alpine:latest"},
	    {"docker.io/user/app:1", "user/app:1"},
	    {"docker.io/library/deep/app:1", "library/deep/app:1"},
	    {"docker.io/a/b/c:1", "a/b/c:1"},
	    {"docker.io/library/alpine@sha256:" HEX64, "alpine@sha256:" HEX64},
	    {"docker.io/localhost/app:1", "docker.io/localhost/app:1"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(same) / sizeof(same[0]); i++)
		printed_is(same[i], same[i]);
	for (size_t i = 0; i < sizeof(of_hub) / sizeof(of_hub[0]); i++)
		printed_is(of_hub[i][0], of_hub[i][1]);
}

static void the_longest_reference_is_printed(void **state)
{
	struct reference reference = {.digest = {.algorithm = DIGEST_SHA512}};
	char out[REFERENCE_TEXT_SIZE];

	(void)state;
	memset(reference.name, 'n', sizeof(reference.name) - 1);
	memset(reference.tag, 't', sizeof(reference.tag) - 1);
	assert_int_equal(strlen(reference_format(&reference, out)),
	    REFERENCE_NAME_SIZE - 1 + 1 + TAG_MAX + 1 + DIGEST_TEXT_SIZE - 1);
}

/* Each line of a case is a reference. */
static int parse_lines(const void *data, size_t len, struct err *err)
{
	AUTO_BUF struct buf text = BUF_INIT(1 << 16);
	struct reference reference;
	char *line, *rest;

	assert_int_equal(buf_add(&text, data, len, err), 0);
	for (line = strtok_r(text.data, "\n", &rest); line;
	     line = strtok_r(NULL, "\n", &rest)) {
		int r = reference_parse(&reference, line, err);

		if (r < 0)
			return r;
	}
	return 0;
}

static void cases(void **state)
{
	static const struct refusal refusals[] = {
	    {"bad-component", EINVAL, "not a valid repository name"},
	    {"bad-digest", EINVAL, "64 lower-case"},
	    {"bad-digest-algorithm", EINVAL, "neither sha256 nor sha512"},
	    {"bad-empty-name", EINVAL, "not a valid repository name"},
	    {"bad-empty-tag", EINVAL, "not a valid tag name"},
	    {"bad-host-only", EINVAL, "not a valid repository name"},
	    {"bad-long-name", EINVAL, "too long"},
	    {"bad-port", EINVAL, "not a valid repository name"},
	    {"bad-scheme", EINVAL, "not a valid repository name"},
	    {"bad-tag", EINVAL, "not a valid tag name"},
	    {"bad-two-tags", EINVAL, "not a valid tag name"},
	    {"bad-upper-case", EINVAL, "not a valid repository name"},
	    {NULL, 0, NULL},
	};

	(void)state;
	cases_check("reference", parse_lines, refusals);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(components_follow_the_grammar),
	    cmocka_unit_test(repositories_are_components),
	    cmocka_unit_test(tags_follow_the_grammar),
	    cmocka_unit_test(referrers_tags_are_told),
	    cmocka_unit_test(references_are_taken_apart),
	    cmocka_unit_test(references_are_printed),
	    cmocka_unit_test(the_longest_reference_is_printed),
	    cmocka_unit_test(cases),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
