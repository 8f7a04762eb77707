/* SPDX-License-Identifier: Apache-2.0 */
/* Platforms: text, file names, and which image serves which machine. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "oci/platform.h"

static struct platform parsed(const char *text)
{
	struct platform platform;
	struct err err = ERR_INIT;

	if (platform_parse(&platform, text, &err) < 0)
		fail_msg("%s", err.msg);
	return platform;
}

static void text_is(const char *text, const char *slashes, const char *dashes)
{
	struct platform platform = parsed(text);
	char out[PLATFORM_TEXT_SIZE];

	assert_string_equal(platform_format(&platform, '/', out), slashes);
	assert_string_equal(platform_format(&platform, '-', out), dashes);
}

static void text_is_parsed_and_formatted(void **state)
{
	(void)state;
	text_is("linux/amd64", "linux/amd64", "linux-amd64");
	text_is("linux/arm64/v8", "linux/arm64/v8", "linux-arm64-v8");
	text_is("linux/x86_64", "linux/amd64", "linux-amd64");
	text_is("linux/armhf", "linux/arm/v7", "linux-arm-v7");
	text_is("linux/armhf/v6", "linux/arm/v6", "linux-arm-v6");
}

static void other_text_is_refused(void **state)
{
	static const char *const texts[] = {"", "linux", "linux/", "/amd64",
	    "linux/amd64/", "linux/arm/v7/x", "linux amd64", "linux//v7",
	    "linux/amd64 ",
	    "linux/"
	    "a123456789012345678901234567890123456789"
	    "012345678901234567890123"};
	struct platform platform;

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		struct err err = ERR_INIT;

		assert_int_equal(platform_parse(&platform, texts[i], &err),
		    -EINVAL);
		assert_non_null(strstr(err.msg, "os/architecture"));
	}
}

static void any_platform_is_a_file_name(void **state)
{
	static const struct platform hostile = {"../..", "a/b\n", "", ""};
	static const struct platform none = {"", "", "", ""};
	char out[PLATFORM_TEXT_SIZE];
	struct platform longest;

	(void)state;
	assert_string_equal(platform_format(&hostile, '-', out), ".._..-a_b_");
	assert_string_equal(platform_format(&none, '-', out),
	    "unknown-unknown");
	memset(&longest, 0, sizeof(longest));
	memset(longest.os, 'o', sizeof(longest.os) - 1);
	memset(longest.architecture, 'a', sizeof(longest.architecture) - 1);
	memset(longest.variant, 'v', sizeof(longest.variant) - 1);
	assert_int_equal(strlen(platform_format(&longest, '-', out)),
	    sizeof(out) - 1);
}

static void host_is_known(void **state)
{
	struct platform host = platform_host();

	(void)state;
	assert_string_equal(host.os, "linux");
	assert_true(host.architecture[0]);
#ifdef __x86_64__
	assert_string_equal(host.architecture, "amd64");
#endif
	assert_true(platform_match(&host, &host));
}

static int match(const char *want, const char *have)
{
	struct platform w = parsed(want), h = parsed(have);

	return platform_match(&w, &h);
}

/* Each serves `want` better than the next; the last not at all. */
static void in_order(const char *want, const char *const *have)
{
	for (; have[1]; have++)
		if (match(want, have[0]) <= match(want, have[1]))
			fail_msg("%s: %s is no better than %s", want, have[0],
			    have[1]);
	assert_int_equal(match(want, have[0]), 0);
}

static void lower_variants_serve(void **state)
{
	(void)state;
	in_order("linux/arm/v8",
	    (const char *const[]){"linux/arm/v8", "linux/arm/v7",
		"linux/arm/v6", "linux/arm/v5", "linux/arm64/v8", NULL});
	in_order("linux/arm/v6", (const char *const[]){"linux/arm/v6",
				     "linux/arm/v5", "linux/arm/v7", NULL});
	in_order("linux/arm", (const char *const[]){"linux/arm/v7",
				  "linux/arm/v6", "linux/arm/v8", NULL});
	in_order("linux/amd64/v3",
	    (const char *const[]){"linux/amd64/v3", "linux/amd64/v2",
		"linux/amd64", "linux/amd64/v4", NULL});
	in_order("linux/amd64",
	    (const char *const[]){"linux/amd64", "linux/amd64/v2", NULL});
}

static void arm64_is_v8(void **state)
{
	(void)state;
	assert_int_equal(match("linux/arm64", "linux/arm64/v8"),
	    match("linux/arm64/v8", "linux/arm64"));
	assert_int_equal(match("linux/arm64", "linux/arm64/v8"),
	    match("linux/arm64", "linux/arm64"));
	assert_true(match("linux/arm64/v9", "linux/arm64"));
	assert_int_equal(match("linux/arm64", "linux/arm64/v9"), 0);
	assert_int_equal(match("linux/arm64", "linux/arm64/8"), 0);
}

static void unknown_variants_match_exactly(void **state)
{
	(void)state;
	in_order("linux/ppc64le/power9",
	    (const char *const[]){"linux/ppc64le/power9", "linux/ppc64le",
		"linux/ppc64le/power10", NULL});
	assert_true(match("linux/riscv64", "linux/riscv64/rva23u64"));
}

static void others_do_not_match(void **state)
{
	static const struct platform none = {"", "", "", ""};
	struct platform want = parsed("linux/amd64");

	(void)state;
	assert_int_equal(match("linux/amd64", "windows/amd64"), 0);
	assert_int_equal(match("linux/amd64", "linux/386"), 0);
	assert_int_equal(platform_match(&want, &none), 0);
}

static void old_names_in_images_match(void **state)
{
	static const struct platform have = {"linux", "aarch64", "", ""};
	struct platform want = parsed("linux/arm64");

	(void)state;
	assert_true(platform_match(&want, &have));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(text_is_parsed_and_formatted),
	    cmocka_unit_test(other_text_is_refused),
	    cmocka_unit_test(any_platform_is_a_file_name),
	    cmocka_unit_test(host_is_known),
	    cmocka_unit_test(lower_variants_serve),
	    cmocka_unit_test(arm64_is_v8),
	    cmocka_unit_test(unknown_variants_match_exactly),
	    cmocka_unit_test(others_do_not_match),
	    cmocka_unit_test(old_names_in_images_match),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
