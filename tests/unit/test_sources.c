/* SPDX-License-Identifier: Apache-2.0 */
/* Two sources in one mount, which have repositories of one name. */
#include "mount_fixture.h"

#include <errno.h>

#include "image/retag.h"
#include "node/key.h"
#include "scratch/scratch.h"
#include "tag/made.h"
#include "upload/document.h"
#include "upload/written_file.h"

static int setup(void **state)
{
	struct mount_fixture *f = calloc(1, sizeof(*f));

	assert_non_null(f);
	mount_fixture_open(f, 2);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct mount_fixture *f = *state;

	mount_fixture_close(f);
	free(f);
	return 0;
}

static struct mount_source *source(struct mount_fixture *f, unsigned number)
{
	return &f->sources[number].source;
}

static void names_are_of_their_source(void **state)
{
	struct mount_fixture *f = *state;
	const struct mount_source only = {.name = "", .base = "team"};
	const struct mount_source based = {.name = "one", .base = "team"};
	static const struct {
		bool is_based;
		const char *repository, *unique, *path;
	} cases[] = {
	    {false, "team/app", "team/app", "app"},
	    {false, "team", "team", ""},
	    {true, "team/app", "one/team/app", "one/app"},
	    {true, "team", "one/team", "one"},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		const struct mount_source *of =
		    cases[i].is_based ? &based : &only;
		AUTO_FREE char *unique =
		    source_unique_name(of, cases[i].repository);
		AUTO_FREE char *path = source_path(of, cases[i].repository);

		assert_string_equal(unique, cases[i].unique);
		assert_string_equal(path, cases[i].path);
	}
	(void)f;
}

static void directories_are_two(void **state)
{
	struct mount_fixture *f = *state;
	CLEANUP(node_put_p) struct node *a = fixture_repository(f, 0, "app");
	CLEANUP(node_put_p) struct node *b = fixture_repository(f, 1, "app");
	CLEANUP(node_put_p)
	struct node *again = fixture_repository(f, 0, "app");

	assert_ptr_equal(a, again);
	assert_ptr_not_equal(a, b);
	assert_true(a->ino != b->ino);
	assert_ptr_equal(a->source, source(f, 0));
	assert_ptr_equal(b->source, source(f, 1));
	assert_true(
	    a->ino == key_number(NODE_REPO,
			  key_of_repository_in(a->source, "", "app", 3)));
	assert_true(
	    b->ino == key_number(NODE_REPO,
			  key_of_repository_in(b->source, "", "app", 3)));
	assert_true(image_node_number(a, "1.0") != image_node_number(b, "1.0"));
}

/* mkdir, in one of them. */
static void what_is_made_is_in_one(void **state)
{
	struct mount_fixture *f = *state;
	CLEANUP(node_put_p) struct node *a = fixture_repository(f, 0, "app");
	CLEANUP(node_put_p) struct node *made = NULL;

	must(a->view->mkdir(a, "new", 0755, &made, &f->err));
	assert_ptr_equal(made->source, source(f, 0));
	assert_true(made_has(source(f, 0)->made, "app/new"));
	assert_false(made_has(source(f, 1)->made, "app/new"));
}

/* Files that wait, and scratch directories. */
static void what_is_written_is_in_one(void **state)
{
	struct mount_fixture *f = *state;
	CLEANUP(node_put_p) struct node *a = fixture_repository(f, 0, "app");
	CLEANUP(node_put_p) struct node *b = fixture_repository(f, 1, "app");
	CLEANUP(node_put_p) struct node *file = NULL, *dir = NULL, *none = NULL;

	must(fixture_write(f, a, ".note", "a", 1));
	assert_int_equal(written_names_lookup(a, ".note", &file, &f->err), 1);
	assert_int_equal(written_names_lookup(b, ".note", &none, &f->err), 0);
	must(scratch_mkdir(a, ".new", 0755, &dir, &f->err));
	assert_true(scratch_in(source(f, 0), "app"));
	assert_false(scratch_in(source(f, 1), "app"));
	assert_int_equal(scratch_lookup(b, ".new", &none, &f->err), 0);
}

/* The same tag of both, pushed through the mount: each has its own. */
static void pushes_go_to_their_source(void **state)
{
	struct mount_fixture *f = *state;
	struct digest digests[2];

	for (unsigned i = 0; i < 2; i++) {
		CLEANUP(node_put_p)
		struct node *dir = fixture_repository(f, i, "app");
		AUTO_BUF struct buf tar = BUF_INIT(1 << 20);

		fixture_rootfs(&tar, i ? "two" : "one");
		must(fixture_write(f, dir, "1.0.tar", tar.data, tar.len));
		must(images_resolve(source(f, i)->images, "app", "1.0",
		    &digests[i], &f->err));
		assert_non_null(registry_double_manifest(f->sources[i].server,
		    "app", "1.0"));
	}
	assert_false(digest_equal(&digests[0], &digests[1]));
	assert_int_equal(f->sources[0].server->manifest_puts, 1);
	assert_int_equal(f->sources[1].server->manifest_puts, 1);
}

/* Bytes are one thing wherever they are; an archive has the name of its
 * registry in it, and is not. */
static void contents_are_one_and_archives_two(void **state)
{
	struct mount_fixture *f = *state;
	uint64_t archives[2], manifests[2];

	for (unsigned i = 0; i < 2; i++) {
		CLEANUP(node_put_p)
		struct node *dir = fixture_repository(f, i, "app");
		CLEANUP(image_put_p) struct image *image = NULL;
		AUTO_BUF struct buf tar = BUF_INIT(1 << 20);

		fixture_rootfs(&tar, "the same");
		must(fixture_write(f, dir, "1.0.tar", tar.data, tar.len));
		must(image_open_tag(source(f, i)->images, "app", "1.0", &image,
		    &f->err));
		archives[i] = archive_number(source(f, i), image, "1.0");
		manifests[i] =
		    key_number(NODE_MANIFEST, key_of_manifest(&image->digest));
	}
	assert_true(manifests[0] == manifests[1]);
	assert_true(archives[0] != archives[1]);
}

static void assert_same_manifest(struct mount_fixture *f, const char *tag)
{
	const struct stored *one, *two;

	one = registry_double_manifest(f->sources[0].server, "app", "1.0");
	two = registry_double_manifest(f->sources[1].server, "app", tag);
	assert_non_null(one);
	assert_non_null(two);
	assert_int_equal(one->len, two->len);
	assert_memory_equal(one->data, two->data, one->len);
}

/* What is there is not sent again. */
static void images_are_linked_from_another_source(void **state)
{
	struct mount_fixture *f = *state;
	CLEANUP(node_put_p) struct node *a = fixture_repository(f, 0, "app");
	CLEANUP(image_put_p) struct image *image = NULL;
	AUTO_BUF struct buf tar = BUF_INIT(1 << 20);
	struct tag_ref to = {.images = source(f, 1)->images,
	    .repository = "app",
	    .tag = "linked"};
	unsigned uploads;

	fixture_rootfs(&tar, "one");
	must(fixture_write(f, a, "1.0.tar", tar.data, tar.len));
	must(image_open_tag(source(f, 0)->images, "app", "1.0", &image,
	    &f->err));
	must(tag_copy(image, &to, false, &f->err));
	assert_same_manifest(f, "linked");
	uploads = f->sources[1].server->uploads;
	assert_int_equal(uploads, 2);
	to.tag = "again";
	must(tag_copy(image, &to, false, &f->err));
	assert_int_equal(f->sources[1].server->uploads, uploads);
}

static void tags_are_moved_to_another_source(void **state)
{
	struct mount_fixture *f = *state;
	CLEANUP(node_put_p) struct node *a = fixture_repository(f, 0, "app");
	CLEANUP(node_put_p) struct node *b = fixture_repository(f, 1, "app");
	CLEANUP(node_put_p) struct node *tag = NULL;
	CLEANUP(image_put_p) struct image *image = NULL;
	AUTO_BUF struct buf tar = BUF_INIT(1 << 20);

	f->mount.delete_tags = DELETE_TAGS;
	/* Which these registries have no list of. */
	f->mount.referrers = false;
	fixture_rootfs(&tar, "one");
	must(fixture_write(f, a, "1.0.tar", tar.data, tar.len));
	must(a->view->lookup(a, "1.0", &tag, &f->err));
	must(a->view->rename(a, "1.0", b, "2.0", 0, &f->err));
	assert_non_null(
	    registry_double_manifest(f->sources[1].server, "app", "2.0"));
	assert_null(
	    registry_double_manifest(f->sources[0].server, "app", "1.0"));
	/* The kernel goes on with its node. */
	assert_ptr_equal(tag->source, source(f, 1));
	must(image_node_image(tag, &image, &f->err));
	assert_ptr_equal(image->images, source(f, 1)->images);
}

/* A file that waits goes along, and is pushed where it is renamed to. */
static void files_are_pushed_to_the_source_of_their_name(void **state)
{
	struct mount_fixture *f = *state;
	CLEANUP(node_put_p) struct node *a = fixture_repository(f, 0, "app");
	CLEANUP(node_put_p) struct node *b = fixture_repository(f, 1, "app");
	AUTO_BUF struct buf tar = BUF_INIT(1 << 20);

	fixture_rootfs(&tar, "one");
	must(fixture_write(f, a, ".1.0.part", tar.data, tar.len));
	must(a->view->rename(a, ".1.0.part", b, "1.0.tar", 0, &f->err));
	assert_null(
	    registry_double_manifest(f->sources[0].server, "app", "1.0"));
	assert_non_null(
	    registry_double_manifest(f->sources[1].server, "app", "1.0"));
}

#define SOURCES_TEST(name) \
	cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    SOURCES_TEST(names_are_of_their_source),
	    SOURCES_TEST(directories_are_two),
	    SOURCES_TEST(what_is_made_is_in_one),
	    SOURCES_TEST(what_is_written_is_in_one),
	    SOURCES_TEST(pushes_go_to_their_source),
	    SOURCES_TEST(contents_are_one_and_archives_two),
	    SOURCES_TEST(images_are_linked_from_another_source),
	    SOURCES_TEST(tags_are_moved_to_another_source),
	    SOURCES_TEST(files_are_pushed_to_the_source_of_their_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
