/* SPDX-License-Identifier: Apache-2.0 */
/* Hard links of a layer. */
#include "index_fixture.h"

static void test_to_file(void **state)
{
	struct builder *builder = begin();
	AUTO_INDEX struct layer_index *index = NULL;

	(void)state;
	add_file(builder, "d/f", 7);
	add_link(builder, "a", "d/f");
	add_link(builder, "e/b", "./a");
	add_link(builder, "c", "/e/b");
	index = end(builder);
	assert_int_equal(at(index, "c").data, 7);
	assert_int_equal(at(index, "c").size, 1);
	assert_int_equal(at(index, "c").mode, S_IFREG | 0644);
	assert_linked(index, "d/f", "a", 4);
	assert_linked(index, "a", "e/b", 4);
	assert_linked(index, "e/b", "c", 4);
	assert_false(layer_index_facts(index)->has_dangling);
}

static void test_to_symlink(void **state)
{
	struct builder *builder = begin();
	AUTO_INDEX struct layer_index *index = NULL;

	(void)state;
	add_file(builder, "f", 1);
	add_symlink(builder, "s", "f");
	add_link(builder, "h", "s");
	index = end(builder);
	/* To the link itself, as link() does it. */
	assert_true(S_ISLNK(at(index, "h").mode));
	assert_string_equal(target_in(index, number_at(index, "h")).text, "f");
	assert_linked(index, "s", "h", 2);
	assert_int_equal(at(index, "f").links, 1);
}

static void test_through_symlink(void **state)
{
	struct builder *builder = begin();
	AUTO_INDEX struct layer_index *index = NULL;

	(void)state;
	add_file(builder, "usr/lib/f", 1);
	add_symlink(builder, "lib", "usr/lib");
	add_link(builder, "lib/h", "lib/f");
	index = end(builder);
	assert_linked(index, "usr/lib/f", "usr/lib/h", 2);
}

static void test_to_directory(void **state)
{
	struct builder *builder = begin();
	AUTO_INDEX struct layer_index *index = NULL;

	(void)state;
	add_dir(builder, "d", 0700);
	add_file(builder, "was", 1);
	add_link(builder, "h", "d");
	add_link(builder, "was", "d");
	add_link(builder, "r", "/");
	add_link(builder, "r2", "d/..");
	index = end(builder);
	assert_names(index, "", "d was");
	assert_int_equal(at(index, "was").data, 1);
}

/* The name of a directory that becomes a link takes what was in it. */
static void test_over_directory(void **state)
{
	struct builder *builder = begin();
	AUTO_INDEX struct layer_index *index = NULL;

	(void)state;
	add_file(builder, "f", 1);
	add_file(builder, "d/in", 2);
	add_link(builder, "d", "f");
	index = end(builder);
	assert_names(index, "", "d f");
	assert_linked(index, "d", "f", 2);
	assert_int_equal(at(index, "d").child_count, 0);
}

/* A link is to the file that had the name when the link was made. */
static void test_target_replaced(void **state)
{
	struct builder *builder = begin();
	AUTO_INDEX struct layer_index *index = NULL;

	(void)state;
	add_file(builder, "f", 1);
	add_link(builder, "old", "f");
	add_file(builder, "f", 2);
	add_link(builder, "new", "f");
	add_link(builder, "old2", "old");
	index = end(builder);
	assert_int_equal(at(index, "old").data, 1);
	assert_int_equal(at(index, "new").data, 2);
	assert_linked(index, "old", "old2", 2);
	assert_linked(index, "f", "new", 2);
}

static void test_target_gone_with_directory(void **state)
{
	struct builder *builder = begin();
	AUTO_INDEX struct layer_index *index = NULL;

	(void)state;
	add_file(builder, "d/f", 1);
	add_link(builder, "h", "d/f");
	add_file(builder, "d", 2);
	add_link(builder, "late", "d/f");
	index = end(builder);
	assert_int_equal(at(index, "h").data, 1);
	assert_int_equal(entry_in(index, at(index, "h").link).links, 1);
	/* Of this layer there is no such file any more. */
	assert_int_equal(at(index, "late").flags, LAYER_DANGLING);
}

static void test_to_itself(void **state)
{
	struct builder *builder = begin();
	AUTO_INDEX struct layer_index *index = NULL;

	(void)state;
	add_file(builder, "f", 1);
	add_link(builder, "f", "f");
	add_link(builder, "f", "./x/../f");
	/* Twice the same. */
	add_link(builder, "h", "f");
	add_link(builder, "h", "f");
	/* And to itself where there is none. */
	add_link(builder, "n", "n");
	index = end(builder);
	assert_int_equal(at(index, "f").data, 1);
	assert_linked(index, "f", "h", 2);
	assert_int_equal(at(index, "n").flags, LAYER_DANGLING);
}

static void test_dangling(void **state)
{
	struct builder *builder = begin();
	AUTO_INDEX struct layer_index *index = NULL;
	uint32_t number;

	(void)state;
	add_link(builder, "h", "below/f");
	add_link(builder, "again", "h");
	/* What comes later is another file. */
	add_file(builder, "below/f", 1);
	index = end(builder);
	number = number_at(index, "h");
	assert_int_equal(at(index, "h").flags, LAYER_DANGLING);
	assert_true(S_ISREG(at(index, "h").mode));
	assert_string_equal(target_in(index, number).text, "below/f");
	assert_int_equal(at(index, "h").link, number);
	number = number_at(index, "again");
	assert_int_equal(at(index, "again").flags, LAYER_DANGLING);
	assert_string_equal(target_in(index, number).text, "below/f");
	assert_int_equal(at(index, "below/f").links, 1);
	assert_true(layer_index_facts(index)->has_dangling);
}

/* The path of a link that dangles is that of the layers below, which know no
 * other spelling of it. */
static void test_dangling_spellings(void **state)
{
	static const char *const targets[] = {"./a/b", "/a/b", "a//./b",
	    "../a/b", "a/c/../b", "a/b/"};

	(void)state;
	for (size_t i = 0; i < sizeof(targets) / sizeof(*targets); i++) {
		struct builder *builder = begin();
		AUTO_INDEX struct layer_index *index = NULL;

		add_link(builder, "h", targets[i]);
		index = end(builder);
		assert_string_equal(target_in(index, number_at(index, "h"))
					.text,
		    "a/b");
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_to_file),
	    cmocka_unit_test(test_to_symlink),
	    cmocka_unit_test(test_through_symlink),
	    cmocka_unit_test(test_to_directory),
	    cmocka_unit_test(test_over_directory),
	    cmocka_unit_test(test_target_replaced),
	    cmocka_unit_test(test_target_gone_with_directory),
	    cmocka_unit_test(test_to_itself),
	    cmocka_unit_test(test_dangling),
	    cmocka_unit_test(test_dangling_spellings),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
