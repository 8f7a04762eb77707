/* SPDX-License-Identifier: Apache-2.0 */
/* Archives that are laid out: read back, and their bytes in any pieces. */
#include "archive/layout.h"
#include "archive_images.h"
#include "base/strf.h"

enum { FILES_MAX = 16, END_SIZE = 1024 };

/* Where the test has the blobs that a layout names. */
struct blobs {
	const struct buf *bufs[FILES_MAX];
	size_t count;
};

static const struct buf *find_blob(const struct blobs *blobs,
    const struct descriptor *descriptor)
{
	for (size_t i = 0; i < blobs->count; i++) {
		struct digest digest = digest_buf(blobs->bufs[i]);

		if (digest_equal(&digest, &descriptor->digest))
			return blobs->bufs[i];
	}
	fail_msg("the layout names a blob that nobody has");
	return NULL;
}

/* All of the archive, from pieces that are found one after another. */
static void assemble(const struct archive_layout *layout,
    const struct blobs *blobs, struct buf *out)
{
	struct layout_segment segment;
	struct err err = ERR_INIT;

	while (archive_layout_find(layout, out->len, &segment)) {
		const char *data = segment.data;

		assert_int_equal(segment.offset, out->len);
		assert_true(segment.size > 0);
		if (!data) {
			const struct buf *blob = find_blob(blobs, segment.blob);

			assert_int_equal(blob->len, segment.size);
			data = blob->data;
		}
		assert_int_equal(buf_add(out, data, segment.size, &err), 0);
	}
	assert_int_equal(out->len, archive_layout_size(layout));
}

/* Whatever offset is asked for, the segment that is found holds it. */
static void check_offsets(const struct archive_layout *layout)
{
	uint64_t size = archive_layout_size(layout);
	struct layout_segment segment;

	for (uint64_t offset = 0; offset < size; offset += 7) {
		assert_true(archive_layout_find(layout, offset, &segment));
		assert_true(segment.offset <= offset);
		assert_true(offset < segment.offset + segment.size);
	}
	assert_false(archive_layout_find(layout, size, &segment));
	assert_false(archive_layout_find(layout, UINT64_MAX, &segment));
}

static void add_blobs(struct blobs *blobs, const struct test_image *image)
{
	blobs->bufs[blobs->count++] = &image->config;
	for (int i = 0; i < LAYERS; i++)
		blobs->bufs[blobs->count++] = &image->layers[i];
}

static void parse(struct layout_manifest *out, const struct buf *bytes)
{
	struct manifest *manifest = NULL;
	struct err err = ERR_INIT;

	assert_int_equal(manifest_parse(bytes->data, bytes->len, NULL,
			     &manifest, &err),
	    0);
	*out = (struct layout_manifest){bytes->data, bytes->len,
	    digest_buf(bytes), manifest};
}

static void parsed_free(const struct layout_manifest *manifest)
{
	manifest_free((struct manifest *)(uintptr_t)manifest->manifest);
}

/* Lays out, and leaves nothing of the input: what is borrowed is not kept. */
static struct archive_layout *lay_out_without(const struct buf *manifests[],
    size_t count, size_t image, const struct digest *absent)
{
	struct layout_manifest parsed[FILES_MAX];
	const struct reference name = {.name = "docker.io/library/app",
	    .tag = "1.0"};
	struct layout_input input = {.name = &name,
	    .manifests = parsed,
	    .manifest_count = count,
	    .image = image,
	    .absent = absent,
	    .absent_count = absent ? 1 : 0};
	struct archive_layout *layout = NULL;
	struct err err = ERR_INIT;

	for (size_t i = 0; i < count; i++)
		parse(&parsed[i], manifests[i]);
	assert_int_equal(archive_layout_new(&input, &layout, &err), 0);
	for (size_t i = 0; i < count; i++)
		parsed_free(&parsed[i]);
	return layout;
}

static struct archive_layout *lay_out(const struct buf *manifests[],
    size_t count, size_t image)
{
	return lay_out_without(manifests, count, image, NULL);
}

static int check_name(void *arg, const struct tar_entry *entry, struct err *err)
{
	char *last = arg;

	(void)err;
	assert_true(strcmp(last, entry->name) < 0);
	assert_int_equal(entry->mtime, 0);
	snprintf(last, TAR_NAME_MAX, "%s", entry->name);
	return 0;
}

/* It is a tar to the last byte, its names in order and each but once. */
static void check_tar(const struct buf *tar)
{
	char last[TAR_NAME_MAX] = "";
	struct tar_handler handler = {check_name, NULL, last};
	CLEANUP(tar_walker_free_p) struct tar_walker *walker = NULL;
	struct err err = ERR_INIT;
	size_t used;

	assert_int_equal(tar_walker_new(&handler, &walker, &err), 0);
	assert_int_equal(tar_walker_feed(walker, tar->data, tar->len, &used,
			     &err),
	    1);
	assert_int_equal(used, tar->len);
	assert_string_equal(last, "oci-layout");
}

static void read_text(const struct test_contents *test, const char *name,
    char *out, size_t size)
{
	struct archive_entry entry;
	struct err err = ERR_INIT;

	assert_true(archive_reader_find(test->reading.reader, name, &entry));
	assert_true(entry.size < size);
	assert_int_equal(file_pread(archive_reader_fd(test->reading.reader),
			     out, entry.size, entry.offset, &err),
	    entry.size);
	out[entry.size] = '\0';
}

static void check_json(const struct test_contents *test,
    const struct test_image *image)
{
	char text[2000], expected[2000];
	char config[DIGEST_TEXT_SIZE], manifest[DIGEST_TEXT_SIZE];
	char layers[LAYERS][DIGEST_TEXT_SIZE];

	for (int i = 0; i < LAYERS; i++)
		digest_hex(&image->layer_digests[i], layers[i]);
	snprintf(expected, sizeof(expected),
	    "[{\"Config\":\"blobs/sha256/%s\",\"RepoTags\":[\"app:1.0\"],"
	    "\"Layers\":[\"blobs/sha256/%s\",\"blobs/sha256/%s\"]}]",
	    digest_hex(&image->config_digest, config), layers[0], layers[1]);
	read_text(test, "manifest.json", text, sizeof(text));
	assert_string_equal(text, expected);
	snprintf(expected, sizeof(expected),
	    "{\"schemaVersion\":2,\"mediaType\":\"" MEDIA_OCI_INDEX
	    "\",\"manifests\":[{\"mediaType\":\"" MEDIA_OCI_MANIFEST
	    "\",\"digest\":\"%s\",\"size\":%zu,\"annotations\":{"
	    "\"io.containerd.image.name\":"
	    "\"docker.io/library/app:1.0\","
	    "\"org.opencontainers.image.ref.name\":\"1.0\"}}]}",
	    digest_format(&image->manifest_digest, manifest),
	    image->manifest.len);
	read_text(test, "index.json", text, sizeof(text));
	assert_string_equal(text, expected);
	read_text(test, "oci-layout", text, sizeof(text));
	assert_string_equal(text, "{\"imageLayoutVersion\":\"1.0.0\"}");
}

static void test_image(void **state)
{
	AUTO_IMAGE struct test_image image;
	const struct buf *manifests[] = {&image.manifest};
	AUTO_BUF struct buf tar = ARCHIVE_INIT;
	AUTO_CONTENTS struct test_contents test;
	struct archive_layout *layout;
	struct blobs blobs = {{NULL}, 0};

	(void)state;
	image_make(&image, "image", FORM_GZIP);
	add_blobs(&blobs, &image);
	layout = lay_out(manifests, 1, 0);
	check_offsets(layout);
	assemble(layout, &blobs, &tar);
	archive_layout_free(layout);
	check_tar(&tar);
	tar.len -= END_SIZE;
	assert_int_equal(contents_read(&test, &tar, "1.0"), 0);
	assert_int_equal(test.contents->kind, ARCHIVE_OCI);
	assert_int_equal(test.contents->manifest_count, 1);
	assert_int_equal(test.contents->blob_count, LAYERS + 1);
	check_json(&test, &image);
}

static bool has_file(const struct test_contents *test, const char *name)
{
	struct archive_entry entry;

	return archive_reader_find(test->reading.reader, name, &entry);
}

/* Two platforms, of which the second is docker's image. */
static void test_index(void **state)
{
	AUTO_IMAGE struct test_image amd64;
	AUTO_IMAGE struct test_image arm64;
	AUTO_BUF struct buf entries = ARCHIVE_INIT;
	AUTO_BUF struct buf index = ARCHIVE_INIT;
	const struct buf *manifests[] = {&index, &amd64.manifest,
	    &arm64.manifest};
	AUTO_BUF struct buf tar = ARCHIVE_INIT;
	AUTO_CONTENTS struct test_contents test;
	struct archive_layout *layout;
	struct blobs blobs = {{NULL}, 0};
	char config[DIGEST_TEXT_SIZE], text[2000];

	(void)state;
	image_make(&amd64, "amd64", FORM_GZIP);
	image_make(&arm64, "arm64", FORM_GZIP);
	add_entry(&entries, MEDIA_OCI_MANIFEST, &amd64.manifest,
	    PLATFORM("amd64"));
	add_entry(&entries, MEDIA_OCI_MANIFEST, &arm64.manifest,
	    PLATFORM("arm64"));
	make_index(&index, &entries);
	add_blobs(&blobs, &amd64);
	add_blobs(&blobs, &arm64);
	layout = lay_out(manifests, 3, 2);
	check_offsets(layout);
	assemble(layout, &blobs, &tar);
	archive_layout_free(layout);
	check_tar(&tar);
	tar.len -= END_SIZE;
	assert_int_equal(contents_read(&test, &tar, "1.0"), 0);
	assert_int_equal(test.contents->manifest_count, 3);
	assert_int_equal(test.contents->blob_count, 2 * (LAYERS + 1));
	read_text(&test, "manifest.json", text, sizeof(text));
	assert_non_null(strstr(text, digest_hex(&arm64.config_digest, config)));
}

/* The manifest of an artifact whose parts are in text form. */
static void print_artifact(struct buf *out, const struct descriptor *layers,
    size_t count, const struct buf *config)
{
	struct descriptor descriptor = {.media_type = MEDIA_OCI_EMPTY,
	    .digest = digest_buf(config),
	    .size = config->len};
	struct err err = ERR_INIT;

	assert_int_equal(manifest_print(out, MEDIA_OCI_MANIFEST, &descriptor,
			     layers, count, &err),
	    0);
}

/* No image: no manifest.json. One blob twice, and one of sha512. */
static void test_artifact(void **state)
{
	AUTO_BUF struct buf config = ARCHIVE_INIT;
	AUTO_BUF struct buf data = ARCHIVE_INIT;
	AUTO_BUF struct buf manifest = ARCHIVE_INIT;
	const struct buf *manifests[] = {&manifest};
	AUTO_BUF struct buf tar = ARCHIVE_INIT;
	AUTO_CONTENTS struct test_contents test = {0};
	struct descriptor layers[3] = {0};
	struct archive_layout *layout;
	struct blobs blobs = {{&config, &data}, 2};
	AUTO_FREE char *name = NULL;
	char hex[DIGEST_TEXT_SIZE];
	struct err err = ERR_INIT;

	(void)state;
	buf_addstr(&config, "{}", &err);
	buf_addstr(&data, "data", &err);
	for (int i = 0; i < 3; i++)
		layers[i] = (struct descriptor){.media_type = "text/plain",
		    .digest = digest_buf(&data),
		    .size = data.len};
	layers[2].digest.algorithm = DIGEST_SHA512;
	layers[2].size = 0;
	print_artifact(&manifest, layers, 3, &config);
	layout = lay_out(manifests, 1, SIZE_MAX);
	assemble(layout, &blobs, &tar);
	archive_layout_free(layout);
	check_tar(&tar);
	reading_all(&test.reading, &tar);
	assert_false(has_file(&test, "manifest.json"));
	assert_true(has_file(&test, "index.json"));
	name = strf("blobs/sha512/%s", digest_hex(&layers[2].digest, hex));
	assert_true(has_file(&test, name));
}

/* The same manifest, whose last layer may be had elsewhere. */
static void make_foreign(struct buf *out, const struct buf *manifest)
{
	static const char foreign[] = ",\"urls\":[\"https://example.com/\"]}]}";
	struct err err = ERR_INIT;

	assert_string_equal(manifest->data + manifest->len - 3, "}]}");
	buf_add(out, manifest->data, manifest->len - 3, &err);
	buf_addstr(out, foreign, &err);
}

/* The archive has, or has not, the foreign layer, which is the last of the
 * platform's image or of another one. */
static void check_foreign(bool absent, bool other)
{
	AUTO_IMAGE struct test_image image;
	AUTO_IMAGE struct test_image plain;
	AUTO_BUF struct buf foreign = ARCHIVE_INIT;
	const struct buf *manifests[] = {&foreign, &plain.manifest};
	AUTO_BUF struct buf tar = ARCHIVE_INIT;
	AUTO_CONTENTS struct test_contents test = {0};
	struct archive_layout *layout;
	struct blobs blobs = {{NULL}, 0};
	AUTO_FREE char *name = NULL;
	char hex[DIGEST_TEXT_SIZE];

	image_make(&image, "image", FORM_GZIP);
	image_make(&plain, "plain", FORM_GZIP);
	make_foreign(&foreign, &image.manifest);
	add_blobs(&blobs, &image);
	add_blobs(&blobs, &plain);
	layout = lay_out_without(manifests, 2, other ? 1 : 0,
	    absent ? &image.layer_digests[1] : NULL);
	assert_int_equal(archive_layout_has_docker(layout), !absent || other);
	assemble(layout, &blobs, &tar);
	archive_layout_free(layout);
	check_tar(&tar);
	reading_all(&test.reading, &tar);
	name =
	    strf("blobs/sha256/%s", digest_hex(&image.layer_digests[1], hex));
	assert_int_equal(has_file(&test, name), !absent);
	assert_int_equal(has_file(&test, "manifest.json"), !absent || other);
}

/* docker's manifest.json names nothing that is not in the archive. */
static void test_foreign(void **state)
{
	(void)state;
	check_foreign(false, false);
	check_foreign(true, false);
	check_foreign(true, true);
}

/* One that another image has as any other layer is no foreign one there. */
static void test_foreign_and_not(void **state)
{
	AUTO_IMAGE struct test_image image;
	AUTO_BUF struct buf foreign = ARCHIVE_INIT;
	const struct buf *manifests[] = {&foreign, &image.manifest};
	struct archive_layout *layout;

	(void)state;
	image_make(&image, "image", FORM_GZIP);
	make_foreign(&foreign, &image.manifest);
	layout = lay_out_without(manifests, 2, 0, &image.layer_digests[1]);
	assert_true(archive_layout_has_docker(layout));
	archive_layout_free(layout);
}

static void test_too_large(void **state)
{
	AUTO_IMAGE struct test_image image;
	struct descriptor layers[2];
	struct manifest manifest = {.kind = MANIFEST_IMAGE,
	    .media_type = MEDIA_OCI_MANIFEST,
	    .entries = layers,
	    .entry_count = 2};
	struct layout_manifest top = {"{}", 2, {0}, &manifest};
	struct layout_input input = {.manifests = &top,
	    .manifest_count = 1,
	    .image = SIZE_MAX};
	struct archive_layout *layout = NULL;
	struct err err = ERR_INIT;

	(void)state;
	image_make(&image, "image", FORM_GZIP);
	top.digest = image.manifest_digest;
	for (int i = 0; i < 2; i++)
		layers[i] = (struct descriptor){.media_type = "",
		    .digest = image.layer_digests[i],
		    .size = INT64_MAX - 1000};
	assert_int_equal(archive_layout_new(&input, &layout, &err), -EFBIG);
	assert_null(layout);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_image),
	    cmocka_unit_test(test_index),
	    cmocka_unit_test(test_artifact),
	    cmocka_unit_test(test_foreign),
	    cmocka_unit_test(test_foreign_and_not),
	    cmocka_unit_test(test_too_large),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
