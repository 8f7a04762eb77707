/* SPDX-License-Identifier: Apache-2.0 */
/* Names, attributes and contents of a local file system. */
#include "local_fixture.h"

#include <stdio.h>
#include <sys/xattr.h>
#include <unistd.h>

enum { MANY = 5000, DEEP = 100000 };

static void test_links_are_counted(void **state)
{
	struct fixture *f = *state;
	struct err err = ERR_INIT;
	AUTO_INODE *dir = make_dir(f->root, "dir");
	AUTO_INODE *below = make_dir(dir, "below");
	AUTO_INODE *file = make_file(dir, "file", "x");

	assert_int_equal(stat_of(f->root).st_nlink, 3);
	assert_int_equal(stat_of(dir).st_nlink, 3);
	assert_int_equal(stat_of(below).st_nlink, 2);
	assert_int_equal(local_link(below, "link", file, &err), 0);
	assert_int_equal(stat_of(file).st_nlink, 2);
	assert_int_equal(local_rename(dir, "below", f->root, "moved", false,
			     &err),
	    0);
	assert_int_equal(stat_of(dir).st_nlink, 2);
	assert_int_equal(stat_of(below).st_nlink, 2);
	assert_int_equal(stat_of(f->root).st_nlink, 4);
	assert_int_equal(local_rename(f->root, "moved", dir, "file", true,
			     &err),
	    0);
	assert_int_equal(stat_of(dir).st_nlink, 3);
	assert_int_equal(stat_of(f->root).st_nlink, 3);
	assert_int_equal(local_unlink(f->root, "moved", &err), 0);
	assert_int_equal(local_unlink(below, "link", &err), 0);
	assert_int_equal(local_rmdir(dir, "file", &err), 0);
	assert_int_equal(stat_of(below).st_nlink, 0);
	assert_int_equal(stat_of(file).st_nlink, 0);
	assert_int_equal(contents(f), 1);
}

static void test_what_is_refused(void **state)
{
	struct fixture *f = *state;
	const struct local_making making = {.mode = S_IFREG};
	char longer[LOCAL_NAME_MAX + 2] = {0};
	struct local_inode *none = NULL;
	struct err err = ERR_INIT;
	AUTO_INODE *dir = make_dir(f->root, "dir");
	AUTO_INODE *file = make_file(dir, "file", "x");

	memset(longer, 'n', sizeof(longer) - 1);
	assert_int_equal(local_make(dir, longer, &making, &none, &err),
	    -ENAMETOOLONG);
	assert_int_equal(local_make(dir, "file", &making, &none, &err),
	    -EEXIST);
	assert_int_equal(local_link(f->root, "link", dir, &err), -EPERM);
	assert_int_equal(local_rmdir(f->root, "dir", &err), -ENOTEMPTY);
	assert_int_equal(local_rmdir(dir, "file", &err), -ENOTDIR);
	assert_int_equal(local_unlink(f->root, "dir", &err), -EISDIR);
	assert_int_equal(local_unlink(dir, "none", &err), -ENOENT);
	assert_int_equal(local_rename(dir, "none", dir, "x", false, &err),
	    -ENOENT);
	assert_int_equal(local_rename(dir, "file", f->root, "dir", false, &err),
	    -EISDIR);
	assert_int_equal(local_unlink(dir, "file", &err), 0);
	assert_int_equal(local_link(dir, "again", file, &err), -ENOENT);
	assert_int_equal(local_rmdir(f->root, "dir", &err), 0);
	assert_int_equal(local_make(dir, "in", &making, &none, &err), -ENOENT);
	assert_null(none);
}

static int sum(void *arg, const char *name, uint64_t number, mode_t mode,
    struct err *err)
{
	(void)name;
	(void)mode;
	(void)err;
	*(uint64_t *)arg += number;
	return 0;
}

static void test_many_names(void **state)
{
	struct fixture *f = *state;
	uint64_t expected = 0, found = 0;
	struct err err = ERR_INIT;
	char name[16];

	for (int i = 0; i < MANY; i++) {
		snprintf(name, sizeof(name), "%d", i);
		AUTO_INODE *file = make_entry(f->root, name, S_IFREG);

		expected += local_number(file);
	}
	assert_int_equal(local_list(f->root, sum, &found, &err), 0);
	assert_int_equal(found, expected);
	assert_int_equal(local_count(f->root), MANY);
	for (int i = 0; i < MANY; i++) {
		snprintf(name, sizeof(name), "%d", i);
		assert_int_equal(local_unlink(f->root, name, &err), 0);
		assert_false(local_exists(f->root, name));
	}
	assert_int_equal(local_count(f->root), 0);
	assert_int_equal(contents(f), 0);
}

/* Nothing here goes as deep as the tree does. */
static void test_a_deep_tree(void **state)
{
	struct fixture *f = *state;
	struct local_inode *dir = make_dir(f->root, "deep");
	AUTO_INODE *top = local_get(dir);
	struct err err = ERR_INIT;

	for (int i = 0; i < DEEP; i++) {
		struct local_inode *below = make_dir(dir, "d");

		local_put(dir);
		dir = below;
	}
	assert_int_equal(local_count(f->root), DEEP + 1);
	assert_int_equal(local_freeze(top, &err), 0);
	assert_int_equal(local_remove_all(f->root, "deep", &err), 0);
	assert_int_equal(stat_of(dir).st_nlink, 0);
	assert_int_equal(local_count(f->root), 0);
	local_put(dir);
}

static void test_contents(void **state)
{
	struct fixture *f = *state;
	struct err err = ERR_INIT;
	AUTO_INODE *file = make_entry(f->root, "file", S_IFREG);
	char data[16] = "";

	assert_int_equal(contents(f), 0);
	assert_int_equal(local_open(file, &err), 0);
	assert_int_equal(local_read(file, data, sizeof(data), 0, &err), 0);
	assert_int_equal(local_write(file, "data", 4, 2, &err), 0);
	assert_int_equal(local_read(file, data, sizeof(data), 1, &err), 5);
	assert_memory_equal(data, "\0data", 5);
	assert_int_equal(local_truncate(file, 3, &err), 0);
	assert_int_equal(local_truncate(file, 5, &err), 0);
	assert_int_equal(local_read(file, data, sizeof(data), 0, &err), 5);
	assert_memory_equal(data, "\0\0d\0\0", 5);
	assert_int_equal(contents(f), 1);
	assert_int_equal(local_unlink(f->root, "file", &err), 0);
	assert_int_equal(local_read(file, data, sizeof(data), 2, &err), 3);
	local_close(file);
	assert_int_equal(contents(f), 1);
	local_put(steal(&file));
	assert_int_equal(contents(f), 0);
}

static void test_attributes(void **state)
{
	struct fixture *f = *state;
	const struct timespec then = {5, 6};
	const mode_t mode = 07123;
	const uid_t uid = 8;
	struct err err = ERR_INIT;
	AUTO_INODE *dir = make_entry(f->root, "dir", S_IFDIR | S_ISGID);
	AUTO_INODE *below = make_dir(dir, "below");
	struct stat before = stat_of(below), after;

	assert_int_equal(before.st_mode, S_IFDIR | S_ISGID | 0755);
	assert_int_equal(local_change(below,
			     &(struct local_change){.mode = &mode,
				 .uid = &uid,
				 .mtime = &then},
			     &err),
	    0);
	after = stat_of(below);
	assert_int_equal(after.st_mode, S_IFDIR | 07123);
	assert_int_equal(after.st_uid, 8);
	assert_int_equal(after.st_gid, 2);
	assert_int_equal(after.st_mtim.tv_sec, 5);
	assert_int_equal(after.st_mtim.tv_nsec, 6);
	assert_int_equal(after.st_atim.tv_sec, before.st_atim.tv_sec);
}

static int join(void *arg, const char *name, const void *value, size_t len,
    struct err *err)
{
	char *text = arg;

	(void)err;
	snprintf(text + strlen(text), 16, "%s=%.*s ", name, (int)len,
	    (const char *)value);
	return 0;
}

static void test_extended_attributes(void **state)
{
	struct fixture *f = *state;
	AUTO_FREE char *large = calloc(1, LOCAL_XATTRS_MAX);
	struct err err = ERR_INIT;
	char text[64] = "";
	AUTO_INODE *file = make_entry(f->root, "file", S_IFREG);

	assert_int_equal(local_setxattr(file, "b", "1", 1, XATTR_CREATE, &err),
	    0);
	assert_int_equal(local_setxattr(file, "c", "2", 1, 0, &err), 0);
	assert_int_equal(local_setxattr(file, "a", "3", 1, 0, &err), 0);
	assert_int_equal(local_setxattr(file, "b", "", 0, XATTR_CREATE, &err),
	    -EEXIST);
	assert_int_equal(local_setxattr(file, "d", "", 0, XATTR_REPLACE, &err),
	    -ENODATA);
	assert_int_equal(local_setxattr(file, "b", "new", 3, 0, &err), 0);
	assert_int_equal(local_setxattr(file, "c", NULL, 0, 0, &err), 0);
	assert_int_equal(local_setxattr(file, "c", NULL, 0, 0, &err), -ENODATA);
	assert_int_equal(local_setxattr(file, "l", large, LOCAL_XATTRS_MAX, 0,
			     &err),
	    -ENOSPC);
	assert_int_equal(local_xattrs(file, join, text, &err), 0);
	assert_string_equal(text, "a=3 b=new ");
}

static void test_what_is_frozen_stays(void **state)
{
	struct fixture *f = *state;
	const struct local_making making = {.mode = S_IFREG};
	const mode_t mode = 0;
	struct local_inode *none = NULL;
	struct err err = ERR_INIT;
	AUTO_INODE *dir = make_dir(f->root, "dir");
	AUTO_INODE *file = make_file(dir, "file", "x");

	assert_int_equal(local_link(f->root, "outside", file, &err), 0);
	assert_int_equal(local_freeze(dir, &err), 0);
	assert_int_equal(local_freeze(f->root, &err), -EBUSY);
	assert_int_equal(local_make(dir, "new", &making, &none, &err), -EBUSY);
	assert_int_equal(local_unlink(dir, "file", &err), -EBUSY);
	assert_int_equal(local_unlink(f->root, "outside", &err), -EBUSY);
	assert_int_equal(local_link(f->root, "more", file, &err), -EBUSY);
	assert_int_equal(local_truncate(file, 0, &err), -EBUSY);
	assert_int_equal(local_setxattr(file, "user.a", "", 0, 0, &err),
	    -EBUSY);
	assert_int_equal(local_change(file,
			     &(struct local_change){.mode = &mode}, &err),
	    -EBUSY);
	assert_int_equal(local_rename(dir, "file", f->root, "file", false,
			     &err),
	    -EBUSY);
	assert_int_equal(local_rename(f->root, "dir", f->root, "x", false,
			     &err),
	    -EBUSY);
	local_thaw(dir);
	assert_int_equal(local_unlink(dir, "file", &err), 0);
	assert_int_equal(local_freeze(dir, &err), 0);
	/* What has a name elsewhere stays, and can be changed again. */
	assert_int_equal(local_remove_all(f->root, "dir", &err), 0);
	assert_int_equal(local_truncate(file, 0, &err), 0);
}

static void test_contents_go_with_the_tree(void **state)
{
	struct fixture *f = *state;
	struct err err = ERR_INIT;
	AUTO_INODE *dir = make_dir(f->root, "dir");
	AUTO_INODE *open = make_file(dir, "open", "open");
	AUTO_INODE *known = make_file(dir, "known", "known");
	AUTO_INODE *other = make_file(dir, "other", "other");
	char data[4];

	local_put(steal(&other));
	assert_int_equal(local_open(open, &err), 0);
	assert_int_equal(contents(f), 3);
	assert_int_equal(local_freeze(dir, &err), 0);
	assert_int_equal(local_remove_all(f->root, "dir", &err), 0);
	assert_int_equal(contents(f), 1);
	assert_int_equal(stat_of(known).st_nlink, 0);
	assert_int_equal(local_write(open, "more", 4, 4, &err), 0);
	assert_int_equal(local_read(open, data, 4, 0, &err), 4);
	assert_memory_equal(data, "open", 4);
	local_close(open);
	assert_int_equal(contents(f), 0);
}

int main(void)
{
#define T(test) \
	cmocka_unit_test_setup_teardown(test, local_setup, local_teardown)
	const struct CMUnitTest tests[] = {
	    T(test_links_are_counted),
	    T(test_what_is_refused),
	    T(test_many_names),
	    T(test_a_deep_tree),
	    T(test_contents),
	    T(test_attributes),
	    T(test_extended_attributes),
	    T(test_what_is_frozen_stays),
	    T(test_contents_go_with_the_tree),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
