/* SPDX-License-Identifier: Apache-2.0 */
/* What the entries of a layer mean together. */
#include "index_fixture.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/sysmacros.h>

/* A text of that length in front of which something may stand. */
static char *long_name(const char *prefix, size_t len)
{
	size_t before = strlen(prefix);
	char *name = malloc(before + len + 1);

	assert_non_null(name);
	memcpy(name, prefix, before);
	memset(name + before, 'n', len);
	name[before + len] = '\0';
	return name;
}

static void test_nothing(void **state)
{
	AUTO_INDEX struct layer_index *index = end(begin());
	const struct layer_entry root = at(index, "");

	(void)state;
	assert_int_equal(layer_index_count(index), 1);
	assert_names(index, "", "");
	assert_int_equal(root.mode, S_IFDIR | 0755);
	assert_int_equal(root.flags, LAYER_IMPLIED);
	assert_int_equal(root.links, 2);
	assert_string_equal(target_in(index, LAYER_ROOT).text, "");
}

static void test_implied_parents(void **state)
{
	struct builder *builder = begin();
	const struct tar_entry file = {.type = TAR_FILE,
	    .name = "a/b/c",
	    .link = "",
	    .mtime = 77};
	AUTO_INDEX struct layer_index *index = NULL;

	(void)state;
	build_entry(builder, &file);
	add_dir(builder, "a/", 0700);
	index = end(builder);
	assert_int_equal(at(index, "a").mode, S_IFDIR | 0700);
	assert_int_equal(at(index, "a").mtime, 1000 + 0700);
	assert_int_equal(at(index, "a").flags, 0);
	assert_int_equal(at(index, "a/b").mode, S_IFDIR | 0755);
	assert_int_equal(at(index, "a/b").mtime, 77);
	assert_int_equal(at(index, "a/b").flags, LAYER_IMPLIED);
	/* A directory has a link for itself, its name, and each directory in
	 * it. */
	assert_int_equal(at(index, "").links, 3);
	assert_int_equal(at(index, "a").links, 3);
	assert_int_equal(at(index, "a/b").links, 2);
}

static void test_last_wins(void **state)
{
	struct builder *builder = begin();
	AUTO_INDEX struct layer_index *index = NULL;

	(void)state;
	add_file(builder, "f", 1);
	add_file(builder, "./f", 2);
	add_dir(builder, "d", 0700);
	add_file(builder, "d/in", 3);
	add_dir(builder, "d/", 0711);
	index = end(builder);
	assert_names(index, "", "d f");
	assert_int_equal(at(index, "f").data, 2);
	assert_int_equal(at(index, "f").links, 1);
	assert_int_equal(at(index, "d").mode, S_IFDIR | 0711);
	assert_int_equal(at(index, "d/in").data, 3);
}

/* What takes a directory's place takes what is in it. */
static void test_types_change(void **state)
{
	struct builder *builder = begin();
	AUTO_INDEX struct layer_index *index = NULL;

	(void)state;
	add_file(builder, "d/e/f", 1);
	add_file(builder, "d", 2);
	add_file(builder, "x", 3);
	add_file(builder, "x/y", 4);
	add_file(builder, "was/old", 5);
	add_symlink(builder, "was", "x");
	add_file(builder, "again/old", 6);
	add_file(builder, "again", 7);
	add_dir(builder, "again", 0700);
	index = end(builder);
	assert_names(index, "", "again d was x");
	assert_true(S_ISREG(at(index, "d").mode));
	assert_int_equal(number_at(index, "d/e"), NONE);
	assert_true(S_ISDIR(at(index, "x").mode));
	assert_int_equal(at(index, "x/y").data, 4);
	assert_true(S_ISLNK(at(index, "was").mode));
	assert_int_equal(at(index, "was").child_count, 0);
	assert_names(index, "again", "");
	/* Of the root's directories these two are left. */
	assert_int_equal(at(index, "").links, 4);
}

static void test_root_entry(void **state)
{
	static const char *const names[] = {"./", "/", ".", "a/..", ""};

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		struct builder *builder = begin();
		AUTO_INDEX struct layer_index *index = NULL;

		add_dir(builder, names[i], 0711);
		/* Nothing else can stand there. */
		add_file(builder, names[i], 1);
		add_symlink(builder, names[i], "a");
		add_link(builder, names[i], "a");
		index = end(builder);
		assert_int_equal(at(index, "").mode, S_IFDIR | 0711);
		assert_int_equal(at(index, "").flags, 0);
	}
}

static void test_whiteouts(void **state)
{
	struct builder *builder = begin();
	AUTO_INDEX struct layer_index *index = NULL;

	(void)state;
	add_dir(builder, "d", 0700);
	add_file(builder, "d/.wh..wh..opq", 1);
	add_file(builder, "e/.wh.gone", 2);
	add_file(builder, "f/.wh..wh..opq", 3);
	/* The mark stays when the directory is described behind it. */
	add_dir(builder, "f", 0711);
	index = end(builder);
	assert_int_equal(at(index, "d").flags, LAYER_OPAQUE);
	assert_int_equal(at(index, "e").flags, LAYER_IMPLIED);
	assert_int_equal(at(index, "f").flags, LAYER_OPAQUE);
	assert_names(index, "e", ".wh.gone");
	assert_names(index, "", "d e f");
}

static void test_opaque_root(void **state)
{
	struct builder *builder = begin();
	AUTO_INDEX struct layer_index *index = NULL;

	(void)state;
	add_file(builder, "./.wh..wh..opq", 1);
	index = end(builder);
	assert_int_equal(at(index, "").flags, LAYER_IMPLIED | LAYER_OPAQUE);
}

static void test_long_names(void **state)
{
	AUTO_FREE char *fits = long_name("d/", 255);
	AUTO_FREE char *too_long = long_name("d/", 256);
	AUTO_FREE char *in_too_long = long_name("", 256 + 2);
	struct builder *builder = begin();
	AUTO_INDEX struct layer_index *index = NULL;

	(void)state;
	in_too_long[256] = '/';
	add_file(builder, fits, 1);
	add_file(builder, too_long, 2);
	add_file(builder, in_too_long, 3);
	add_dir(builder, in_too_long, 0700);
	index = end(builder);
	assert_int_equal(at(index, fits).data, 1);
	assert_names(index, "", "d");
	assert_names(index, "d", fits + 2);
}

static void test_any_bytes(void **state)
{
	static const char *const names[] = {"\xff\xfe", "\xc3\xa9", "a\nb",
	    "\x01", " ", "-", "...", "\xc3"};
	struct builder *builder = begin();
	AUTO_INDEX struct layer_index *index = NULL;

	(void)state;
	for (uint32_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		add_file(builder, names[i], i);
	index = end(builder);
	for (uint32_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		assert_int_equal(at(index, names[i]).data, i);
	/* By their bytes, which have no sign. */
	assert_names(index, "", "\x01   - ... a\nb \xc3 \xc3\xa9 \xff\xfe");
}

static void test_attributes(void **state)
{
	struct builder *builder = begin();
	const struct tar_entry entries[] = {
	    {.type = TAR_FILE,
		.name = "f",
		.link = "",
		.mode = 06751,
		.uid = UINT32_MAX,
		.gid = 1000,
		.mtime = -5,
		.mtime_nanos = 999999999,
		.size = 10,
		.file_size = 10,
		.offset = UINT64_C(1) << 40},
	    {.type = TAR_CHAR,
		.name = "c",
		.link = "",
		.dev_major = 5,
		.dev_minor = 300},
	    {.type = TAR_BLOCK_DEVICE, .name = "b", .link = "", .mode = 0600},
	    {.type = TAR_FIFO, .name = "p", .link = ""},
	    {.type = TAR_SYMLINK, .name = "l", .link = "/x/y", .mode = 0123},
	    {.type = TAR_SYMLINK, .name = "e", .link = ""},
	};
	AUTO_INDEX struct layer_index *index = NULL;
	struct layer_entry file;

	(void)state;
	for (size_t i = 0; i < sizeof(entries) / sizeof(*entries); i++)
		build_entry(builder, &entries[i]);
	index = end(builder);
	file = at(index, "f");
	assert_int_equal(file.mode, S_IFREG | 06751);
	/* No file can have that owner. */
	assert_int_equal(file.uid, 0);
	assert_int_equal(file.gid, 1000);
	assert_int_equal(file.mtime, -5);
	assert_int_equal(file.mtime_nanos, 999999999);
	assert_int_equal(file.size, 10);
	assert_int_equal(file.data, UINT64_C(1) << 40);
	assert_int_equal(at(index, "c").mode, S_IFCHR);
	assert_int_equal(at(index, "c").data, makedev(5, 300));
	assert_int_equal(at(index, "b").mode, S_IFBLK | 0600);
	assert_int_equal(at(index, "p").mode, S_IFIFO);
	/* As lstat() has them. */
	assert_int_equal(at(index, "l").mode, S_IFLNK | 0777);
	assert_int_equal(at(index, "l").size, 4);
	assert_string_equal(target_in(index, number_at(index, "l")).text,
	    "/x/y");
	assert_string_equal(target_in(index, number_at(index, "e")).text, "");
}

static void check_xattr(const struct buf *xattrs, size_t *cursor,
    const struct tar_xattr *want)
{
	const char *name;
	const void *value;
	uint32_t len;

	assert_true(layer_next_xattr(xattrs, cursor, &name, &value, &len));
	assert_string_equal(name, want->name);
	assert_int_equal(len, want->len);
	assert_memory_equal(value, want->value, len);
}

static void test_xattrs(void **state)
{
	static const char large[65536] = {'x', 'y'};
	const struct tar_xattr xattrs[] = {
	    {"security.capability", "\1\0\0\2\0", 5},
	    {"user.empty", "", 0},
	    {"user.large", large, sizeof(large)},
	    {"user.nul", "\0a\0", 3},
	};
	const struct tar_entry file = {.type = TAR_FILE,
	    .name = "f",
	    .link = "",
	    .xattrs = xattrs,
	    .xattr_count = 4};
	struct builder *builder = begin();
	AUTO_INDEX struct layer_index *index = NULL;
	AUTO_BUF struct buf got = BUF_INIT(1 << 20);
	size_t cursor = 0;
	uint32_t len;
	const char *name;
	const void *value;

	(void)state;
	build_entry(builder, &file);
	add_file(builder, "g", 1);
	index = end(builder);
	assert_false(layer_index_facts(index)->has_acls);
	xattrs_in(index, number_at(index, "f"), &got);
	for (size_t i = 0; i < 4; i++)
		check_xattr(&got, &cursor, &xattrs[i]);
	assert_false(layer_next_xattr(&got, &cursor, &name, &value, &len));
	buf_reset(&got);
	cursor = 0;
	xattrs_in(index, number_at(index, "g"), &got);
	assert_int_equal(got.len, 0);
	assert_false(layer_next_xattr(&got, &cursor, &name, &value, &len));
}

static void test_acls(void **state)
{
	const struct tar_xattr acl = {"system.posix_acl_access", "\2\0\0\0", 4};
	const struct tar_entry file = {.type = TAR_FILE,
	    .name = "f",
	    .link = "",
	    .xattrs = &acl,
	    .xattr_count = 1};
	struct builder *builder = begin();
	AUTO_INDEX struct layer_index *index = NULL;

	(void)state;
	build_entry(builder, &file);
	index = end(builder);
	assert_true(layer_index_facts(index)->has_acls);
}

static void test_sparse(void **state)
{
	const struct tar_extent extents[] = {{100, 10}, {1000, 1}};
	struct tar_entry file = {.type = TAR_FILE,
	    .name = "one",
	    .link = "",
	    .size = 11,
	    .file_size = UINT64_C(1) << 41,
	    .is_sparse = true,
	    .extents = extents,
	    .extent_count = 2};
	struct builder *builder = begin();
	AUTO_INDEX struct layer_index *index = NULL;
	struct layer_entry two;

	(void)state;
	build_entry(builder, &file);
	file.name = "two";
	build_entry(builder, &file);
	/* Of which nothing is stored. */
	file.name = "hole";
	file.size = 0;
	file.extent_count = 0;
	file.extents = NULL;
	build_entry(builder, &file);
	add_link(builder, "linked", "two");
	index = end(builder);
	two = at(index, "two");
	assert_int_equal(two.flags, LAYER_SPARSE);
	assert_int_equal(two.size, UINT64_C(1) << 41);
	assert_int_equal(two.first_extent, 2);
	assert_int_equal(two.extent_count, 2);
	for (uint32_t i = 0; i < 2; i++) {
		const struct layer_extent got = extent_in(index, &two, i);

		assert_int_equal(got.offset, extents[i].offset);
		assert_int_equal(got.size, extents[i].size);
	}
	assert_int_equal(at(index, "hole").flags, LAYER_SPARSE);
	assert_int_equal(at(index, "hole").extent_count, 0);
	assert_int_equal(at(index, "linked").first_extent, 2);
}

/* Each found, in a directory that is not sorted as they came. */
static void test_many(void **state)
{
	enum { MANY = 100000 };
	struct builder *builder = begin();
	AUTO_INDEX struct layer_index *index = NULL;
	uint32_t dir, found;
	char name[32];

	(void)state;
	for (uint32_t i = 0; i < MANY; i++) {
		snprintf(name, sizeof(name), "d/%u", i * 7919 % MANY);
		add_file(builder, name, i);
	}
	index = end(builder);
	assert_int_equal(layer_index_count(index), MANY + 2);
	dir = number_at(index, "d");
	assert_int_equal(entry_in(index, dir).child_count, MANY);
	for (uint32_t i = 1; i < MANY; i++)
		assert_true(strcmp(child_in(index, dir, i - 1).name,
				child_in(index, dir, i).name) < 0);
	for (uint32_t i = 0; i < MANY; i++) {
		snprintf(name, sizeof(name), "d/%u", i * 7919 % MANY);
		assert_int_equal(at(index, name).data, i);
	}
	assert_int_equal(number_at(index, "d/100000"), NONE);
	assert_false(find_in(index, dir, "", 0, &found));
}

static void test_spans(void **state)
{
	struct builder *builder = begin();
	struct layer_span span = {.in_len = 10, .out_len = 20, .window = 99};
	AUTO_INDEX struct layer_index *index = NULL;
	struct err err = ERR_INIT;
	char window[8];

	(void)state;
	assert_int_equal(builder_add_span(builder, &span, NULL, 0, &err), 0);
	span.out = 20;
	assert_int_equal(builder_add_span(builder, &span, "abc", 3, &err), 0);
	span.out = 40;
	assert_int_equal(builder_add_span(builder, &span, "", 0, &err), 0);
	index = end(builder);
	assert_int_equal(layer_index_spans(index), 3);
	for (uint32_t i = 0; i < 3; i++) {
		span = span_in(index, i);
		assert_int_equal(span.out, 20 * i);
		assert_int_equal(layer_index_window(index, &span, window,
				     sizeof(window), &err),
		    i == 1 ? 3 : 0);
	}
	assert_memory_equal(window, "abc", 3);
	assert_int_equal(span_at(index, 0), 0);
	assert_int_equal(span_at(index, 19), 0);
	assert_int_equal(span_at(index, 20), 1);
	assert_int_equal(span_at(index, 59), 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_nothing),
	    cmocka_unit_test(test_implied_parents),
	    cmocka_unit_test(test_last_wins),
	    cmocka_unit_test(test_types_change),
	    cmocka_unit_test(test_root_entry),
	    cmocka_unit_test(test_whiteouts),
	    cmocka_unit_test(test_opaque_root),
	    cmocka_unit_test(test_long_names),
	    cmocka_unit_test(test_any_bytes),
	    cmocka_unit_test(test_attributes),
	    cmocka_unit_test(test_xattrs),
	    cmocka_unit_test(test_acls),
	    cmocka_unit_test(test_sparse),
	    cmocka_unit_test(test_many),
	    cmocka_unit_test(test_spans),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
