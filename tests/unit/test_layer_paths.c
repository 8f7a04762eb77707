/* SPDX-License-Identifier: Apache-2.0 */
/* Paths of a layer: written in all ways, through links, and never out of it. */
#include "index_fixture.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "tar/format.h"

static void test_spellings(void **state)
{
	static const char *const names[] = {"a/b", "/a/b", "./a/b", "././a//b",
	    "//a/./b/", "a/b/.", "../a/b", "../../a/b", "/../a/b", "a/../a/b",
	    "x/../a/b", "a/b/../b"};

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		struct builder *builder = begin();
		AUTO_INDEX struct layer_index *index = NULL;

		add_dir(builder, names[i], 0711);
		index = end(builder);
		assert_int_equal(at(index, "a/b").mode, S_IFDIR | 0711);
		/* Nor is there anything else. */
		assert_int_equal(layer_index_count(index), 3);
	}
}

/* As engines have it, which clean a path before they follow it. */
static void test_back_from_link(void **state)
{
	struct builder *builder = begin();
	AUTO_INDEX struct layer_index *index = NULL;

	(void)state;
	add_dir(builder, "far/away", 0700);
	add_symlink(builder, "l", "far/away");
	add_file(builder, "l/../f", 1);
	/* In a link's target the kernel's way is right. */
	add_symlink(builder, "up", "l/..");
	add_file(builder, "up/g", 2);
	index = end(builder);
	assert_names(index, "", "f far l up");
	assert_names(index, "far", "away g");
}

static void test_symlinked_parents(void **state)
{
	struct builder *builder = begin();
	AUTO_INDEX struct layer_index *index = NULL;

	(void)state;
	add_dir(builder, "usr/bin", 0755);
	add_symlink(builder, "bin", "usr/bin");
	add_symlink(builder, "abs", "/usr/bin/");
	add_symlink(builder, "usr/up", "../../../..");
	add_symlink(builder, "usr/here", ".");
	add_symlink(builder, "chain", "usr/here/up/bin");
	add_file(builder, "bin/one", 1);
	add_file(builder, "abs/two", 2);
	add_file(builder, "usr/up/three", 3);
	add_file(builder, "usr/here/four", 4);
	add_file(builder, "chain/five", 5);
	/* What is named itself is not followed. */
	add_file(builder, "usr/here", 6);
	index = end(builder);
	assert_names(index, "usr/bin", "five one two");
	assert_names(index, "usr", "bin four here up");
	assert_int_equal(at(index, "three").data, 3);
	assert_int_equal(at(index, "usr/here").data, 6);
	assert_true(S_ISLNK(at(index, "bin").mode));
}

/* The directories that a link leads to need not be there yet. */
static void test_link_to_nothing(void **state)
{
	struct builder *builder = begin();
	AUTO_INDEX struct layer_index *index = NULL;

	(void)state;
	add_symlink(builder, "l", "not/yet");
	add_file(builder, "l/f", 1);
	index = end(builder);
	assert_int_equal(at(index, "not/yet/f").data, 1);
	assert_int_equal(at(index, "not").flags, LAYER_IMPLIED);
	assert_true(S_ISLNK(at(index, "l").mode));
}

/* A link to a file is in the way of a directory, as the file is. */
static void test_link_to_file(void **state)
{
	struct builder *builder = begin();
	AUTO_INDEX struct layer_index *index = NULL;

	(void)state;
	add_file(builder, "f", 1);
	add_symlink(builder, "l", "f");
	add_file(builder, "l/in", 2);
	index = end(builder);
	assert_true(S_ISDIR(at(index, "f").mode));
	assert_int_equal(at(index, "f/in").data, 2);
}

static void test_loops(void **state)
{
	struct builder *builder = begin();
	AUTO_INDEX struct layer_index *index = NULL;

	(void)state;
	add_symlink(builder, "self", "self");
	add_symlink(builder, "a", "b");
	add_symlink(builder, "b", "./a/c");
	add_symlink(builder, "grow", "grow/grow");
	add_file(builder, "self/x", 1);
	add_file(builder, "a/x", 2);
	add_file(builder, "grow/x", 3);
	add_link(builder, "h", "self/x");
	index = end(builder);
	assert_names(index, "", "a b grow h self");
	/* A target that cannot be found may be below. */
	assert_int_equal(at(index, "h").flags, LAYER_DANGLING);
}

/* As many links in a row as the kernel follows, and one more. */
static void test_long_chain(void **state)
{
	struct builder *builder = begin();
	AUTO_INDEX struct layer_index *index = NULL;
	char name[16], target[16];

	(void)state;
	add_dir(builder, "0", 0700);
	for (unsigned i = 1; i <= 41; i++) {
		snprintf(name, sizeof(name), "%u", i);
		snprintf(target, sizeof(target), "%u", i - 1);
		add_symlink(builder, name, target);
	}
	add_file(builder, "40/in", 1);
	add_file(builder, "41/out", 2);
	index = end(builder);
	assert_names(index, "0", "in");
}

/* What is left of a path goes on behind the target, however long both are. */
static void test_long_targets(void **state)
{
	char target[TAR_NAME_MAX + 1], name[TAR_NAME_MAX + 1];
	struct builder *builder = begin();
	AUTO_INDEX struct layer_index *index = NULL;
	struct layer_entry entry;
	unsigned depth = 0;

	(void)state;
	memset(target, '/', TAR_NAME_MAX);
	memset(name, '/', TAR_NAME_MAX);
	for (size_t i = 0; i < TAR_NAME_MAX; i += 2)
		target[i] = name[i] = 'd';
	name[0] = 'l';
	name[TAR_NAME_MAX] = target[TAR_NAME_MAX] = '\0';
	add_symlink(builder, "l", target);
	add_dir(builder, name, 0700);
	index = end(builder);
	entry = at(index, "d");
	for (uint32_t dir = number_at(index, "d"); entry.child_count == 1;
	     depth++) {
		dir = child_in(index, dir, 0).entry;
		entry = entry_in(index, dir);
	}
	assert_int_equal(depth, TAR_NAME_MAX - 2);
	assert_int_equal(entry.mode, S_IFDIR | 0700);
}

/* Paths that are a few bytes in a packed layer do not take what memory there
 * is. */
static void test_too_many_directories(void **state)
{
	CLEANUP(builder_free_p) struct builder *builder = begin();
	char name[TAR_NAME_MAX + 1];
	struct tar_entry entry = {.type = TAR_FILE, .name = name, .link = ""};
	struct err err = ERR_INIT;
	int r = 0;

	(void)state;
	for (unsigned i = 0; r == 0 && i < 1000; i++) {
		size_t len = (size_t)snprintf(name, sizeof(name), "%u", i);

		for (; len + 2 < sizeof(name); len += 2)
			memcpy(name + len, "/d", 3);
		r = builder_add(builder, &entry, &err);
	}
	assert_int_equal(r, -EFBIG);
}

/* As many as it takes where each has a file. */
static void test_many_directories(void **state)
{
	enum { MANY = 50000 };
	struct builder *builder = begin();
	AUTO_INDEX struct layer_index *index = NULL;
	char name[64];

	(void)state;
	for (unsigned i = 0; i < MANY; i++) {
		snprintf(name, sizeof(name), "%u/a/b/c/d/f", i);
		add_file(builder, name, i);
	}
	index = end(builder);
	assert_int_equal(layer_index_count(index), 6 * MANY + 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_spellings),
	    cmocka_unit_test(test_back_from_link),
	    cmocka_unit_test(test_symlinked_parents),
	    cmocka_unit_test(test_link_to_nothing),
	    cmocka_unit_test(test_link_to_file),
	    cmocka_unit_test(test_loops),
	    cmocka_unit_test(test_long_chain),
	    cmocka_unit_test(test_long_targets),
	    cmocka_unit_test(test_too_many_directories),
	    cmocka_unit_test(test_many_directories),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
