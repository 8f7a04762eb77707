/* SPDX-License-Identifier: Apache-2.0 */
/* Image configurations: what is read of them, what is refused, what is made. */
#include <errno.h>
#include <stdint.h>

#include "base/strf.h"
#include "cases.h"
#include "oci/config.h"
#include "oci/manifest.h"

static void parse_case(const char *name, struct config **out)
{
	AUTO_BUF struct buf data = BUF_INIT(1 << 16);
	struct err err = ERR_INIT;

	case_read("config", name, &data);
	if (config_parse(data.data, data.len, out, &err) < 0)
		fail_msg("%s: %s", name, err.msg);
}

static void members_are_read(void **state)
{
	CLEANUP(config_free_p) struct config *config = NULL;
	char text[DIGEST_TEXT_SIZE];

	(void)state;
	parse_case("good-oci.json", &config);
	assert_string_equal(config->platform.os, "linux");
	assert_string_equal(config->platform.architecture, "arm");
	assert_string_equal(config->platform.variant, "v7");
	assert_string_equal(config->platform.os_version, "");
	assert_true(config->has_created);
	assert_int_equal(config->created, 1714979289);
	assert_int_equal(config->created_nanos, 123456789);
	assert_int_equal(config->diff_id_count, 2);
	assert_string_equal(digest_format(&config->diff_ids[0], text),
	    "sha256:"
	    "11111111111111111111111111111111"
	    "11111111111111111111111111111111");
	assert_int_equal(config->diff_ids[1].bytes[31], 0x22);
}

static void windows_has_a_version(void **state)
{
	CLEANUP(config_free_p) struct config *config = NULL;

	(void)state;
	parse_case("good-windows.json", &config);
	assert_string_equal(config->platform.os_version, "10.0.17763.5696");
}

/* The config's time as it is printed; "" where it has none. */
static void check_created(const char *created, const char *printed)
{
	CLEANUP(config_free_p) struct config *config = NULL;
	AUTO_FREE char *data = strf("{\"created\":\"%s\"}", created);
	char text[TIME_TEXT_SIZE] = "";
	struct err err = ERR_INIT;

	if (config_parse(data, strlen(data), &config, &err) < 0)
		fail_msg("%s: %s", created, err.msg);
	if (config->has_created && time_format(config->created, text, &err) < 0)
		fail_msg("%s: %s", created, err.msg);
	if (strcmp(text, printed) != 0)
		fail_msg("%s: %s, not %s", created, text, printed);
}

static void created_is_any_time(void **state)
{
	static const char *const times[][2] = {
	    {"1970-01-01T00:00:00Z", "1970-01-01T00:00:00Z"},
	    {"1969-12-31T23:59:59.5Z", "1969-12-31T23:59:59Z"},
	    {"0001-01-01T00:00:00Z", "0001-01-01T00:00:00Z"},
	    {"0000-01-01T00:00:00Z", "0000-01-01T00:00:00Z"},
	    {"0999-06-01T00:00:00Z", "0999-06-01T00:00:00Z"},
	    {"9999-12-31T23:59:59Z", "9999-12-31T23:59:59Z"},
	    {"2020-01-01T00:00:00+02:00", "2019-12-31T22:00:00Z"},
	    {"2020-01-01T00:00:00-11:30", "2020-01-01T11:30:00Z"},
	    {"2020-01-01T00:00:00.123456789Z", "2020-01-01T00:00:00Z"},
	    {"2020-01-01t00:00:00z", "2020-01-01T00:00:00Z"},
	    {"2016-12-31T23:59:60Z", "2017-01-01T00:00:00Z"},
	    {"2024-02-29T00:00:00Z", "2024-02-29T00:00:00Z"},
	};
	static const char *const none[] = {"", "yesterday", "2020-01-01",
	    "2020-01-01T00:00:00", "2020-01-01T00:00:00Z ",
	    "2020-02-30T00:00:00Z", "2023-02-29T00:00:00Z",
	    "2020-13-01T00:00:00Z", "2020-01-01T24:00:00Z",
	    "2020-01-01T00:00:61Z", "12020-01-01T00:00:00Z",
	    "-001-01-01T00:00:00Z",
	    /* In UTC, in the year 10000 and in that before 0. */
	    "9999-12-31T23:59:59-01:00", "0000-01-01T00:00:00+01:00"};

	(void)state;
	for (size_t i = 0; i < sizeof(times) / sizeof(times[0]); i++)
		check_created(times[i][0], times[i][1]);
	for (size_t i = 0; i < sizeof(none) / sizeof(none[0]); i++)
		check_created(none[i], "");
}

static bool has_created(const char *name)
{
	CLEANUP(config_free_p) struct config *config = NULL;

	parse_case(name, &config);
	return config->has_created;
}

static void created_is_a_hint(void **state)
{
	(void)state;
	assert_true(has_created("good-docker.json"));
	assert_true(has_created("good-zero-created.json"));
	assert_true(has_created("good-epoch-created.json"));
	assert_false(has_created("good-no-created.json"));
	assert_false(has_created("good-null-created.json"));
	assert_false(has_created("good-unreadable-created.json"));
	assert_false(has_created("good-created-with-a-tail.json"));
	assert_false(has_created("good-created-in-year-10000.json"));
}

static void nothing_is_required(void **state)
{
	CLEANUP(config_free_p) struct config *config = NULL;

	(void)state;
	parse_case("good-of-an-artifact.json", &config);
	assert_int_equal(config->diff_id_count, 0);
	assert_string_equal(config->platform.os, "");
}

static int parse(const void *data, size_t len, struct err *err)
{
	CLEANUP(config_free_p) struct config *config = NULL;

	return config_parse(data, len, &config, err);
}

static void cases(void **state)
{
	static const struct refusal refusals[] = {
	    {"bad-architecture-as-list.json", EINVAL,
		"\"architecture\" is not a string"},
	    {"bad-array.json", EINVAL, "not an object"},
	    {"bad-created-as-number.json", EINVAL,
		"\"created\" is not a string"},
	    {"bad-diff-id-as-number.json", EINVAL, "diff_ids[0]: the digest"},
	    {"bad-diff-id.json", EINVAL, "diff_ids[1]: a sha256 digest"},
	    {"bad-diff-ids-as-object.json", EINVAL,
		"rootfs: \"diff_ids\" is not an array"},
	    {"bad-empty.json", EINVAL, "bad JSON"},
	    {"bad-long-os.json", EINVAL, "\"os\" is longer than 63 bytes"},
	    {"bad-null-diff-id.json", EINVAL, "not a string"},
	    {"bad-rootfs-as-list.json", EINVAL, "\"rootfs\" is not an object"},
	    {"bad-truncated.json", EINVAL, "bad JSON"},
	    {"bad-unknown-algorithm.json", EINVAL, "neither sha256 nor"},
	    {NULL, 0, NULL},
	};

	(void)state;
	cases_check("config", parse, refusals);
}

static void too_many_diff_ids_are_refused(void **state)
{
	AUTO_BUF struct buf text = BUF_INIT(1 << 20);
	struct err err = ERR_INIT;

	(void)state;
	assert_int_equal(buf_addstr(&text, "{\"rootfs\":{\"diff_ids\":[0",
			     &err),
	    0);
	for (int i = 0; i < MANIFEST_MAX_ENTRIES; i++)
		assert_int_equal(buf_addstr(&text, ",0", &err), 0);
	assert_int_equal(buf_addstr(&text, "]}}", &err), 0);
	assert_int_equal(parse(text.data, text.len, &err), -EINVAL);
	assert_non_null(strstr(err.msg, "more than 10000"));
}

static void printed_is_what_was_asked(void **state)
{
	static const struct platform arm = {"linux", "arm", "v7", ""};
	AUTO_BUF struct buf out = BUF_INIT(4096);
	struct err err = ERR_INIT;
	struct digest diff_id;

	(void)state;
	assert_int_equal(digest_of(DIGEST_SHA256, "", 0, &diff_id, &err), 0);
	assert_int_equal(config_print(&out, &arm, 1714979289, &diff_id, 1,
			     "made of \"a.tar\"", &err),
	    0);
	assert_string_equal(buf_str(&out),
	    "{\"created\":\"2024-05-06T07:08:09Z\",\"architecture\":\"arm\","
	    "\"os\":\"linux\",\"variant\":\"v7\",\"config\":{},"
	    "\"rootfs\":{\"type\":\"layers\",\"diff_ids\":[\"sha256:"
	    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
	    "\"]},\"history\":[{\"created\":\"2024-05-06T07:08:09Z\","
	    "\"comment\":\"made of \\\"a.tar\\\"\"}]}");
}

static void printed_can_be_parsed(void **state)
{
	static const struct platform amd64 = {"linux", "amd64", "", ""};
	CLEANUP(config_free_p) struct config *config = NULL;
	AUTO_BUF struct buf out = BUF_INIT(4096);
	struct err err = ERR_INIT;
	struct digest diff_ids[2];

	(void)state;
	assert_int_equal(digest_of(DIGEST_SHA256, "a", 1, &diff_ids[0], &err),
	    0);
	assert_int_equal(digest_of(DIGEST_SHA512, "b", 1, &diff_ids[1], &err),
	    0);
	assert_int_equal(config_print(&out, &amd64, 0, diff_ids, 2, "", &err),
	    0);
	assert_int_equal(config_parse(out.data, out.len, &config, &err), 0);
	assert_string_equal(config->platform.architecture, "amd64");
	assert_int_equal(config->diff_id_count, 2);
	assert_true(digest_equal(&config->diff_ids[0], &diff_ids[0]));
	assert_true(digest_equal(&config->diff_ids[1], &diff_ids[1]));
}

static void years_have_four_digits(void **state)
{
	static const struct platform amd64 = {"linux", "amd64", "", ""};
	AUTO_BUF struct buf out = BUF_INIT(4096);
	struct err err = ERR_INIT;

	(void)state;
	assert_int_equal(config_print(&out, &amd64, INT64_C(-62135596800), NULL,
			     0, "", &err),
	    0);
	assert_non_null(strstr(buf_str(&out), "\"0001-01-01T00:00:00Z\""));
}

static void impossible_times_are_refused(void **state)
{
	static const int64_t times[] = {INT64_MIN, INT64_C(-62167219201),
	    INT64_C(253402300800), INT64_MAX};
	static const struct platform amd64 = {"linux", "amd64", "", ""};
	AUTO_BUF struct buf out = BUF_INIT(4096);

	(void)state;
	for (size_t i = 0; i < sizeof(times) / sizeof(times[0]); i++) {
		struct err err = ERR_INIT;

		assert_int_equal(config_print(&out, &amd64, times[i], NULL, 0,
				     "", &err),
		    -EINVAL);
	}
}

static void other_diff_ids_and_nothing_else(void **state)
{
	static const char before[] =
	    "{\"zulu\":[1,2.5,null,true],\"rootfs\":{\"x\":9007199254740993,"
	    "\"diff_ids\":[\"sha256:00\"],\"type\":\"layers\"},\"alpha\":{"
	    "\"\xc3\xa4\":\"\\\"\"}}";
	AUTO_BUF struct buf out = BUF_INIT(4096);
	AUTO_BUF struct buf expected = BUF_INIT(4096);
	struct err err = ERR_INIT;
	struct digest diff_id;
	char text[DIGEST_TEXT_SIZE];

	(void)state;
	assert_int_equal(digest_of(DIGEST_SHA256, "a", 1, &diff_id, &err), 0);
	assert_int_equal(config_change_diff_ids(&out, before, strlen(before),
			     &diff_id, 1, &err),
	    0);
	assert_int_equal(buf_addf(&expected, &err,
			     "{\"zulu\":[1,2.5,null,true],\"rootfs\":{"
			     "\"x\":9007199254740993,\"diff_ids\":[\"%s\"],"
			     "\"type\":\"layers\"},\"alpha\":{"
			     "\"\xc3\xa4\":\"\\\"\"}}",
			     digest_format(&diff_id, text)),
	    0);
	assert_string_equal(buf_str(&out), buf_str(&expected));
	assert_int_equal(config_change_diff_ids(&out, "{}", 2, &diff_id, 1,
			     &err),
	    -EINVAL);
}

static void full_buffer_is_an_error(void **state)
{
	static const struct platform amd64 = {"linux", "amd64", "", ""};
	AUTO_BUF struct buf out = BUF_INIT(20);
	struct err err = ERR_INIT;

	(void)state;
	assert_int_equal(config_print(&out, &amd64, 0, NULL, 0, "", &err),
	    -EFBIG);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(members_are_read),
	    cmocka_unit_test(windows_has_a_version),
	    cmocka_unit_test(created_is_any_time),
	    cmocka_unit_test(created_is_a_hint),
	    cmocka_unit_test(nothing_is_required),
	    cmocka_unit_test(cases),
	    cmocka_unit_test(too_many_diff_ids_are_refused),
	    cmocka_unit_test(printed_is_what_was_asked),
	    cmocka_unit_test(printed_can_be_parsed),
	    cmocka_unit_test(years_have_four_digits),
	    cmocka_unit_test(impossible_times_are_refused),
	    cmocka_unit_test(other_diff_ids_and_nothing_else),
	    cmocka_unit_test(full_buffer_is_an_error),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
