/* SPDX-License-Identifier: Apache-2.0 */
/* Nodes and the directories that they are in. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
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
static const struct view_ops *const kinds[NODE_KINDS] = {
    [NODE_IMAGE] = &view,
    [NODE_REFERRERS] = &view,
};

struct world {
	struct mount mount;
	struct mount_source source;
	struct node *top, *a, *b; /* top/a/b */
};

static struct node *add(struct world *w, struct node *parent,
    enum node_kind kind, const char *key)
{
	struct node *node = calloc(1, sizeof(*node));
	struct err err = ERR_INIT;

	assert_non_null(node);
	if (parent)
		node_init_in(node, parent, key, kind, strdup(key), 0, 0);
	else
		node_init(node, &w->source, kind, strdup(key), 0, 0);
	node = node_add(w->mount.nodes, node, &err);
	assert_non_null(node);
	return node;
}

/* To another directory, as to/a. */
static void move_a(struct world *w, struct node *to)
{
	const struct node_names names = {strdup("to/a"), strdup("a")};
	struct node_names before = node_move(w->a, to, names);

	free(before.key);
	free(before.name);
}

static int setup(void **state)
{
	struct world *w = calloc(1, sizeof(*w));
	struct err err = ERR_INIT;

	assert_non_null(w);
	w->mount.views = kinds;
	w->mount.nodes = node_table_new(&err);
	assert_non_null(w->mount.nodes);
	w->source.mount = &w->mount;
	w->top = add(w, NULL, NODE_IMAGE, "top");
	w->a = add(w, w->top, NODE_REFERRERS, "top/a");
	w->b = add(w, w->a, NODE_IMAGE, "top/a/b");
	freed = 0;
	*state = w;
	return 0;
}

static int teardown(void **state)
{
	struct world *w = *state;

	node_table_free(w->mount.nodes);
	free(w);
	return 0;
}

static void a_node_is_below_what_leads_to_it(void **state)
{
	struct world *w = *state;
	/* Their keys begin alike. */
	CLEANUP(node_put_p)
	struct node *other = add(w, NULL, NODE_IMAGE, "top/a/b/c");

	assert_true(node_is_in(w->a, w->top));
	assert_false(node_is_in(w->b, w->top));
	assert_true(node_is_below(w->b, w->top));
	assert_true(node_is_below(w->b, w->a));
	assert_false(node_is_below(w->a, w->b));
	assert_false(node_is_below(w->a, w->a));
	assert_false(node_is_below(other, w->top));
	assert_int_equal(node_nesting(w->b, NODE_REFERRERS), 1);
	assert_int_equal(node_nesting(w->b, NODE_IMAGE), 2);
	assert_int_equal(node_nesting(w->top, NODE_REFERRERS), 0);
}

static void a_node_keeps_what_leads_to_it(void **state)
{
	struct world *w = *state;

	node_put(w->top);
	node_put(w->a);
	assert_int_equal(freed, 0);
	node_put(w->b);
	assert_int_equal(freed, 3);
	assert_null(node_find(w->mount.nodes, node_number(NODE_IMAGE, "top")));
}

static void what_the_kernel_forgets_lets_its_directory_go(void **state)
{
	struct world *w = *state;
	uint64_t ino = w->b->ino;

	node_looked_up(w->b);
	node_put(w->top);
	node_put(w->a);
	node_put(w->b);
	assert_int_equal(freed, 0);
	node_forget(w->mount.nodes, ino, 1);
	assert_int_equal(freed, 3);
}

static void a_move_takes_what_is_below_along(void **state)
{
	struct world *w = *state;
	struct node *to = add(w, NULL, NODE_IMAGE, "to");

	move_a(w, to);
	assert_true(node_is_below(w->b, to));
	assert_false(node_is_below(w->b, w->top));
	node_put(w->top);
	assert_int_equal(freed, 1);
	node_put(to);
	assert_int_equal(freed, 1);
}

/* top/a is moved; top/a is made again, and in it what is still known as
 * top/a/b. */
static void what_is_found_again_is_where_it_was_found(void **state)
{
	struct world *w = *state;
	struct node *to = add(w, NULL, NODE_IMAGE, "to"), *again, *found;

	move_a(w, to);
	again = add(w, w->top, NODE_REFERRERS, "top/a");
	assert_ptr_not_equal(again, w->a);
	found = add(w, again, NODE_IMAGE, "top/a/b");
	assert_ptr_equal(found, w->b);
	assert_true(node_is_below(w->b, w->top));
	assert_false(node_is_below(w->b, to));
	freed = 0;
	node_put(w->a);
	assert_int_equal(freed, 1);
	node_put(again);
	node_put(found);
	assert_int_equal(freed, 1);
	node_put(w->b);
	assert_int_equal(freed, 3);
}

#define DIRECTORIES_TEST(name) \
	cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    DIRECTORIES_TEST(a_node_is_below_what_leads_to_it),
	    DIRECTORIES_TEST(a_node_keeps_what_leads_to_it),
	    DIRECTORIES_TEST(what_the_kernel_forgets_lets_its_directory_go),
	    DIRECTORIES_TEST(a_move_takes_what_is_below_along),
	    DIRECTORIES_TEST(what_is_found_again_is_where_it_was_found),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
