/* SPDX-License-Identifier: Apache-2.0 */
/* Nodes: one a key, the same number each time, gone when nobody knows them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "node/mount.h"
#include "node/nodes.h"

static unsigned freed;

static void count_free(struct node *node)
{
	freed++;
	free(node);
}

static const struct view_ops view = {.free = count_free};
static const struct view_ops *const kinds[NODE_KINDS] = {[NODE_REPO] = &view};

static struct node *add(struct mount *mount, const char *key)
{
	struct node *node = calloc(1, sizeof(*node));
	struct mount_source source = {.mount = mount};
	struct err err = ERR_INIT;

	assert_non_null(node);
	node_init(node, &source, NODE_REPO, strdup(key), 0, 0);
	node = node_add(mount->nodes, node, &err);
	assert_non_null(node);
	return node;
}

static void test_one_a_key(void **state)
{
	struct err err = ERR_INIT;
	struct mount mount = {.views = kinds, .nodes = node_table_new(&err)};
	struct node *a = add(&mount, "blob:a"), *again = add(&mount, "blob:a");
	struct node *b = add(&mount, "blob:b");

	(void)state;
	freed = 0;
	assert_ptr_equal(a, again);
	assert_ptr_not_equal(a, b);
	assert_true(a->ino == node_number(NODE_REPO, "blob:a"));
	assert_true(a->ino >> 63);
	assert_ptr_equal(node_find(mount.nodes, a->ino), a);
	for (int i = 0; i < 3; i++)
		node_put(a);
	assert_int_equal(freed, 1);
	assert_null(node_find(mount.nodes, node_number(NODE_REPO, "blob:a")));
	node_put(b);
	node_table_free(mount.nodes);
	assert_int_equal(freed, 2);
}

static void test_lookups_keep_it(void **state)
{
	struct err err = ERR_INIT;
	struct mount mount = {.views = kinds, .nodes = node_table_new(&err)};
	struct node *node = add(&mount, "x");
	uint64_t ino = node->ino;

	(void)state;
	freed = 0;
	node_looked_up(node);
	node_looked_up(node);
	node_put(node);
	node_forget(mount.nodes, ino, 1);
	assert_int_equal(freed, 0);
	node_forget(mount.nodes, ino, 1);
	assert_int_equal(freed, 1);
	/* What the kernel forgets twice is no harm. */
	node_forget(mount.nodes, ino, 1);
	node_table_free(mount.nodes);
}

static void test_many(void **state)
{
	enum { MANY = 5000 };
	struct err err = ERR_INIT;
	struct mount mount = {.views = kinds, .nodes = node_table_new(&err)};
	char key[32];

	(void)state;
	freed = 0;
	for (int i = 0; i < MANY; i++) {
		snprintf(key, sizeof(key), "k%d", i);
		node_looked_up(add(&mount, key));
	}
	for (int i = 0; i < MANY; i++) {
		struct node *node;

		snprintf(key, sizeof(key), "k%d", i);
		node = node_find(mount.nodes, node_number(NODE_REPO, key));
		assert_non_null(node);
		assert_string_equal(node->key, key);
		node_put(node);
	}
	node_table_free(mount.nodes);
	assert_int_equal(freed, MANY);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_one_a_key),
	    cmocka_unit_test(test_lookups_keep_it),
	    cmocka_unit_test(test_many),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
