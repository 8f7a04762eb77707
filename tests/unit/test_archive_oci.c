/* SPDX-License-Identifier: Apache-2.0 */
/* What OCI layouts hold: one image, several, and several platforms of one. */
#include "archive_images.h"
#include "base/strf.h"

static void check_manifest(const struct archive_manifest *manifest,
    const struct buf *expected, const char *media_type)
{
	struct digest digest = digest_buf(expected);

	assert_int_equal(manifest->len, expected->len);
	assert_memory_equal(manifest->data, expected->data, expected->len);
	assert_true(digest_equal(&manifest->digest, &digest));
	assert_string_equal(manifest->media_type, media_type);
	assert_non_null(manifest->manifest);
}

/* All of the contents are this image's, byte for byte. */
static void check_oci(const struct test_contents *test,
    const struct test_image *image)
{
	const struct archive_contents *contents = test->contents;

	assert_int_equal(contents->kind, ARCHIVE_OCI);
	assert_int_equal(contents->manifest_count, 1);
	check_manifest(&contents->manifests[0], &image->manifest,
	    MEDIA_OCI_MANIFEST);
	assert_int_equal(contents->blob_count, LAYERS + 1);
	check_entry(test, &contents->blobs[0].entry, &image->config);
	for (int i = 0; i < LAYERS; i++) {
		const struct archive_blob *blob = &contents->blobs[i + 1];

		check_entry(test, &blob->entry, &image->layers[i]);
		assert_true(digest_equal(&blob->descriptor->digest,
		    &image->layer_digests[i]));
	}
}

static void test_one(void **state)
{
	AUTO_BUF struct buf tar = ARCHIVE_INIT;
	AUTO_BUF struct buf entries = ARCHIVE_INIT;
	AUTO_IMAGE struct test_image image;
	AUTO_CONTENTS struct test_contents test;

	(void)state;
	image_make(&image, "image", FORM_GZIP);
	put_blobs(&tar, &image);
	add_entry(&entries, MEDIA_OCI_MANIFEST, &image.manifest, NAMED("1.0"));
	put_index(&tar, &entries);
	assert_int_equal(contents_read(&test, &tar, "2.0"), 0);
	check_oci(&test, &image);
}

/* Its layers are to be compressed, so its manifest is made anew. */
static void test_plain_layers(void **state)
{
	AUTO_BUF struct buf tar = ARCHIVE_INIT;
	AUTO_BUF struct buf entries = ARCHIVE_INIT;
	AUTO_IMAGE struct test_image image;
	AUTO_CONTENTS struct test_contents test;

	(void)state;
	image_make(&image, "image", FORM_PLAIN);
	put_blobs(&tar, &image);
	add_entry(&entries, MEDIA_OCI_MANIFEST, &image.manifest, "");
	put_index(&tar, &entries);
	assert_int_equal(contents_read(&test, &tar, "1.0"), 0);
	check_docker(&test, &image);
}

static void make_images(struct test_image images[2], enum form form)
{
	image_make(&images[0], "first", form);
	image_make(&images[1], "second", form);
}

static void release_images(struct test_image images[2])
{
	image_release(&images[0]);
	image_release(&images[1]);
}

#define AUTO_IMAGES CLEANUP(release_images_p)

static void release_images_p(struct test_image (*images)[2])
{
	release_images(*images);
}

static void test_chosen_by_tag(void **state)
{
	AUTO_BUF struct buf tar = ARCHIVE_INIT;
	AUTO_BUF struct buf entries = ARCHIVE_INIT;
	AUTO_IMAGES struct test_image images[2];
	AUTO_CONTENTS struct test_contents test;

	(void)state;
	make_images(images, FORM_GZIP);
	put_blobs(&tar, &images[0]);
	put_blobs(&tar, &images[1]);
	add_entry(&entries, MEDIA_OCI_MANIFEST, &images[0].manifest,
	    NAMED("1.0"));
	add_entry(&entries, MEDIA_OCI_MANIFEST, &images[1].manifest,
	    ",\"annotations\":{\"io.containerd.image.name\":\"r.io/a:2.0\"}");
	put_index(&tar, &entries);
	assert_int_equal(contents_read(&test, &tar, "2.0"), 0);
	check_oci(&test, &images[1]);
}

static void test_no_such_tag(void **state)
{
	AUTO_BUF struct buf tar = ARCHIVE_INIT;
	AUTO_BUF struct buf entries = ARCHIVE_INIT;
	AUTO_IMAGES struct test_image images[2];

	(void)state;
	make_images(images, FORM_GZIP);
	add_entry(&entries, MEDIA_OCI_MANIFEST, &images[0].manifest,
	    NAMED("1.0"));
	add_entry(&entries, MEDIA_OCI_MANIFEST, &images[1].manifest, "");
	put_index(&tar, &entries);
	check_contents_refused(&tar, "3.0",
	    "none of them with the tag 3.0: 1.0, one without a name");
}

/* The manifests of two platforms, and the index that names them. */
static void make_platforms(struct test_image images[2], struct buf *entries)
{
	make_images(images, FORM_GZIP);
	add_entry(entries, MEDIA_OCI_MANIFEST, &images[0].manifest,
	    PLATFORM("amd64"));
	add_entry(entries, MEDIA_OCI_MANIFEST, &images[1].manifest,
	    PLATFORM("arm64"));
}

static void check_platforms(const struct test_contents *test,
    const struct test_image images[2], const struct buf *index)
{
	const struct archive_contents *contents = test->contents;

	assert_int_equal(contents->kind, ARCHIVE_OCI);
	assert_int_equal(contents->manifest_count, 3);
	check_manifest(&contents->manifests[0], &images[0].manifest,
	    MEDIA_OCI_MANIFEST);
	check_manifest(&contents->manifests[1], &images[1].manifest,
	    MEDIA_OCI_MANIFEST);
	check_manifest(&contents->manifests[2], index, MEDIA_OCI_INDEX);
	assert_int_equal(contents->blob_count, 2 * (LAYERS + 1));
}

static void test_nested_index(void **state)
{
	AUTO_BUF struct buf tar = ARCHIVE_INIT;
	AUTO_BUF struct buf platforms = ARCHIVE_INIT;
	AUTO_BUF struct buf index = ARCHIVE_INIT;
	AUTO_BUF struct buf entries = ARCHIVE_INIT;
	AUTO_IMAGES struct test_image images[2];
	AUTO_CONTENTS struct test_contents test;

	(void)state;
	make_platforms(images, &platforms);
	make_index(&index, &platforms);
	add_entry(&entries, MEDIA_OCI_INDEX, &index, NAMED("1.0"));
	put_index(&tar, &entries);
	put_blob(&tar, &index);
	put_blobs(&tar, &images[1]);
	put_blobs(&tar, &images[0]);
	assert_int_equal(contents_read(&test, &tar, "1.0"), 0);
	check_platforms(&test, images, &index);
}

/* index.json itself is the image's index. */
static void test_platforms_in_index(void **state)
{
	AUTO_BUF struct buf tar = ARCHIVE_INIT;
	AUTO_BUF struct buf index = ARCHIVE_INIT;
	AUTO_BUF struct buf entries = ARCHIVE_INIT;
	AUTO_IMAGES struct test_image images[2];
	AUTO_CONTENTS struct test_contents test;

	(void)state;
	make_platforms(images, &entries);
	make_index(&index, &entries);
	put_blobs(&tar, &images[0]);
	put_blobs(&tar, &images[1]);
	put_index(&tar, &entries);
	assert_int_equal(contents_read(&test, &tar, "1.0"), 0);
	check_platforms(&test, images, &index);
}

/* An attestation goes with its index, and is none of the images to choose. */
static void test_attestation(void **state)
{
	static const char attests[] =
	    ",\"platform\":{\"os\":\"unknown\",\"architecture\":\"unknown\"}";
	AUTO_BUF struct buf tar = ARCHIVE_INIT;
	AUTO_BUF struct buf entries = ARCHIVE_INIT;
	AUTO_IMAGES struct test_image images[2];
	AUTO_CONTENTS struct test_contents test;

	(void)state;
	make_images(images, FORM_GZIP);
	put_blobs(&tar, &images[0]);
	put_blobs(&tar, &images[1]);
	add_entry(&entries, MEDIA_OCI_MANIFEST, &images[0].manifest, attests);
	add_entry(&entries, MEDIA_OCI_MANIFEST, &images[1].manifest, "");
	put_index(&tar, &entries);
	assert_int_equal(contents_read(&test, &tar, "1.0"), 0);
	check_oci(&test, &images[1]);
}

/* Leaves one file out, or changes it. */
static void make_without(struct buf *tar, struct test_image *image,
    const struct buf *without)
{
	AUTO_BUF struct buf entries = ARCHIVE_INIT;

	image_make(image, "image", FORM_GZIP);
	if (without != &image->config)
		put_blob(tar, &image->config);
	for (int i = 0; i < LAYERS; i++)
		if (without != &image->layers[i])
			put_blob(tar, &image->layers[i]);
	if (without != &image->manifest)
		put_blob(tar, &image->manifest);
	add_entry(&entries, MEDIA_OCI_MANIFEST, &image->manifest, "");
	put_index(tar, &entries);
}

static void test_missing(void **state)
{
	struct test_image image;
	const struct buf *parts[] = {&image.config, &image.layers[0],
	    &image.layers[1], &image.manifest};

	(void)state;
	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
		AUTO_BUF struct buf tar = ARCHIVE_INIT;

		make_without(&tar, &image, parts[i]);
		check_contents_refused(&tar, "1.0", "the archive lacks");
		image_release(&image);
	}
}

static void put_under(struct buf *tar, const struct digest *digest,
    const char *data, size_t len)
{
	char hex[DIGEST_TEXT_SIZE];
	AUTO_FREE char *name = strf("blobs/sha256/%s", digest_hex(digest, hex));

	put_file(tar, name, data, len);
}

static void test_wrong_bytes(void **state)
{
	AUTO_BUF struct buf digest = ARCHIVE_INIT;
	AUTO_BUF struct buf size = ARCHIVE_INIT;
	AUTO_BUF struct buf layer = ARCHIVE_INIT;
	struct test_image image;

	(void)state;
	make_without(&digest, &image, &image.manifest);
	image.manifest.data[image.manifest.len - 1] = ' ';
	put_under(&digest, &image.manifest_digest, image.manifest.data,
	    image.manifest.len);
	check_contents_refused(&digest, "1.0", "has the digest sha256:");
	image_release(&image);
	make_without(&size, &image, &image.manifest);
	put_under(&size, &image.manifest_digest, "{}", 2);
	check_contents_refused(&size, "1.0", "has 2 bytes, but should have");
	image_release(&image);
	make_without(&layer, &image, &image.layers[1]);
	put_under(&layer, &image.layer_digests[1], "{}", 2);
	check_contents_refused(&layer, "1.0", "has 2 bytes, but should have");
	image_release(&image);
}

/* An empty file under the digest of something else, as a manifest has it. */
static void test_size_zero(void **state)
{
	AUTO_BUF struct buf tar = ARCHIVE_INIT;
	AUTO_BUF struct buf entries = ARCHIVE_INIT;
	AUTO_IMAGE struct test_image image;

	(void)state;
	image_make(&image, "image", FORM_GZIP);
	buf_release(&image.manifest);
	image.layers[1].len = 0;
	image_make_manifest(&image, FORM_GZIP);
	put_blob(&tar, &image.config);
	put_blob(&tar, &image.layers[0]);
	put_under(&tar, &image.layer_digests[1], "", 0);
	put_blob(&tar, &image.manifest);
	add_entry(&entries, MEDIA_OCI_MANIFEST, &image.manifest, "");
	put_index(&tar, &entries);
	check_contents_refused(&tar, "1.0", "cannot have the size 0");
}

static void test_wrong_config(void **state)
{
	AUTO_BUF struct buf tar = ARCHIVE_INIT;
	AUTO_BUF struct buf entries = ARCHIVE_INIT;
	AUTO_IMAGE struct test_image image;

	(void)state;
	image_make(&image, "image", FORM_PLAIN);
	put_blobs(&tar, &image);
	/* The last of a name counts. */
	memcpy(strstr(image.config.data, "amd64"), "arm64", 5);
	put_under(&tar, &image.config_digest, image.config.data,
	    image.config.len);
	add_entry(&entries, MEDIA_OCI_MANIFEST, &image.manifest, "");
	put_index(&tar, &entries);
	check_contents_refused(&tar, "1.0", "the config is not the sha256:");
}

/* Indexes within each other, each one's file named by the next. */
static void test_deep(void **state)
{
	AUTO_BUF struct buf tar = ARCHIVE_INIT;
	AUTO_BUF struct buf entries = ARCHIVE_INIT;
	AUTO_IMAGES struct test_image images[2];

	(void)state;
	make_platforms(images, &entries);
	for (int i = 0; i < 12; i++) {
		AUTO_BUF struct buf index = ARCHIVE_INIT;

		make_index(&index, &entries);
		put_blob(&tar, &index);
		buf_reset(&entries);
		add_entry(&entries, MEDIA_OCI_INDEX, &index, "");
	}
	put_index(&tar, &entries);
	check_contents_refused(&tar, "1.0", "indexes are nested more than");
}

static void test_empty_index(void **state)
{
	AUTO_BUF struct buf tar = ARCHIVE_INIT;
	AUTO_BUF struct buf none = ARCHIVE_INIT;

	(void)state;
	put_index(&tar, &none);
	check_contents_refused(&tar, "1.0", "index.json names no image");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_one),
	    cmocka_unit_test(test_plain_layers),
	    cmocka_unit_test(test_chosen_by_tag),
	    cmocka_unit_test(test_no_such_tag),
	    cmocka_unit_test(test_nested_index),
	    cmocka_unit_test(test_platforms_in_index),
	    cmocka_unit_test(test_attestation),
	    cmocka_unit_test(test_missing),
	    cmocka_unit_test(test_wrong_bytes),
	    cmocka_unit_test(test_size_zero),
	    cmocka_unit_test(test_wrong_config),
	    cmocka_unit_test(test_deep),
	    cmocka_unit_test(test_empty_index),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
