/* SPDX-License-Identifier: Apache-2.0 */
/* The names of files that are being written, by the directories that they are
 * in. */
#include "mount_fixture.h"

#include <errno.h>

#include "node/view.h"
#include "upload/written_dir.h"
#include "upload/written_file.h"

static int setup(void **state)
{
	struct mount_fixture *f = calloc(1, sizeof(*f));

	assert_non_null(f);
	mount_fixture_open(f, 1);
	f->mount.delete_tags = DELETE_TAGS;
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

/* Pushes an image. */
static void push(struct mount_fixture *f, struct node *dir, const char *name,
    const char *content)
{
	AUTO_BUF struct buf tar = BUF_INIT(1 << 20);

	fixture_rootfs(&tar, content);
	must(fixture_write(f, dir, name, tar.data, tar.len));
}

static struct node *look(struct mount_fixture *f, struct node *dir,
    const char *name)
{
	struct node *node = NULL;

	must(dir->view->lookup(dir, name, &node, &f->err));
	return node;
}

static void a_list_has_its_own_names(void **state)
{
	struct mount_fixture *f = *state;
	CLEANUP(node_put_p) struct node *app = fixture_repository(f, 0, "app");
	CLEANUP(node_put_p)
	struct node *apps = fixture_repository(f, 0, "apps");
	CLEANUP(node_put_p) struct node *file = NULL;

	must(fixture_write(f, app, ".a", "a", 1));
	must(fixture_write(f, apps, ".b", "b", 1));
	file = look(f, app, ".a");
	assert_true(fixture_listed(f, app, ".a") == file->ino);
	assert_int_equal(fixture_listed(f, app, ".b"), 0);
	assert_true(fixture_listed(f, apps, ".b") != 0);
	assert_true(written_names_remove(app, ".a"));
	assert_false(written_names_remove(app, ".a"));
	assert_int_equal(fixture_listed(f, app, ".a"), 0);
	/* The last to know it. */
	node_put(steal(&file));
	assert_null(app->written);
	assert_non_null(apps->written);
}

/* The kernel knows nothing of the directory any more. */
static void names_outlive_what_the_kernel_knows(void **state)
{
	struct mount_fixture *f = *state;
	struct node *app = fixture_repository(f, 0, "app");
	uint64_t ino = app->ino;

	must(fixture_write(f, app, ".a", "a", 1));
	node_put(app);
	app = fixture_repository(f, 0, "app");
	assert_true(app->ino == ino);
	assert_true(fixture_listed(f, app, ".a") != 0);
	node_put(app);
}

/* A tag that is renamed takes along what is written into it, and into its
 * parts. */
static void names_go_along_with_their_tag(void **state)
{
	struct mount_fixture *f = *state;
	CLEANUP(node_put_p) struct node *app = fixture_repository(f, 0, "app");
	CLEANUP(node_put_p) struct node *tag = NULL, *layers = NULL;
	CLEANUP(node_put_p) struct node *renamed = NULL, *there = NULL;
	CLEANUP(written_dir_put_p) struct written_dir *dir = NULL;
	AUTO_FREE char *path = NULL;

	push(f, app, "1.0.tar", "one");
	tag = look(f, app, "1.0");
	layers = look(f, tag, "layers");
	must(fixture_write(f, tag, ".note", "a", 1));
	must(fixture_write(f, layers, ".new.tar", "b", 1));
	must(app->view->rename(app, "1.0", app, "2.0", 0, &f->err));
	renamed = look(f, app, "2.0");
	assert_true(fixture_listed(f, renamed, ".note") != 0);
	there = look(f, renamed, "layers");
	assert_true(fixture_listed(f, there, ".new.tar") != 0);
	dir = written_dir_find(there);
	path = written_dir_path(dir, ".new.tar");
	assert_string_equal(path, "app/2.0/layers/.new.tar");
}

static void names_change_places_with_their_tags(void **state)
{
	struct mount_fixture *f = *state;
	CLEANUP(node_put_p) struct node *app = fixture_repository(f, 0, "app");
	CLEANUP(node_put_p) struct node *one = NULL, *two = NULL;
	CLEANUP(node_put_p) struct node *now_one = NULL, *now_two = NULL;

	push(f, app, "1.0.tar", "one");
	push(f, app, "2.0.tar", "two");
	one = look(f, app, "1.0");
	two = look(f, app, "2.0");
	must(fixture_write(f, one, ".one", "a", 1));
	must(fixture_write(f, two, ".two", "b", 1));
	must(app->view->rename(app, "1.0", app, "2.0", RENAME_EXCHANGE,
	    &f->err));
	now_one = look(f, app, "1.0");
	now_two = look(f, app, "2.0");
	assert_true(fixture_listed(f, now_two, ".one") != 0);
	assert_int_equal(fixture_listed(f, now_two, ".two"), 0);
	assert_true(fixture_listed(f, now_one, ".two") != 0);
	assert_int_equal(fixture_listed(f, now_one, ".one"), 0);
}

/* layers/ of another image is another directory, and has the same names. */
static void names_in_a_part_stay_when_the_image_changes(void **state)
{
	struct mount_fixture *f = *state;
	CLEANUP(node_put_p) struct node *app = fixture_repository(f, 0, "app");
	CLEANUP(node_put_p)
	struct node *tag = NULL, *layers = NULL, *now = NULL;

	push(f, app, "1.0.tar", "one");
	tag = look(f, app, "1.0");
	layers = look(f, tag, "layers");
	must(fixture_write(f, layers, ".new.tar", "b", 1));
	push(f, app, "1.0.tar", "another one");
	now = look(f, tag, "layers");
	assert_true(now->ino != layers->ino);
	assert_true(fixture_listed(f, now, ".new.tar") != 0);
}

#define WRITTEN_TEST(name) \
	cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    WRITTEN_TEST(a_list_has_its_own_names),
	    WRITTEN_TEST(names_outlive_what_the_kernel_knows),
	    WRITTEN_TEST(names_go_along_with_their_tag),
	    WRITTEN_TEST(names_change_places_with_their_tags),
	    WRITTEN_TEST(names_in_a_part_stay_when_the_image_changes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
