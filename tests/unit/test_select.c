/* SPDX-License-Identifier: Apache-2.0 */
/* Which entry of an index serves a machine, and manifests that are made. */
#include <errno.h>

#include "cases.h"
#include "oci/manifest.h"

#define AUTO_MANIFEST CLEANUP(manifest_free_p) struct manifest

static struct manifest *parse_case(const char *name)
{
	AUTO_BUF struct buf data = BUF_INIT(1 << 16);
	struct manifest *manifest = NULL;
	struct err err = ERR_INIT;

	case_read("manifest", name, &data);
	if (manifest_parse(data.data, data.len, NULL, &manifest, &err) < 0)
		fail_msg("%s: %s", name, err.msg);
	return manifest;
}

/* The position of the entry that serves the platform best; -1 if none does. */
static int selected(const char *name, const char *platform)
{
	AUTO_MANIFEST *index = parse_case(name);
	const struct descriptor *entry;
	struct platform want;
	struct err err = ERR_INIT;

	assert_int_equal(platform_parse(&want, platform, &err), 0);
	entry = manifest_select(index, &want);
	return entry ? (int)(entry - index->entries) : -1;
}

static void platform_decides(void **state)
{
	static const char list[] = "good-docker-list.json";

	(void)state;
	assert_int_equal(selected(list, "linux/amd64"), 0);
	assert_int_equal(selected(list, "windows/amd64"), 5);
	assert_int_equal(selected(list, "linux/386"), 4);
	assert_int_equal(selected(list, "linux/arm64"), 3);
	assert_int_equal(selected(list, "linux/arm/v8"), 2);
	assert_int_equal(selected(list, "linux/arm/v6"), 1);
	assert_int_equal(selected(list, "linux/arm/v5"), -1);
	assert_int_equal(selected(list, "linux/s390x"), -1);
}

static void attestations_are_never_selected(void **state)
{
	static const char name[] = "good-buildkit-attestations.json";
	AUTO_MANIFEST *index = parse_case(name);

	(void)state;
	assert_false(descriptor_is_attestation(&index->entries[0]));
	assert_false(descriptor_is_attestation(&index->entries[1]));
	assert_true(descriptor_is_attestation(&index->entries[2]));
	assert_true(descriptor_is_attestation(&index->entries[3]));
	assert_int_equal(selected(name, "linux/arm64"), 1);
	assert_int_equal(selected(name, "unknown/unknown"), -1);
}

static void soci_index_is_no_image(void **state)
{
	AUTO_MANIFEST *index = parse_case("good-soci-index.json");

	(void)state;
	assert_true(descriptor_is_attestation(&index->entries[0]));
	assert_false(descriptor_is_attestation(&index->entries[1]));
	assert_int_equal(selected("good-soci-index.json", "linux/amd64"), 1);
}

static void images_come_before_nested_indexes(void **state)
{
	(void)state;
	assert_int_equal(selected("good-nested-index.json", "linux/s390x"), 1);
	assert_int_equal(selected("good-nested-index.json", "linux/amd64"), 0);
	assert_int_equal(selected("good-no-platforms.json", "linux/amd64"), 1);
	assert_int_equal(selected("good-empty-index.json", "linux/amd64"), -1);
}

static void image_has_no_entries_to_select(void **state)
{
	(void)state;
	assert_int_equal(selected("good-oci-image.json", "linux/amd64"), -1);
}

static void descriptor(struct descriptor *out, const char *media_type,
    const char *content)
{
	struct err err = ERR_INIT;

	*out = (struct descriptor){.media_type = media_type,
	    .size = strlen(content)};
	assert_int_equal(digest_of(DIGEST_SHA256, content, out->size,
			     &out->digest, &err),
	    0);
}

static void printed_is_what_was_asked(void **state)
{
	AUTO_BUF struct buf out = BUF_INIT(4096);
	struct descriptor config, layer;
	struct err err = ERR_INIT;

	(void)state;
	descriptor(&config, MEDIA_OCI_CONFIG, "{}");
	descriptor(&layer, MEDIA_OCI_LAYER, "abc");
	assert_int_equal(manifest_print(&out, MEDIA_OCI_MANIFEST, &config,
			     &layer, 1, &err),
	    0);
	assert_string_equal(buf_str(&out),
	    "{\"schemaVersion\":2,\"mediaType\":"
	    "\"application/vnd.oci.image.manifest.v1+json\","
	    "\"config\":{\"mediaType\":"
	    "\"application/vnd.oci.image.config.v1+json\",\"digest\":\"sha256:"
	    "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"
	    "\",\"size\":2},\"layers\":[{\"mediaType\":"
	    "\"application/vnd.oci.image.layer.v1.tar\",\"digest\":\"sha256:"
	    "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
	    "\",\"size\":3}]}");
}

static void printed_can_be_parsed(void **state)
{
	AUTO_MANIFEST *manifest = NULL;
	AUTO_BUF struct buf out = BUF_INIT(4096);
	struct descriptor config, layers[2];
	struct err err = ERR_INIT;

	(void)state;
	descriptor(&config, MEDIA_DOCKER_CONFIG, "{}");
	descriptor(&layers[0], MEDIA_DOCKER_LAYER_GZIP, "a");
	descriptor(&layers[1], MEDIA_DOCKER_LAYER_GZIP, "b");
	layers[1].size = DESCRIPTOR_MAX_SIZE;
	assert_int_equal(manifest_print(&out, MEDIA_DOCKER_MANIFEST, &config,
			     layers, 2, &err),
	    0);
	assert_int_equal(manifest_parse(out.data, out.len, NULL, &manifest,
			     &err),
	    0);
	assert_string_equal(manifest->media_type, MEDIA_DOCKER_MANIFEST);
	assert_true(manifest_is_image(manifest));
	assert_int_equal(manifest->entry_count, 2);
	assert_true(
	    digest_equal(&manifest->entries[1].digest, &layers[1].digest));
	assert_true(manifest->entries[1].size == DESCRIPTOR_MAX_SIZE);
}

static void any_full_buffer_is_an_error(void **state)
{
	struct descriptor config, layer;
	struct err err = ERR_INIT;
	size_t limit = 0;
	int r = -EFBIG;

	(void)state;
	descriptor(&config, MEDIA_OCI_CONFIG, "{}");
	descriptor(&layer, MEDIA_OCI_LAYER, "abc");
	for (; r == -EFBIG; limit++) {
		AUTO_BUF struct buf out = BUF_INIT(limit);

		r = manifest_print(&out, MEDIA_OCI_MANIFEST, &config, &layer, 1,
		    &err);
		assert_true(r != 0 || out.len == limit);
	}
	assert_int_equal(r, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(platform_decides),
	    cmocka_unit_test(attestations_are_never_selected),
	    cmocka_unit_test(soci_index_is_no_image),
	    cmocka_unit_test(images_come_before_nested_indexes),
	    cmocka_unit_test(image_has_no_entries_to_select),
	    cmocka_unit_test(printed_is_what_was_asked),
	    cmocka_unit_test(printed_can_be_parsed),
	    cmocka_unit_test(any_full_buffer_is_an_error),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
