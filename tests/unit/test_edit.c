/* SPDX-License-Identifier: Apache-2.0 */
/* Documents with something changed: what is not changed stays as it was. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "oci/edit.h"

#define A "sha256:" A16 A16 A16 A16
#define A16 "aaaaaaaaaaaaaaaa"
#define B "sha256:" B16 B16 B16 B16
#define B16 "bbbbbbbbbbbbbbbb"

static struct digest digest_b(void)
{
	struct digest digest = {.algorithm = DIGEST_SHA256};

	memset(digest.bytes, 0xbb, 32);
	return digest;
}

/* What comes out, or the failure. */
static struct buf out;
static struct err err;

static int setup(void **state)
{
	(void)state;
	out = BUF_INIT(1 << 16);
	err = (struct err)ERR_INIT;
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	buf_release(&out);
	return 0;
}

static void expect(int r, const char *text)
{
	if (r < 0)
		print_message("%s\n", err.msg);
	assert_int_equal(r, 0);
	assert_string_equal(buf_str(&out), text);
}

static void test_a_config_is_exchanged(void **state)
{
	static const char manifest[] =
	    "{\"later\":{\"x\":1.5},\"schemaVersion\":2,\"config\":{"
	    "\"mediaType\":\"c\",\"data\":\"e30=\",\"digest\":\"" A
	    "\",\"size\":2,\"y\":null},\"layers\":[]}";
	const struct descriptor config = {.digest = digest_b(), .size = 7};

	(void)state;
	expect(manifest_edit(&out, manifest, strlen(manifest), &config, NULL,
		   &err),
	    "{\"later\":{\"x\":1.5},\"schemaVersion\":2,\"config\":{"
	    "\"mediaType\":\"c\",\"digest\":\"" B
	    "\",\"size\":7,\"y\":null},\"layers\":[]}");
}

static void test_a_layer_is_added(void **state)
{
	/* As Go prints an empty list. */
	static const char manifest[] =
	    "{\"config\":{\"digest\":\"" A "\",\"size\":2},\"layers\":null}";
	const struct annotation note = {"n", "v"};
	const struct descriptor config = {.digest = digest_b(), .size = 7};
	const struct descriptor layer = {.media_type = "l",
	    .digest = digest_b(),
	    .size = 9,
	    .annotations = &note,
	    .annotation_count = 1};

	(void)state;
	expect(manifest_edit(&out, manifest, strlen(manifest), &config, &layer,
		   &err),
	    "{\"config\":{\"digest\":\"" B "\",\"size\":7},\"layers\":[{"
	    "\"mediaType\":\"l\",\"digest\":\"" B
	    "\",\"size\":9,\"annotations\":{\"n\":\"v\"}}]}");
}

static void test_annotations(void **state)
{
	static const char plain[] = "{\"a\":1}";
	static const char noted[] = "{\"a\":1,\"annotations\":{\"n\":\"v\"}}";

	(void)state;
	expect(manifest_annotate(&out, plain, strlen(plain), "n", "v", &err),
	    noted);
	buf_reset(&out);
	expect(manifest_annotate(&out, noted, strlen(noted), "n", "w", &err),
	    "{\"a\":1,\"annotations\":{\"n\":\"w\"}}");
	buf_reset(&out);
	expect(manifest_annotate(&out, noted, strlen(noted), "n", NULL, &err),
	    plain);
	buf_reset(&out);
	expect(manifest_annotate(&out, plain, strlen(plain), "n", NULL, &err),
	    plain);
	assert_int_equal(manifest_annotate(&out, plain, strlen(plain), "n",
			     "\xff", &err),
	    -EINVAL);
}

static void test_an_entry_of_an_index(void **state)
{
	static const char index[] =
	    "{\"manifests\":[{\"mediaType\":\"m\",\"digest\":\"" A
	    "\",\"size\":2,\"platform\":{\"os\":\"linux\"}},{\"digest\":\"" B
	    "\"}]}";
	const struct descriptor to = {.media_type = "n",
	    .digest = digest_b(),
	    .size = 8};
	struct digest from = {.algorithm = DIGEST_SHA256};

	(void)state;
	memset(from.bytes, 0xaa, 32);
	expect(index_replace(&out, index, strlen(index), &from, &to, &err),
	    "{\"manifests\":[{\"mediaType\":\"n\",\"digest\":\"" B
	    "\",\"size\":8,\"platform\":{\"os\":\"linux\"}},{\"digest\":\"" B
	    "\"}]}");
}

static void test_a_layer_of_a_config(void **state)
{
	static const char config[] =
	    "{\"x\":[],\"created\":\"before\",\"rootfs\":{\"type\":\"layers\","
	    "\"diff_ids\":[\"" A "\"]},\"history\":[{\"created_by\":\"a\"}]}";
	const struct digest diff_id = digest_b();

	(void)state;
	expect(config_add_layer(&out, config, strlen(config), &diff_id, 1, "me",
		   &err),
	    "{\"x\":[],\"created\":\"1970-01-01T00:00:01Z\",\"rootfs\":{"
	    "\"type\":\"layers\",\"diff_ids\":[\"" A "\",\"" B
	    "\"]},\"history\":[{\"created_by\":\"a\"},{\"created\":"
	    "\"1970-01-01T00:00:01Z\",\"created_by\":\"me\"}]}");
}

/* One that began with the second layer would be taken for the first's. */
static void test_no_history_is_begun_in_the_middle(void **state)
{
	static const char config[] = "{\"rootfs\":{\"diff_ids\":[\"" A "\"]}}";
	const struct digest diff_id = digest_b();

	(void)state;
	assert_int_equal(config_add_layer(&out, config, strlen(config),
			     &diff_id, 1, "me", &err),
	    0);
	assert_null(strstr(buf_str(&out), "history"));
}

static void test_the_first_layer(void **state)
{
	static const char config[] = "{\"os\":\"linux\"}";
	const struct digest diff_id = digest_b();

	(void)state;
	expect(config_add_layer(&out, config, strlen(config), &diff_id, 1, "me",
		   &err),
	    "{\"os\":\"linux\",\"rootfs\":{\"type\":\"layers\",\"diff_ids\":["
	    "\"" B "\"]},\"history\":[{\"created\":\"1970-01-01T00:00:01Z\","
	    "\"created_by\":\"me\"}],\"created\":\"1970-01-01T00:00:01Z\"}");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(test_a_config_is_exchanged, setup,
		teardown),
	    cmocka_unit_test_setup_teardown(test_a_layer_is_added, setup,
		teardown),
	    cmocka_unit_test_setup_teardown(test_annotations, setup, teardown),
	    cmocka_unit_test_setup_teardown(test_an_entry_of_an_index, setup,
		teardown),
	    cmocka_unit_test_setup_teardown(test_a_layer_of_a_config, setup,
		teardown),
	    cmocka_unit_test_setup_teardown(
		test_no_history_is_begun_in_the_middle, setup, teardown),
	    cmocka_unit_test_setup_teardown(test_the_first_layer, setup,
		teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
