/* SPDX-License-Identifier: Apache-2.0 */
/* A tree as a tar, as the walker reads it. */
#include "local_fixture.h"

#include "base/buf.h"
#include "local/tar.h"
#include "tar/walker.h"

enum { TAR_MAX = 8 << 20, TEXT_MAX = 4096 };

struct buf_sink {
	struct sink sink;
	struct buf buf;
};

static int add(struct sink *sink, const void *data, size_t len, struct err *err)
{
	return buf_add(&((struct buf_sink *)(void *)sink)->buf, data, len, err);
}

static int print_entry(void *arg, const struct tar_entry *entry,
    struct err *err)
{
	return buf_addf(arg, err, "%c %s%s%s %o %u:%u %lld %zu|", entry->type,
	    entry->name, *entry->link ? "->" : "", entry->link, entry->mode,
	    entry->uid, entry->gid, (long long)entry->mtime,
	    entry->xattr_count);
}

static int print_data(void *arg, const void *data, size_t len, struct err *err)
{
	return buf_add(arg, data, len, err);
}

static void write_tar(struct fixture *f, const char *left_out, bool with_root,
    struct buf_sink *out)
{
	const struct local_tar_options options = {.left_out = left_out,
	    .with_root = with_root,
	    .latest = 100};
	struct err err = ERR_INIT;

	assert_int_equal(local_freeze(f->root, &err), 0);
	assert_int_equal(local_tar(f->root, &options, &out->sink, &err), 0);
	local_thaw(f->root);
}

/* The entries and contents of the tree as text, and that the tar ends. */
static void assert_tar(struct fixture *f, const char *left_out, bool with_root,
    const char *expected)
{
	CLEANUP(tar_walker_free_p) struct tar_walker *walker = NULL;
	AUTO_BUF struct buf text = BUF_INIT(TEXT_MAX);
	struct tar_handler handler = {print_entry, print_data, &text};
	struct buf_sink out = {{add}, BUF_INIT(TAR_MAX)};
	struct err err = ERR_INIT;
	size_t used = 0;

	write_tar(f, left_out, with_root, &out);
	assert_int_equal(tar_walker_new(&handler, &walker, &err), 0);
	assert_int_equal(tar_walker_feed(walker, out.buf.data, out.buf.len,
			     &used, &err),
	    1);
	assert_int_equal(used, out.buf.len);
	assert_string_equal(buf_str(&text), expected);
	buf_release(&out.buf);
}

static void set_time(struct local_inode *inode, time_t seconds)
{
	const struct timespec time = {seconds, 999999999};
	struct err err = ERR_INIT;

	assert_int_equal(local_change(inode,
			     &(struct local_change){.mtime = &time}, &err),
	    0);
}

static void test_entries(void **state)
{
	struct fixture *f = *state;
	struct err err = ERR_INIT;
	AUTO_INODE *dir = make_dir(f->root, "dir");
	AUTO_INODE *file = make_file(dir, "file", "content ");
	AUTO_INODE *link = make_entry(f->root, "dir.link", S_IFLNK | 0777);
	AUTO_INODE *fifo = make_entry(f->root, "fifo", S_IFIFO | 0600);
	AUTO_INODE *socket = make_entry(f->root, "socket", S_IFSOCK | 0600);
	AUTO_INODE *base = make_entry(f->root, ".base", S_IFLNK | 0777);
	AUTO_INODE *below = make_entry(dir, ".base", S_IFLNK | 0777);

	(void)socket;
	(void)base;
	assert_int_equal(local_link(f->root, "a", file, &err), 0);
	assert_int_equal(local_link(f->root, "z", fifo, &err), 0);
	assert_int_equal(local_link(f->root, "y", link, &err), 0);
	assert_int_equal(local_setxattr(file, "user.a", "1", 1, 0, &err), 0);
	set_time(file, 99);
	set_time(below, 0);
	assert_tar(f, ".base", true,
	    "5 ./ 755 0:0 100 0|"
	    "0 a 644 1:2 99 1|content "
	    "5 dir/ 755 1:2 100 0|"
	    "2 dir/.base->target 777 1:2 0 0|"
	    "1 dir/file->a 644 1:2 99 0|"
	    "2 dir.link->target 777 1:2 100 0|"
	    "6 fifo 600 1:2 100 0|"
	    "1 y->dir.link 777 1:2 100 0|"
	    "1 z->fifo 600 1:2 100 0|");
}

static void test_an_empty_tree(void **state)
{
	struct fixture *f = *state;

	assert_tar(f, NULL, false, "");
	assert_tar(f, NULL, true, "5 ./ 755 0:0 100 0|");
}

/* Made in another order, by another way. */
static void test_equal_trees_are_equal_tars(void **state)
{
	struct fixture *f = *state;
	struct err err = ERR_INIT;
	struct buf_sink one = {{add}, BUF_INIT(TAR_MAX)};
	struct buf_sink two = {{add}, BUF_INIT(TAR_MAX)};

	local_put(make_file(f->root, "a", "1"));
	local_put(make_dir(f->root, "b"));
	local_put(make_file(f->root, "c", "3"));
	write_tar(f, NULL, true, &one);
	assert_int_equal(local_unlink(f->root, "a", &err), 0);
	assert_int_equal(local_rename(f->root, "c", f->root, "x", false, &err),
	    0);
	assert_int_equal(local_rename(f->root, "x", f->root, "c", false, &err),
	    0);
	local_put(make_file(f->root, "a", "1"));
	write_tar(f, NULL, true, &two);
	assert_int_equal(one.buf.len, two.buf.len);
	assert_memory_equal(one.buf.data, two.buf.data, one.buf.len);
	buf_release(&one.buf);
	buf_release(&two.buf);
}

static void test_too_long_a_path(void **state)
{
	struct fixture *f = *state;
	const struct local_tar_options options = {.latest = 100};
	struct buf_sink out = {{add}, BUF_INIT(TAR_MAX)};
	struct local_inode *dir = local_get(f->root);
	struct err err = ERR_INIT;
	char name[LOCAL_NAME_MAX + 1] = {0};

	memset(name, 'n', LOCAL_NAME_MAX);
	/* Sixteen names of 255 bytes with a slash each are just 4,096. */
	for (int i = 0; i < 17; i++) {
		struct local_inode *below = make_dir(dir, name);

		assert_int_equal(local_tar(f->root, &options, &out.sink, &err),
		    i < 16 ? 0 : -ENAMETOOLONG);
		buf_reset(&out.buf);
		local_put(dir);
		dir = below;
	}
	local_put(dir);
	buf_release(&out.buf);
}

int main(void)
{
#define T(test) \
	cmocka_unit_test_setup_teardown(test, local_setup, local_teardown)
	const struct CMUnitTest tests[] = {
	    T(test_entries),
	    T(test_an_empty_tree),
	    T(test_equal_trees_are_equal_tars),
	    T(test_too_long_a_path),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
