/* SPDX-License-Identifier: Apache-2.0 */
/* Trees that are kept for the next time. */
#include "tree_fixture.h"

#include <dirent.h>

#include "base/strf.h"

/* The trees that are kept, and how many. */
static unsigned kept_trees(struct world *world, char path[1024])
{
	AUTO_FREE char *dir = strf("%s/derived", world->dir);
	DIR *entries = opendir(dir);
	struct dirent *entry;
	unsigned count = 0;

	assert_non_null(entries);
	while ((entry = readdir(entries))) {
		if (strncmp(entry->d_name, "tree-", 5) != 0)
			continue;
		snprintf(path, 1024, "%s/%s", dir, entry->d_name);
		count++;
	}
	closedir(entries);
	return count;
}

static void check_again(struct pile *pile)
{
	AUTO_TREE struct tree *tree = NULL;

	for (size_t i = 0; i < pile->count; i++)
		layer_put(pile->layers[i]);
	reopen(pile->world);
	open_pile(pile);
	tree = tree_of(pile);
	assert_list(tree, "", "a d");
	assert_list(tree, "d", "c b");
}

static void test_kept(void **state)
{
	AUTO_PILE struct pile pile = {.world = *state};
	struct stat before, after;
	char path[1024];

	add(&pile, "a d/c");
	add(&pile, "d/b");
	check_again(&pile);
	assert_int_equal(kept_trees(*state, path), 1);
	assert_int_equal(stat(path, &before), 0);
	check_again(&pile);
	assert_int_equal(kept_trees(*state, path), 1);
	assert_int_equal(stat(path, &after), 0);
	assert_int_equal(before.st_ino, after.st_ino);
	assert_int_equal(truncate(path, before.st_size - 8), 0);
	check_again(&pile);
	assert_int_equal(kept_trees(*state, path), 1);
	assert_int_equal(stat(path, &after), 0);
	assert_int_equal(before.st_size, after.st_size);
	write_file(path, "rubbish", 7);
	check_again(&pile);
	assert_int_equal(stat(path, &after), 0);
	assert_int_equal(before.st_size, after.st_size);
	/* Another stack has another one. */
	add(&pile, "");
	check_again(&pile);
	assert_int_equal(kept_trees(*state, path), 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    WORLD_TEST(test_kept),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
