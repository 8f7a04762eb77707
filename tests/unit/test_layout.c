/* SPDX-License-Identifier: Apache-2.0 */
/* Docker-archives' manifest.json, and names in OCI layouts. */
#include <errno.h>

#include "cases.h"
#include "oci/layout.h"

#define AUTO_ARCHIVE CLEANUP(docker_archive_free_p) struct docker_archive

static struct docker_archive *parse_case(const char *name)
{
	AUTO_BUF struct buf data = BUF_INIT(1 << 16);
	struct docker_archive *archive = NULL;
	struct err err = ERR_INIT;

	case_read("docker_archive", name, &data);
	if (docker_archive_parse(data.data, data.len, &archive, &err) < 0)
		fail_msg("%s: %s", name, err.msg);
	return archive;
}

static void images_are_read(void **state)
{
	AUTO_ARCHIVE *archive = parse_case("good-two-images.json");
	const struct docker_archive_image *images = archive->images;

	(void)state;
	assert_int_equal(archive->image_count, 2);
	assert_string_equal(images[0].config, "blobs/sha256/aa");
	assert_int_equal(images[0].layer_count, 2);
	assert_string_equal(images[0].layers[0], "blobs/sha256/01");
	assert_string_equal(images[0].layers[1], "blobs/sha256/02");
	assert_int_equal(images[0].name_count, 2);
	assert_string_equal(images[0].names[0].text, "app:1.0");
	assert_string_equal(images[0].names[0].tag, "1.0");
	assert_string_equal(images[0].names[1].text, "localhost:5000/app:1");
	assert_string_equal(images[0].names[1].tag, "1");
	assert_string_equal(images[1].config, "bb.json");
	assert_int_equal(images[1].layer_count, 1);
	assert_int_equal(images[1].name_count, 0);
}

static void absent_lists_are_empty(void **state)
{
	AUTO_ARCHIVE *archive = parse_case("good-config-only.json");

	(void)state;
	assert_int_equal(archive->images[0].layer_count, 0);
	assert_int_equal(archive->images[0].name_count, 0);
}

static void odd_names_have_no_tag(void **state)
{
	AUTO_ARCHIVE *archive = parse_case("good-odd-names.json");
	const struct docker_archive_image *image = &archive->images[0];

	(void)state;
	assert_int_equal(image->name_count, 4);
	assert_string_equal(image->names[0].text, "<none>:<none>");
	for (size_t i = 0; i < image->name_count; i++)
		assert_string_equal(image->names[i].tag, "");
}

static int parse(const void *data, size_t len, struct err *err)
{
	AUTO_ARCHIVE *archive = NULL;

	return docker_archive_parse(data, len, &archive, err);
}

static void cases(void **state)
{
	static const struct refusal refusals[] = {
#define BAD(name, says) {"bad-" name ".json", EINVAL, says}
	    BAD("config-as-number", "\"Config\" is not a string"),
	    BAD("empty", "manifest.json: bad JSON"),
	    BAD("empty-layer-path", "Layers[1] is not a string, or an empty"),
	    BAD("image-as-text", "image 1 of manifest.json: not an"),
	    BAD("layer-as-object", "image 2 of manifest.json: Layers[0]"),
	    BAD("layers-as-text", "\"Layers\" is not an array"),
	    BAD("no-config", "\"Config\" is missing"),
	    BAD("no-images", "names no image"),
	    BAD("null", "bad JSON"),
	    BAD("null-layer", "Layers[0] is not a string"),
	    BAD("object", "the JSON is not an array"),
	    BAD("tags-as-text", "\"RepoTags\" is not an array"),
	    {NULL, 0, NULL},
	};

	(void)state;
	cases_check("docker_archive", parse, refusals);
}

/* `open`, then item n times with commas between them, then `end`. */
static int parse_many(const char *open, const char *item, size_t n,
    const char *end, struct err *err)
{
	AUTO_BUF struct buf text = BUF_INIT(DOCKER_ARCHIVE_MAX_BYTES);

	assert_int_equal(buf_addf(&text, err, "%s%s", open, item), 0);
	for (size_t i = 1; i < n; i++)
		assert_int_equal(buf_addf(&text, err, ",%s", item), 0);
	assert_int_equal(buf_addstr(&text, end, err), 0);
	return parse(text.data, text.len, err);
}

static void images_and_layers_are_limited(void **state)
{
	static const char image[] = "{\"Config\":\"c\"}";
	static const char open[] = "[{\"Config\":\"c\",\"Layers\":[";
	struct err err = ERR_INIT;

	(void)state;
	assert_int_equal(parse_many("[", image, DOCKER_ARCHIVE_MAX_IMAGES, "]",
			     &err),
	    0);
	assert_int_equal(parse_many("[", image, DOCKER_ARCHIVE_MAX_IMAGES + 1,
			     "]", &err),
	    -EINVAL);
	assert_non_null(strstr(err.msg, "names 1001 images"));
	assert_int_equal(parse_many(open, "\"l\"", MANIFEST_MAX_ENTRIES, "]}]",
			     &err),
	    0);
	assert_int_equal(parse_many(open, "\"l\"", MANIFEST_MAX_ENTRIES + 1,
			     "]}]", &err),
	    -EINVAL);
	assert_non_null(strstr(err.msg, "10001 Layers are more than 10000"));
}

static void name_is(const char *annotation, const char *text, const char *tag)
{
	const struct annotation annotations[] = {{"other", "app:2"},
	    {annotation, text}};
	const struct descriptor entry = {.annotations = annotations,
	    .annotation_count = 2};
	struct image_name names[LAYOUT_MAX_NAMES];

	assert_int_equal(layout_names(&entry, names), 1);
	assert_string_equal(names[0].text, text);
	assert_string_equal(names[0].tag, tag);
}

static void annotations_name_tags(void **state)
{
	static const char ref[] = "org.opencontainers.image.ref.name";
	static const char full[] = "io.containerd.image.name";

	(void)state;
	name_is(ref, "1.0", "1.0");
	name_is(ref, "latest", "latest");
	name_is(ref, "app:1.0", "1.0");
	name_is(ref, "docker.io/library/app:1.0", "1.0");
	name_is(ref, "docker.io/library/app", "");
	name_is(ref, "", "");
	name_is(ref, "what ever", "");
	name_is(full, "docker.io/library/app:1.0", "1.0");
	name_is(full, "localhost:5000/app", "");
	name_is(full, "app", "");
}

static void entry_of_a_layout_has_both_names(void **state)
{
	CLEANUP(manifest_free_p) struct manifest *index = NULL;
	AUTO_BUF struct buf data = BUF_INIT(1 << 16);
	struct image_name names[LAYOUT_MAX_NAMES];
	struct err err = ERR_INIT;

	(void)state;
	case_read("manifest", "good-layout-index.json", &data);
	assert_int_equal(manifest_parse(data.data, data.len, MEDIA_OCI_INDEX,
			     &index, &err),
	    0);
	assert_int_equal(layout_names(&index->entries[0], names), 2);
	assert_string_equal(names[0].text, "docker.io/library/app:1.0");
	assert_string_equal(names[1].text, "1.0");
	assert_string_equal(names[1].tag, "1.0");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(images_are_read),
	    cmocka_unit_test(absent_lists_are_empty),
	    cmocka_unit_test(odd_names_have_no_tag),
	    cmocka_unit_test(cases),
	    cmocka_unit_test(images_and_layers_are_limited),
	    cmocka_unit_test(annotations_name_tags),
	    cmocka_unit_test(entry_of_a_layout_has_both_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
