/* SPDX-License-Identifier: Apache-2.0 */
/* What docker-archives and root file systems hold. */
#include "archive_images.h"

static void check_naming(const struct naming *naming, enum form form)
{
	AUTO_BUF struct buf tar = ARCHIVE_INIT;
	AUTO_BUF struct buf list = ARCHIVE_INIT;
	AUTO_IMAGE struct test_image image;
	AUTO_CONTENTS struct test_contents test;

	image_make(&image, "image", form);
	put_parts(&tar, &image, naming);
	add_image(&list, &image, naming, "app:1.0");
	put_manifest(&tar, &list);
	/* There is one image: the tag makes no difference. */
	assert_int_equal(contents_read(&test, &tar, "2.0"), 0);
	check_docker(&test, &image);
}

static void test_namings(void **state)
{
	(void)state;
	check_naming(&docker_save, FORM_PLAIN);
	check_naming(&skopeo, FORM_PLAIN);
	check_naming(&ggcr, FORM_GZIP);
	check_naming(&docker_25, FORM_PLAIN);
	check_naming(&docker_25, FORM_GZIP);
}

/* Before version 25, docker writes a layer that it has written as a link. */
static void test_linked_layer(void **state)
{
	AUTO_BUF struct buf tar = ARCHIVE_INIT;
	AUTO_IMAGE struct test_image image;
	AUTO_CONTENTS struct test_contents test;

	(void)state;
	image_make(&image, "image", FORM_PLAIN);
	put_file(&tar, "a/layer.tar", image.layers[0].data,
	    image.layers[0].len);
	put_link(&tar, TAR_SYMLINK, "b/layer.tar", "../a/layer.tar");
	put_file(&tar, "c.json", image.config.data, image.config.len);
	put_text(&tar, "manifest.json",
	    "[{\"Config\":\"c.json\",\"RepoTags\":null,"
	    "\"Layers\":[\"a/layer.tar\",\"b/layer.tar\"]}]");
	assert_int_equal(contents_read(&test, &tar, "1.0"), 0);
	assert_int_equal(test.contents->layers[0].entry.offset,
	    test.contents->layers[1].entry.offset);
	check_entry(&test, &test.contents->layers[1].entry, &image.layers[0]);
}

static void make_two(struct buf *tar, struct test_image images[2],
    const char *first, const char *second)
{
	AUTO_BUF struct buf list = ARCHIVE_INIT;

	image_make(&images[0], "first", FORM_PLAIN);
	image_make(&images[1], "second", FORM_PLAIN);
	put_parts(tar, &images[0], &skopeo);
	put_parts(tar, &images[1], &skopeo);
	add_image(&list, &images[0], &skopeo, first);
	add_image(&list, &images[1], &skopeo, second);
	put_manifest(tar, &list);
}

static void check_chosen(const char *tag, int expected)
{
	AUTO_BUF struct buf tar = ARCHIVE_INIT;
	struct test_image images[2];
	AUTO_CONTENTS struct test_contents test;

	make_two(&tar, images, "app:1.0", "localhost:5000/other/app:2.0");
	assert_int_equal(contents_read(&test, &tar, tag), 0);
	check_docker(&test, &images[expected]);
	image_release(&images[0]);
	image_release(&images[1]);
}

static void test_chosen_by_tag(void **state)
{
	(void)state;
	check_chosen("1.0", 0);
	check_chosen("2.0", 1);
}

static void test_no_such_tag(void **state)
{
	AUTO_BUF struct buf none = ARCHIVE_INIT;
	AUTO_BUF struct buf both = ARCHIVE_INIT;
	struct test_image images[4];

	(void)state;
	make_two(&none, images, "app:1.0", "app:2.0");
	check_contents_refused(&none, "3.0",
	    "several images, none of them with the tag 3.0: app:1.0, app:2.0");
	make_two(&both, images + 2, "a:1.0", "b:1.0");
	check_contents_refused(&both, "1.0",
	    "several images, more than one of them with the tag 1.0: a:1.0, "
	    "b:1.0");
	for (int i = 0; i < 4; i++)
		image_release(&images[i]);
}

/* One image under two names is one. */
static void test_one_image_twice(void **state)
{
	AUTO_BUF struct buf tar = ARCHIVE_INIT;
	AUTO_BUF struct buf list = ARCHIVE_INIT;
	AUTO_IMAGE struct test_image image;
	AUTO_CONTENTS struct test_contents test;

	(void)state;
	image_make(&image, "image", FORM_PLAIN);
	put_parts(&tar, &image, &skopeo);
	add_image(&list, &image, &skopeo, "app:1.0");
	add_image(&list, &image, &skopeo, "app:2.0");
	put_manifest(&tar, &list);
	assert_int_equal(contents_read(&test, &tar, "3.0"), 0);
	check_docker(&test, &image);
}

/* docker save one:1.0 two:1.0, pushed as app:1.0. */
static void check_by_repository(const char *first, const char *second,
    int expected)
{
	AUTO_BUF struct buf tar = ARCHIVE_INIT;
	struct test_image images[2];
	AUTO_CONTENTS struct test_contents test;

	make_two(&tar, images, first, second);
	assert_int_equal(contents_read(&test, &tar, "1.0"), 0);
	check_docker(&test, &images[expected]);
	image_release(&images[0]);
	image_release(&images[1]);
}

static void test_chosen_by_repository(void **state)
{
	(void)state;
	check_by_repository("app:1.0", "other:1.0", 0);
	check_by_repository("other:1.0", "localhost:5000/app:1.0", 1);
	check_by_repository("docker.io/library/app:1.0", "x/app:1.0", 0);
	check_by_repository("reg.test/team/app:1.0", "reg.test/app2:1.0", 0);
	check_by_repository("app:2.0", "x/app:1.0", 1);
}

static void check_docker_refused(const char *manifest, const char *config,
    const char *says)
{
	AUTO_BUF struct buf tar = ARCHIVE_INIT;

	/* It is an archive, whatever its manifest.json is. */
	put_text(&tar, "blobs/sha256/x", "");
	put_text(&tar, "layer.tar", "");
	if (config)
		put_text(&tar, "config", config);
	put_text(&tar, "manifest.json", manifest);
	check_contents_refused(&tar, "1.0", says);
}

static void test_broken(void **state)
{
	static const char one_layer[] =
	    "[{\"Config\":\"config\",\"Layers\":[\"layer.tar\"]}]";

	(void)state;
	check_docker_refused("{", NULL, "manifest.json");
	check_docker_refused("[]", NULL, "names no image");
	check_docker_refused(one_layer, NULL, "the archive lacks config");
	check_docker_refused(one_layer, "{", "config: ");
	check_docker_refused(one_layer,
	    "{\"rootfs\":{\"type\":\"layers\",\"diff_ids\":[]}}",
	    "lists 0 layers, but the archive has 1");
	check_docker_refused("[{\"Config\":\"config\",\"Layers\":[\"missing."
			     "tar\"]}]",
	    "{}", "the archive lacks missing.tar");
}

static void test_too_large(void **state)
{
	AUTO_BUF struct buf tar = BUF_INIT(32 << 20);
	struct err err = ERR_INIT;

	(void)state;
	assert_int_equal(tar_header_print(&tar, "config", 9 << 20, 0, &err), 0);
	put_zeros(&tar, 9 << 20);
	put_text(&tar, "manifest.json", "[{\"Config\":\"config\"}]");
	check_contents_refused(&tar, "1.0", "config has 9437184 bytes");
}

/* An index.json and oci-layout beside it are not looked at where the layers
 * are plain. */
static void test_both_plain(void **state)
{
	AUTO_BUF struct buf tar = ARCHIVE_INIT;
	AUTO_BUF struct buf list = ARCHIVE_INIT;
	AUTO_IMAGE struct test_image image;
	AUTO_CONTENTS struct test_contents test;

	(void)state;
	image_make(&image, "image", FORM_PLAIN);
	put_parts(&tar, &image, &docker_25);
	add_image(&list, &image, &docker_25, "app:1.0");
	put_manifest(&tar, &list);
	put_text(&tar, "index.json", "{\"manifests\":[]}");
	put_text(&tar, "oci-layout", "{}");
	assert_int_equal(contents_read(&test, &tar, "1.0"), 0);
	check_docker(&test, &image);
}

static void test_both_compressed(void **state)
{
	AUTO_BUF struct buf tar = ARCHIVE_INIT;
	AUTO_BUF struct buf list = ARCHIVE_INIT;
	AUTO_BUF struct buf entries = ARCHIVE_INIT;
	AUTO_IMAGE struct test_image image;
	AUTO_CONTENTS struct test_contents test;

	(void)state;
	image_make(&image, "image", FORM_GZIP);
	put_blobs(&tar, &image);
	add_image(&list, &image, &docker_25, "app:1.0");
	put_manifest(&tar, &list);
	add_entry(&entries, MEDIA_OCI_MANIFEST, &image.manifest, NAMED("1.0"));
	put_index(&tar, &entries);
	assert_int_equal(contents_read(&test, &tar, "1.0"), 0);
	assert_int_equal(test.contents->kind, ARCHIVE_OCI);
	assert_int_equal(test.contents->manifest_count, 1);
}

static void test_rootfs(void **state)
{
	AUTO_BUF struct buf tar = ARCHIVE_INIT;
	AUTO_CONTENTS struct test_contents test;

	(void)state;
	put_text(&tar, "etc/passwd", "root");
	put_text(&tar, "srv/manifest.json", "no image's");
	put_text(&tar, "manifest.json", "{\"name\":\"an application\"}");
	put_text(&tar, "index.json", "a web server's, perhaps");
	put_text(&tar, "oci-layout", "{}");
	put_text(&tar, "repositories", "of packages");
	assert_int_equal(contents_read(&test, &tar, "1.0"), 0);
	assert_int_equal(test.contents->kind, ARCHIVE_ROOTFS);
	assert_int_equal(test.contents->rootfs_size, tar.len);
}

static void test_old_docker(void **state)
{
	AUTO_BUF struct buf tar = ARCHIVE_INIT;

	(void)state;
	put_text(&tar, "blobs/sha256/x", "");
	put_text(&tar, "repositories", "{\"app\":{\"1.0\":\"abc\"}}");
	check_contents_refused(&tar, "1.0", "Docker before 1.10");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_namings),
	    cmocka_unit_test(test_linked_layer),
	    cmocka_unit_test(test_chosen_by_tag),
	    cmocka_unit_test(test_chosen_by_repository),
	    cmocka_unit_test(test_no_such_tag),
	    cmocka_unit_test(test_one_image_twice),
	    cmocka_unit_test(test_broken),
	    cmocka_unit_test(test_too_large),
	    cmocka_unit_test(test_both_plain),
	    cmocka_unit_test(test_both_compressed),
	    cmocka_unit_test(test_rootfs),
	    cmocka_unit_test(test_old_docker),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
