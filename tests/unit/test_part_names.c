/* SPDX-License-Identifier: Apache-2.0 */
/* Names of layers, files and platforms, as far as a manifest says them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "grammar/part_names.h"

#define HEX64 "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define ENTRY(type, more) \
	"{\"mediaType\":\"" type "\",\"digest\":\"sha256:" HEX64 \
	"\",\"size\":1" more "}"
#define PLATFORM(os, arch, more) \
	",\"platform\":{\"os\":\"" os "\",\"architecture\":\"" arch "\"" more \
	"}"

/* An image of which only the manifest is there. */
static struct image parse(const char *json)
{
	struct image image = {0};
	struct err err = ERR_INIT;

	assert_int_equal(manifest_parse(json, strlen(json), NULL,
			     &image.manifest, &err),
	    0);
	return image;
}

static void assert_names(struct image *image,
    int (*namer)(struct image *, size_t, char[PART_NAME_SIZE], struct err *),
    const char *const *expected)
{
	struct err err = ERR_INIT;

	for (size_t i = 0; i < image->manifest->entry_count; i++) {
		char name[PART_NAME_SIZE];

		assert_int_equal(namer(image, i, name, &err), 0);
		assert_string_equal(name, expected[i]);
	}
	manifest_free(image->manifest);
}

static void test_layers(void **state)
{
	static const char *const names[] = {"01.tar.gz", "02.tar.zst", "03.tar",
	    "04.tar.gz", "05.tar"};
	struct image image =
	    parse("{\"schemaVersion\":2,\"config\":" ENTRY(MEDIA_OCI_CONFIG,
		"") ",\"layers\":[" ENTRY(MEDIA_OCI_LAYER_GZIP,
		"") "," ENTRY(MEDIA_OCI_LAYER_ZSTD,
		"") "," ENTRY(MEDIA_OCI_LAYER,
		"") "," ENTRY(MEDIA_DOCKER_LAYER_GZIP,
		"") "," ENTRY(MEDIA_DOCKER_LAYER, "") "]}");

	(void)state;
	assert_names(&image, layer_name, names);
}

static void test_platforms(void **state)
{
	static const char *const names[] = {"linux-amd64", "linux-arm-v7", "",
	    "windows-amd64", "windows-amd64-2"};
	struct image image = parse(
	    "{\"schemaVersion\":2,\"manifests\":[" ENTRY(MEDIA_OCI_MANIFEST,
		PLATFORM("linux", "amd64", "")) "," ENTRY(MEDIA_OCI_MANIFEST,
		PLATFORM("linux", "arm",
		    ",\"variant\":\"v7\"")) "," ENTRY(MEDIA_OCI_MANIFEST,
		PLATFORM("unknown", "unknown",
		    "")) "," ENTRY(MEDIA_OCI_MANIFEST,
		PLATFORM("windows", "amd64",
		    ",\"os.version\":\"10.0.1\"")) "," ENTRY(MEDIA_OCI_MANIFEST,
		PLATFORM("windows", "amd64",
		    ",\"os.version\":\"10.0.2\"")) "]}");

	(void)state;
	assert_names(&image, platform_name, names);
}

static struct descriptor referrer(const char *type, uint8_t first,
    uint8_t seventh)
{
	struct descriptor descriptor = {.artifact_type = type};

	descriptor.digest.algorithm = DIGEST_SHA256;
	descriptor.digest.bytes[0] = first;
	descriptor.digest.bytes[6] = seventh;
	return descriptor;
}

static void test_referrers(void **state)
{
	const struct descriptor entries[] = {
	    referrer("application/spdx+json", 0x10, 0),
	    referrer("application/vnd.in-toto+json", 0x20, 1),
	    /* Two that begin alike. */
	    referrer("application/spdx+json", 0x30, 1),
	    referrer("application/spdx+json", 0x30, 2),
	    referrer(NULL, 0x40, 0),
	};
	const struct referrers referrers = {entries, 5};
	static const char *const names[] = {"spdx-100000000000",
	    "in-toto-200000000000",
	    "spdx-300000000000"
	    "0100000000000000000000000000000000000000000000000000",
	    "spdx-300000000000"
	    "0200000000000000000000000000000000000000000000000000",
	    "artifact-400000000000"};
	static const char *const none[] = {"spdx-300000000000",
	    "spdx-200000000000", "spdx-10000000000", "spdx", "", "."};
	char text[PART_NAME_SIZE];
	size_t index;

	(void)state;
	for (size_t i = 0; i < 5; i++) {
		char digest[DIGEST_TEXT_SIZE];

		referrer_name(&referrers, i, text);
		assert_string_equal(text, names[i]);
		assert_true(referrer_find(&referrers, text, &index));
		assert_int_equal(index, i);
		digest_format(&entries[i].digest, digest);
		assert_true(referrer_find(&referrers, digest, &index));
		assert_int_equal(index, i);
	}
	for (size_t i = 0; i < sizeof(none) / sizeof(*none); i++)
		assert_false(referrer_find(&referrers, none[i], &index));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_layers),
	    cmocka_unit_test(test_referrers),
	    cmocka_unit_test(test_platforms),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
