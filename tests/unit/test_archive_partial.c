/* SPDX-License-Identifier: Apache-2.0 */
/*
 * OCI layouts that lack something of an index. They are refused, and it is said
 * what of which platform is missing; but where docker's manifest.json is there,
 * too, the image that it names is taken.
 */
#include "archive_images.h"
#include "base/strf.h"

enum { PLATFORMS = 3 };

static const char *const architectures[PLATFORMS] = {"amd64", "s390x", "arm64"};

/* An archive with an index in the making. */
struct partial {
	struct test_image images[PLATFORMS];
	int count;
	enum form form;
	struct buf entries; /* of the index */
	struct buf index;
	struct buf tar;
};

static void partial_begin(struct partial *partial, int count, enum form form)
{
	*partial = (struct partial){.count = count,
	    .form = form,
	    .entries = ARCHIVE_INIT,
	    .index = ARCHIVE_INIT,
	    .tar = ARCHIVE_INIT};
	for (int i = 0; i < count; i++) {
		AUTO_FREE char *platform =
		    strf(PLATFORM("%s"), architectures[i]);

		image_make(&partial->images[i], architectures[i], form);
		add_entry(&partial->entries, MEDIA_OCI_MANIFEST,
		    &partial->images[i].manifest, platform);
	}
}

static void partial_release(struct partial *partial)
{
	for (int i = 0; i < partial->count; i++)
		image_release(&partial->images[i]);
	buf_release(&partial->entries);
	buf_release(&partial->index);
	buf_release(&partial->tar);
}

#define AUTO_PARTIAL CLEANUP(partial_release)

/* The index under a name, and all of the images but the blob `without`. */
static void partial_put(struct partial *partial, const struct buf *without)
{
	AUTO_BUF struct buf named = ARCHIVE_INIT;

	make_index(&partial->index, &partial->entries);
	add_entry(&named, MEDIA_OCI_INDEX, &partial->index, NAMED("1.0"));
	put_index(&partial->tar, &named);
	put_blob(&partial->tar, &partial->index);
	for (int i = 0; i < partial->count; i++) {
		const struct test_image *image = &partial->images[i];
		const struct buf *blobs[] = {&image->config, &image->layers[0],
		    &image->layers[1], &image->manifest};

		for (size_t k = 0; k < sizeof(blobs) / sizeof(blobs[0]); k++)
			if (blobs[k] != without)
				put_blob(&partial->tar, blobs[k]);
	}
}

/* docker's manifest.json, of one of the images. */
static void partial_put_docker(struct partial *partial, int image)
{
	AUTO_BUF struct buf list = ARCHIVE_INIT;

	add_image(&list, &partial->images[image], &docker_25, "app:1.0");
	put_manifest(&partial->tar, &list);
}

static void check_lacks(struct partial *partial, const char *what,
    const struct buf *blob, const char *of)
{
	struct digest digest = digest_buf(blob);
	char text[DIGEST_TEXT_SIZE];
	AUTO_FREE char *says = strf("the archive lacks the %s %s%s", what,
	    digest_format(&digest, text), of);

	check_contents_refused(&partial->tar, "1.0", says);
}

static void check_part(int count, const char *kind,
    const struct buf *(*part)(const struct test_image *))
{
	AUTO_PARTIAL struct partial partial;
	AUTO_FREE char *of = strf(" of linux/%s", architectures[count - 1]);
	const struct buf *missing;

	partial_begin(&partial, count, FORM_GZIP);
	missing = part(&partial.images[count - 1]);
	partial_put(&partial, missing);
	check_lacks(&partial, kind, missing, of);
}

static const struct buf *manifest_of(const struct test_image *image)
{
	return &image->manifest;
}

static const struct buf *config_of(const struct test_image *image)
{
	return &image->config;
}

static const struct buf *layer_of(const struct test_image *image)
{
	return &image->layers[1];
}

/* Each kind of file, of the last of two and of three platforms. */
static void test_a_platform_is_missing(void **state)
{
	(void)state;
	for (int count = 2; count <= PLATFORMS; count++) {
		check_part(count, "manifest", manifest_of);
		check_part(count, "config", config_of);
		check_part(count, "layer", layer_of);
	}
}

/* index.json itself is the index, as buildkit writes it. */
static void test_index_json_is_the_index(void **state)
{
	AUTO_PARTIAL struct partial partial;

	(void)state;
	partial_begin(&partial, 2, FORM_GZIP);
	put_index(&partial.tar, &partial.entries);
	put_blobs(&partial.tar, &partial.images[0]);
	check_lacks(&partial, "manifest", &partial.images[1].manifest,
	    " of linux/s390x");
}

static void test_in_a_nested_index(void **state)
{
	AUTO_PARTIAL struct partial partial;
	AUTO_BUF struct buf outer = ARCHIVE_INIT;
	AUTO_BUF struct buf entries = ARCHIVE_INIT;
	AUTO_BUF struct buf named = ARCHIVE_INIT;

	(void)state;
	partial_begin(&partial, 2, FORM_GZIP);
	make_index(&partial.index, &partial.entries);
	add_entry(&entries, MEDIA_OCI_INDEX, &partial.index, "");
	make_index(&outer, &entries);
	add_entry(&named, MEDIA_OCI_INDEX, &outer, "");
	put_index(&partial.tar, &named);
	put_blob(&partial.tar, &outer);
	put_blob(&partial.tar, &partial.index);
	put_blobs(&partial.tar, &partial.images[1]);
	check_lacks(&partial, "manifest", &partial.images[0].manifest,
	    " of linux/amd64");
}

static void test_a_nested_index_is_missing(void **state)
{
	AUTO_PARTIAL struct partial partial;
	AUTO_BUF struct buf outer = ARCHIVE_INIT;
	AUTO_BUF struct buf named = ARCHIVE_INIT;

	(void)state;
	partial_begin(&partial, 1, FORM_GZIP);
	make_index(&partial.index, &partial.entries);
	add_entry(&partial.entries, MEDIA_OCI_INDEX, &partial.index, "");
	make_index(&outer, &partial.entries);
	add_entry(&named, MEDIA_OCI_INDEX, &outer, "");
	put_index(&partial.tar, &named);
	put_blob(&partial.tar, &outer);
	put_blobs(&partial.tar, &partial.images[0]);
	check_lacks(&partial, "manifest", &partial.index, "");
}

#define ATTESTS \
	",\"platform\":{\"os\":\"unknown\",\"architecture\":\"unknown\"}"

static void test_an_attestation_is_missing(void **state)
{
	AUTO_PARTIAL struct partial partial;
	AUTO_IMAGE struct test_image attestation;

	(void)state;
	image_make(&attestation, "attestation", FORM_PLAIN);
	partial_begin(&partial, 2, FORM_GZIP);
	add_entry(&partial.entries, MEDIA_OCI_MANIFEST, &attestation.manifest,
	    ATTESTS);
	partial_put(&partial, NULL);
	check_lacks(&partial, "manifest", &attestation.manifest,
	    " of an attestation");
}

static void check_image(const struct test_contents *test,
    const struct test_image *image, const char *left_out)
{
	const struct archive_contents *contents = test->contents;

	assert_int_equal(contents->kind, ARCHIVE_OCI);
	assert_int_equal(contents->manifest_count, 1);
	assert_true(digest_equal(&contents->manifests[0].digest,
	    &image->manifest_digest));
	assert_int_equal(contents->blob_count, LAYERS + 1);
	assert_string_equal(contents->left_out, left_out);
}

/* docker says which image is meant, also where others are there. */
static void test_docker_means_an_image(void **state)
{
	AUTO_PARTIAL struct partial partial;
	AUTO_CONTENTS struct test_contents test;

	(void)state;
	partial_begin(&partial, PLATFORMS, FORM_GZIP);
	partial_put(&partial, &partial.images[1].layers[0]);
	partial_put_docker(&partial, 2);
	assert_int_equal(contents_read(&test, &partial.tar, "1.0"), 0);
	check_image(&test, &partial.images[2], "linux/s390x");
}

/* All that is left out is named. */
static void test_docker_has_one_image(void **state)
{
	AUTO_PARTIAL struct partial partial;
	AUTO_IMAGE struct test_image attestation;
	AUTO_CONTENTS struct test_contents test;
	AUTO_BUF struct buf named = ARCHIVE_INIT;

	(void)state;
	image_make(&attestation, "attestation", FORM_PLAIN);
	partial_begin(&partial, PLATFORMS, FORM_GZIP);
	for (int i = 0; i < 2; i++)
		add_entry(&partial.entries, MEDIA_OCI_MANIFEST,
		    &attestation.manifest, ATTESTS);
	make_index(&partial.index, &partial.entries);
	add_entry(&named, MEDIA_OCI_INDEX, &partial.index, NAMED("1.0"));
	put_index(&partial.tar, &named);
	put_blob(&partial.tar, &partial.index);
	put_blobs(&partial.tar, &partial.images[0]);
	partial_put_docker(&partial, 0);
	assert_int_equal(contents_read(&test, &partial.tar, "1.0"), 0);
	check_image(&test, &partial.images[0],
	    "linux/s390x, linux/arm64, an attestation");
}

/* Of many, not all are named. */
static void test_many_are_left_out(void **state)
{
	AUTO_PARTIAL struct partial partial;
	AUTO_IMAGE struct test_image missing;
	AUTO_CONTENTS struct test_contents test;

	(void)state;
	image_make(&missing, "missing", FORM_PLAIN);
	partial_begin(&partial, 1, FORM_GZIP);
	for (int i = 0; i < 100; i++) {
		AUTO_FREE char *platform = strf(PLATFORM("number%d"), i);

		add_entry(&partial.entries, MEDIA_OCI_MANIFEST,
		    &missing.manifest, platform);
	}
	partial_put(&partial, NULL);
	partial_put_docker(&partial, 0);
	assert_int_equal(contents_read(&test, &partial.tar, "1.0"), 0);
	assert_int_equal(strncmp(test.contents->left_out,
			     "linux/number0, linux/number1, ", 30),
	    0);
	assert_non_null(strstr(test.contents->left_out, ", …"));
	assert_true(strlen(test.contents->left_out) < 310);
}

static void test_dockers_image_is_missing(void **state)
{
	AUTO_PARTIAL struct partial layer;
	AUTO_PARTIAL struct partial manifest;
	AUTO_PARTIAL struct partial config;

	(void)state;
	partial_begin(&layer, 2, FORM_GZIP);
	partial_put(&layer, &layer.images[0].layers[1]);
	partial_put_docker(&layer, 0);
	check_lacks(&layer, "layer", &layer.images[0].layers[1], "");
	partial_begin(&manifest, 2, FORM_GZIP);
	partial_put(&manifest, &manifest.images[0].manifest);
	partial_put_docker(&manifest, 0);
	check_lacks(&manifest, "manifest", &manifest.images[0].manifest,
	    " of linux/amd64");
	partial_begin(&config, 2, FORM_GZIP);
	partial_put(&config, &config.images[0].config);
	partial_put_docker(&config, 0);
	check_lacks(&config, "config", &config.images[0].config,
	    " of linux/amd64");
}

static void check_whole(const struct partial *partial,
    const struct test_contents *test)
{
	struct digest index = digest_buf(&partial->index);
	const struct archive_contents *contents = test->contents;

	assert_int_equal(contents->kind, ARCHIVE_OCI);
	assert_int_equal(contents->manifest_count, partial->count + 1);
	assert_true(
	    digest_equal(&contents->manifests[partial->count].digest, &index));
	assert_int_equal(contents->blob_count, partial->count * (LAYERS + 1));
	assert_null(contents->left_out);
}

/* A whole index stays one, whatever docker's manifest.json names of it and
 * however its layers are stored. */
static void test_docker_beside_a_whole_index(void **state)
{
	static const enum form forms[] = {FORM_GZIP, FORM_PLAIN};

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		AUTO_PARTIAL struct partial partial;
		AUTO_CONTENTS struct test_contents test;

		partial_begin(&partial, 2, forms[i]);
		partial_put(&partial, NULL);
		partial_put_docker(&partial, 1);
		assert_int_equal(contents_read(&test, &partial.tar, "1.0"), 0);
		check_whole(&partial, &test);
	}
}

static void test_docker_means_an_image_of_plain_layers(void **state)
{
	AUTO_PARTIAL struct partial partial;
	AUTO_CONTENTS struct test_contents test;

	(void)state;
	partial_begin(&partial, 2, FORM_PLAIN);
	partial_put(&partial, &partial.images[1].config);
	partial_put_docker(&partial, 0);
	assert_int_equal(contents_read(&test, &partial.tar, "1.0"), 0);
	check_docker(&test, &partial.images[0]);
	assert_string_equal(test.contents->left_out, "linux/s390x");
}

/* A foreign layer may be missing, of any platform. */
static void test_a_foreign_layer(void **state)
{
	AUTO_PARTIAL struct partial partial;
	AUTO_BUF struct buf manifest = ARCHIVE_INIT;
	AUTO_CONTENTS struct test_contents test;
	struct err err = ERR_INIT;
	struct test_image *last;

	(void)state;
	partial_begin(&partial, 1, FORM_GZIP);
	last = &partial.images[0];
	buf_add(&manifest, last->manifest.data, last->manifest.len - 3, &err);
	buf_addstr(&manifest, ",\"urls\":[\"https://example.com/\"]}]}", &err);
	add_entry(&partial.entries, MEDIA_OCI_MANIFEST, &manifest,
	    PLATFORM("foreign"));
	partial_put(&partial, &last->layers[1]);
	put_blob(&partial.tar, &manifest);
	/* The first image names the same layer, without urls. */
	check_lacks(&partial, "layer", &last->layers[1], " of linux/amd64");
	buf_reset(&partial.entries);
	buf_reset(&partial.index);
	buf_reset(&partial.tar);
	add_entry(&partial.entries, MEDIA_OCI_MANIFEST, &manifest,
	    PLATFORM("foreign"));
	partial_put(&partial, &last->layers[1]);
	put_blob(&partial.tar, &manifest);
	assert_int_equal(contents_read(&test, &partial.tar, "1.0"), 0);
	assert_int_equal(test.contents->manifest_count, 2);
	assert_int_equal(test.contents->blob_count, LAYERS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_a_platform_is_missing),
	    cmocka_unit_test(test_index_json_is_the_index),
	    cmocka_unit_test(test_in_a_nested_index),
	    cmocka_unit_test(test_a_nested_index_is_missing),
	    cmocka_unit_test(test_an_attestation_is_missing),
	    cmocka_unit_test(test_docker_means_an_image),
	    cmocka_unit_test(test_docker_has_one_image),
	    cmocka_unit_test(test_many_are_left_out),
	    cmocka_unit_test(test_dockers_image_is_missing),
	    cmocka_unit_test(test_docker_beside_a_whole_index),
	    cmocka_unit_test(test_docker_means_an_image_of_plain_layers),
	    cmocka_unit_test(test_a_foreign_layer),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
