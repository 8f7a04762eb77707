/* SPDX-License-Identifier: Apache-2.0 */
/* Manifests and indexes: what is read of them, what is refused. */
#include <errno.h>

#include "cases.h"
#include "oci/manifest.h"

static struct manifest *parse_case(const char *name, const char *media_type)
{
	AUTO_BUF struct buf data = BUF_INIT(1 << 16);
	struct manifest *manifest = NULL;
	struct err err = ERR_INIT;

	case_read("manifest", name, &data);
	if (manifest_parse(data.data, data.len, media_type, &manifest, &err) <
	    0)
		fail_msg("%s: %s", name, err.msg);
	return manifest;
}

#define AUTO_MANIFEST CLEANUP(manifest_free_p) struct manifest

static void image_is_read(void **state)
{
	AUTO_MANIFEST *m = parse_case("good-oci-image.json", NULL);

	(void)state;
	assert_int_equal(m->kind, MANIFEST_IMAGE);
	assert_string_equal(m->media_type, MEDIA_OCI_MANIFEST);
	assert_null(m->artifact_type);
	assert_string_equal(m->config.media_type, MEDIA_OCI_CONFIG);
	assert_int_equal(m->config.digest.bytes[0], 0xcc);
	assert_int_equal(m->config.size, 1470);
	assert_int_equal(m->entry_count, 2);
	assert_string_equal(m->entries[0].media_type, MEDIA_OCI_LAYER_GZIP);
	assert_int_equal(m->entries[0].size, 30428928);
	assert_string_equal(m->entries[1].media_type, MEDIA_OCI_LAYER_ZSTD);
	assert_int_equal(m->entries[1].digest.bytes[31], 0x22);
	assert_false(m->entries[1].has_urls);
	assert_false(digest_is_set(&m->subject.digest));
	assert_true(manifest_is_image(m));
}

static void annotations_keep_their_order(void **state)
{
	AUTO_MANIFEST *m = parse_case("good-oci-image.json", NULL);

	(void)state;
	assert_int_equal(m->annotation_count, 3);
	assert_string_equal(m->annotations[0].name,
	    "org.opencontainers.image.created");
	assert_string_equal(m->annotations[0].value, "2024-05-06T07:08:09Z");
	assert_string_equal(m->annotations[1].name, "a.second");
	assert_string_equal(m->annotations[2].name, "0.third");
}

static void index_is_read(void **state)
{
	AUTO_MANIFEST *m = parse_case("good-docker-list.json", NULL);

	(void)state;
	assert_int_equal(m->kind, MANIFEST_INDEX);
	assert_string_equal(m->media_type, MEDIA_DOCKER_LIST);
	assert_int_equal(m->entry_count, 6);
	assert_string_equal(m->entries[1].platform.os, "linux");
	assert_string_equal(m->entries[1].platform.architecture, "arm");
	assert_string_equal(m->entries[1].platform.variant, "v6");
	assert_string_equal(m->entries[5].platform.os_version,
	    "10.0.17763.5696");
	assert_false(digest_is_set(&m->config.digest));
	assert_false(manifest_is_image(m));
}

static void artifact_is_read(void **state)
{
	AUTO_MANIFEST *m = parse_case("good-artifact.json", NULL);

	(void)state;
	assert_string_equal(m->artifact_type, "application/spdx+json");
	assert_string_equal(m->config.media_type, MEDIA_OCI_EMPTY);
	assert_int_equal(m->subject.digest.bytes[0], 0x55);
	assert_string_equal(descriptor_annotation(&m->entries[0],
				"org.opencontainers.image.title"),
	    "sbom.spdx.json");
	assert_null(descriptor_annotation(&m->entries[0], "title"));
	assert_false(manifest_is_image(m));
}

static void image_is_told_by_its_config(void **state)
{
	AUTO_MANIFEST *old = parse_case("good-octet-stream-config.json", NULL);
	AUTO_MANIFEST *none = parse_case("good-no-config.json", NULL);
	AUTO_MANIFEST *helm = parse_case("good-no-layers.json", NULL);
	AUTO_MANIFEST *cosign = parse_case("good-cosign-signature.json", NULL);

	(void)state;
	assert_false(manifest_is_image(cosign));
	assert_true(manifest_is_image(old));
	assert_false(manifest_is_image(none));
	assert_false(manifest_is_image(helm));
}

static void foreign_layer_is_told(void **state)
{
	AUTO_MANIFEST *m = parse_case("good-foreign-layer.json", NULL);

	(void)state;
	assert_false(m->entries[0].has_urls);
	assert_true(m->entries[1].has_urls);
}

static void absent_text_is_empty(void **state)
{
	AUTO_MANIFEST *no_type = parse_case("good-no-layer-type.json", NULL);
	AUTO_MANIFEST *null = parse_case("good-null-annotation.json", NULL);

	(void)state;
	assert_string_equal(no_type->entries[1].media_type, "");
	assert_string_equal(null->annotations[0].value, "");
}

static void type_is(const char *name, const char *served_as, const char *type)
{
	AUTO_MANIFEST *m = parse_case(name, served_as);

	assert_string_equal(m->media_type, type);
}

static void media_type_is_its_own_before_what_it_is_served_as(void **state)
{
	(void)state;
	type_is("good-oci-image.json", MEDIA_DOCKER_MANIFEST,
	    MEDIA_OCI_MANIFEST);
	type_is("good-oci-image.json", "text/plain", MEDIA_OCI_MANIFEST);
	type_is("good-no-media-type-image.json", MEDIA_DOCKER_MANIFEST,
	    MEDIA_DOCKER_MANIFEST);
	type_is("good-no-media-type-image.json",
	    "Application/vnd.docker.distribution.manifest.v2+JSON; a=b",
	    MEDIA_DOCKER_MANIFEST);
	type_is("good-no-media-type-image.json", "application/json",
	    MEDIA_OCI_MANIFEST);
	type_is("good-layout-index.json", NULL, MEDIA_OCI_INDEX);
	type_is("good-unknown-media-type.json", MEDIA_OCI_MANIFEST,
	    "application/vnd.example.manifest+json");
}

static int parse_as(const char *name, const char *media_type, struct err *err)
{
	AUTO_BUF struct buf data = BUF_INIT(1 << 16);
	AUTO_MANIFEST *manifest = NULL;

	case_read("manifest", name, &data);
	return manifest_parse(data.data, data.len, media_type, &manifest, err);
}

static void served_as_another_kind_is_refused(void **state)
{
	struct err err = ERR_INIT;

	(void)state;
	assert_int_equal(parse_as("good-oci-image.json", MEDIA_OCI_INDEX, &err),
	    -EINVAL);
	assert_non_null(strstr(err.msg, "its mediaType says another kind"));
	assert_int_equal(parse_as("good-layout-index.json", MEDIA_OCI_MANIFEST,
			     &err),
	    -EINVAL);
	assert_non_null(strstr(err.msg, "its content says another kind"));
	assert_int_equal(parse_as("bad-error-message.json",
			     MEDIA_DOCKER_SCHEMA1_SIGNED, &err),
	    -ENOTSUP);
}

static int parse(const void *data, size_t len, struct err *err)
{
	AUTO_MANIFEST *manifest = NULL;

	return manifest_parse(data, len, NULL, &manifest, err);
}

/* Go's readers, which all engines are, take these; so do we. */
static void odd_characters(void **state)
{
	static const struct {
		const char *name, *value;
	} cases[] = {
	    {"good-nul.json", "x\xef\xbf\xbdy"},
	    {"good-latin-1.json", "\xef\xbf\xbd"},
	    {"good-surrogates.json",
		"\xf0\x9f\x98\x80 \xef\xbf\xbd \xef\xbf\xbd\xef\xbf\xbd"},
	    {"good-duplicate-member.json", "last"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		AUTO_MANIFEST *m = parse_case(cases[i].name, NULL);

		assert_int_equal(m->annotation_count, 1);
		assert_string_equal(m->annotations[0].value, cases[i].value);
	}
}

static void cases(void **state)
{
	static const struct refusal refusals[] = {
#define BAD(name, says) {"bad-" name ".json", EINVAL, says}
	    BAD("annotation-as-number", "layers[1]: annotations: \"a\" is not"),
	    BAD("annotations-as-list", "\"annotations\" is not an object"),
	    BAD("array", "the JSON is not an object"),
	    BAD("both-layers-and-manifests", "ambiguous"),
	    BAD("byte-order-mark", "bad JSON in line 1"),
	    BAD("config-as-text", "\"config\" is not an object"),
	    BAD("config-in-index", "ambiguous"),
	    BAD("control-characters", "\"?]0;title??\""),
	    BAD("deep-and-cut", "bad JSON"),
	    BAD("digest-as-number", "layers[1]: the digest is not a string"),
	    BAD("digest-without-colon", "is not a digest"),
	    BAD("cut-escape", "bad JSON"),
	    BAD("empty", "bad JSON"),
	    BAD("escape", "bad JSON"),
	    BAD("error-message", "neither an image manifest nor an index"),
	    BAD("error-message-of-a-type", "the index has no \"manifests\""),
	    BAD("fractional-size", "\"size\" is not a whole number"),
	    BAD("image-without-members", "neither \"config\" nor \"layers\""),
	    BAD("layer-as-text", "layers[0]: not an object"),
	    BAD("layers-and-fslayers", "ambiguous"),
	    BAD("layers-as-object", "\"layers\" is not an array"),
	    BAD("long-digest", "64 lower-case"),
	    BAD("long-platform", "\"architecture\" is longer than 63 bytes"),
	    BAD("media-type-as-number", "\"mediaType\" is not a string"),
	    BAD("negative-size", "layers[1]: -1 is not a valid size"),
	    BAD("no-digest", "layers[1]: the digest is missing"),
	    BAD("no-size", "layers[1]: the size is missing"),
	    BAD("null", "bad JSON"),
	    BAD("short-digest", "64 lower-case"),
	    BAD("size-as-text", "\"size\" is not a whole number"),
	    BAD("size-past-64-bits", "9223372036854775807 is not a valid size"),
	    BAD("subject", "subject: the digest is missing"),
	    BAD("text", "bad JSON"),
	    BAD("too-large-size", "281474976710657 is not a valid size"),
	    BAD("trailing-text", "end of file expected"),
	    BAD("truncated", "bad JSON"),
	    BAD("type-of-an-index", "its content says another kind"),
	    BAD("unknown-algorithm", "neither sha256 nor sha512"),
	    BAD("upper-case-digest", "64 lower-case"),
	    {"unsupported-schema1.json", ENOTSUP, "schema 1"},
	    {"unsupported-schema1-by-type.json", ENOTSUP, "schema 1"},
	    {NULL, 0, NULL},
	};

	(void)state;
	cases_check("manifest", parse, refusals);
}

/* An index of n manifests, each printed as `entry`. */
static int parse_many(size_t n, const char *entry, struct err *err)
{
	AUTO_BUF struct buf text = BUF_INIT(MANIFEST_MAX_BYTES + 1);

	assert_int_equal(buf_addf(&text, err, "{\"manifests\":[%s", entry), 0);
	for (size_t i = 1; i < n; i++)
		assert_int_equal(buf_addf(&text, err, ",%s", entry), 0);
	assert_int_equal(buf_addstr(&text, "]}", err), 0);
	return parse(text.data, text.len, err);
}

static void entries_are_limited(void **state)
{
	static const char entry[] =
	    "{\"size\":1,\"digest\":\"sha256:"
	    "1111111111111111111111111111111111111111111111111111111111111111"
	    "\"}";
	struct err err = ERR_INIT;

	(void)state;
	assert_int_equal(parse_many(MANIFEST_MAX_ENTRIES, entry, &err), 0);
	assert_int_equal(parse_many(MANIFEST_MAX_ENTRIES + 1, entry, &err),
	    -EINVAL);
	assert_non_null(strstr(err.msg, "10001 manifests are more than 10000"));
}

static void values_and_bytes_are_limited(void **state)
{
	AUTO_BUF struct buf text = BUF_INIT(MANIFEST_MAX_BYTES + 1);
	struct err err = ERR_INIT;

	(void)state;
	assert_int_equal(parse_many(1000000, "{}", &err), -EINVAL);
	assert_non_null(strstr(err.msg, "more than 262144 values"));
	assert_int_equal(buf_reserve(&text, MANIFEST_MAX_BYTES + 1, &err), 0);
	memset(text.data, ' ', MANIFEST_MAX_BYTES + 1);
	assert_int_equal(parse(text.data, MANIFEST_MAX_BYTES + 1, &err),
	    -EINVAL);
	assert_non_null(strstr(err.msg, "larger than 16777216 bytes"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(image_is_read),
	    cmocka_unit_test(annotations_keep_their_order),
	    cmocka_unit_test(index_is_read),
	    cmocka_unit_test(artifact_is_read),
	    cmocka_unit_test(image_is_told_by_its_config),
	    cmocka_unit_test(foreign_layer_is_told),
	    cmocka_unit_test(absent_text_is_empty),
	    cmocka_unit_test(media_type_is_its_own_before_what_it_is_served_as),
	    cmocka_unit_test(served_as_another_kind_is_refused),
	    cmocka_unit_test(odd_characters),
	    cmocka_unit_test(cases),
	    cmocka_unit_test(entries_are_limited),
	    cmocka_unit_test(values_and_bytes_are_limited),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
