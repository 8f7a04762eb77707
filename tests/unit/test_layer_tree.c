/* SPDX-License-Identifier: Apache-2.0 */
/* Trees of layers, of which some have not come yet. */
#include "tree_fixture.h"

/* A thread that asks for a path, or (is_list) for what is in one. */
struct asker {
	pthread_t thread;
	struct task task;
	pthread_barrier_t met;
	struct tree *tree;
	const char *path;
	bool is_list;
	int result;
};

static void *ask(void *arg)
{
	struct asker *asker = arg;
	AUTO_BUF struct buf names = BUF_INIT(NAMES_MAX);

	task_begin(&asker->task);
	pthread_barrier_wait(&asker->met);
	asker->result = asker->is_list ? list(asker->tree, asker->path, &names)
				       : find(asker->tree, asker->path);
	pthread_barrier_wait(&asker->met);
	task_end(&asker->task);
	return NULL;
}

static void asker_start(struct asker *asker, struct tree *tree,
    const char *path, bool is_list)
{
	memset(asker, 0, sizeof(*asker));
	asker->tree = tree;
	asker->path = path;
	asker->is_list = is_list;
	pthread_barrier_init(&asker->met, NULL, 2);
	pthread_create(&asker->thread, NULL, ask, asker);
	pthread_barrier_wait(&asker->met);
}

static int asker_end(struct asker *asker)
{
	pthread_barrier_wait(&asker->met);
	pthread_join(asker->thread, NULL);
	pthread_barrier_destroy(&asker->met);
	return asker->result;
}

/* Waiting for it is all that can be done. */
static void assert_waits(struct tree *tree, const char *path, bool is_list)
{
	struct asker asker;

	asker_start(&asker, tree, path, is_list);
	task_interrupt(&asker.task);
	if (asker_end(&asker) != -EINTR)
		fail_msg("%s: %d", path, asker.result);
}

static void test_settled_early(void **state)
{
	AUTO_PILE struct pile pile = {.world = *state};
	AUTO_TREE struct tree *tree = NULL;
	struct remote *low;

	low = add(&pile, "file low gone d/low o/low w/low");
	origin_open_gate(&low->origin, 0);
	add(&pile, "file .wh.gone d/ d/x o/ o/.wh..wh..opq o/b o/a implied/x "
		   "twice twin>twice w/ .wh.w w/new sym@low");
	tree = tree_of(&pile);
	assert_in(&pile, tree, "file", 1, 1);
	assert_in(&pile, tree, "d", 1, 1);
	assert_in(&pile, tree, "d/x", 1, 1);
	assert_in(&pile, tree, "o", 1, 1);
	assert_in(&pile, tree, "o/a", 1, 1);
	assert_in(&pile, tree, "w/new", 1, 1);
	assert_in(&pile, tree, "sym", 1, 1);
	assert_int_equal(find(tree, "gone"), -ENOENT);
	assert_int_equal(find(tree, "gone/x"), -ENOENT);
	assert_int_equal(find(tree, "file/x"), -ENOENT);
	assert_int_equal(find(tree, "sym/x"), -ENOENT);
	assert_int_equal(find(tree, "o/low"), -ENOENT);
	assert_int_equal(find(tree, "w/low"), -ENOENT);
	assert_int_equal(find(tree, ".wh.gone"), -ENOENT);
	assert_list(tree, "o", "b a");
	assert_list(tree, "w", "new");
	assert_int_equal(remote_sent(low), 0);
	/* These are not. */
	assert_waits(tree, "low", false);
	assert_waits(tree, "d/low", false);
	assert_waits(tree, "nothing", false);
	assert_waits(tree, "implied", false);
	assert_waits(tree, "twice", false);
	assert_waits(tree, "", false);
	assert_waits(tree, "", true);
	assert_waits(tree, "d", true);
	origin_open_gate(&low->origin, SIZE_MAX);
	assert_in(&pile, tree, "low", 0, 1);
	assert_in(&pile, tree, "d/low", 0, 1);
	assert_in(&pile, tree, "twice", 1, 2);
	assert_int_equal(find(tree, "nothing"), -ENOENT);
	assert_int_equal(find(tree, "o/low"), -ENOENT);
	assert_list(tree, "d", "low x");
	assert_list(tree, "o", "b a");
}

/* A link to what is below makes all files' links uncertain. */
static void test_dangling_waits(void **state)
{
	AUTO_PILE struct pile pile = {.world = *state};
	AUTO_TREE struct tree *tree = NULL;
	struct remote *low;

	low = add(&pile, "low");
	origin_open_gate(&low->origin, 0);
	add(&pile, "mid");
	add(&pile, "a>low b>mid top");
	tree = tree_of(&pile);
	assert_waits(tree, "a", false);
	assert_waits(tree, "mid", false);
	assert_waits(tree, "top", false);
	origin_open_gate(&low->origin, SIZE_MAX);
	assert_in(&pile, tree, "a", 0, 2);
	assert_in(&pile, tree, "low", 0, 2);
	assert_in(&pile, tree, "b", 1, 2);
	assert_in(&pile, tree, "top", 2, 1);
}

static void test_known(void **state)
{
	AUTO_PILE struct pile pile = {.world = *state};
	AUTO_TREE struct tree *tree = NULL;
	struct err err = ERR_INIT;
	struct tree_item item;

	add(&pile, "d/low");
	add(&pile, "d/high");
	tree = tree_of(&pile);
	assert_int_equal(tree_known(tree, "", &item, &err), 0);
	assert_int_equal(remote_calls(pile.remotes[0]), 0);
	assert_int_equal(remote_calls(pile.remotes[1]), 0);
	index_of(pile.layers[1]);
	assert_int_equal(tree_known(tree, "", &item, &err), 0);
	index_of(pile.layers[0]);
	assert_int_equal(tree_known(tree, "", &item, &err), 1);
	assert_int_equal(tree_known(tree, "d/low", &item, &err), 1);
	assert_ptr_equal(item.layer, pile.layers[0]);
	assert_int_equal(tree_known(tree, "d/x", &item, &err), 0);
}

/* As the bytes stand in the layers: readers go on where they are. */
static void test_order(void **state)
{
	AUTO_PILE struct pile pile = {.world = *state};
	AUTO_TREE struct tree *tree = NULL;

	add(&pile, "z a m/1 gone b");
	add(&pile, "y .wh.gone b c");
	add(&pile, "m/2 0");
	tree = tree_of(&pile);
	assert_list(tree, "", "z a y b c m 0");
	assert_list(tree, "m", "1 2");
}

static void test_alone(void **state)
{
	AUTO_PILE struct pile pile = {.world = *state};
	AUTO_TREE struct tree *tree = NULL;
	struct err err = ERR_INIT;
	struct tree_item item;
	struct remote *remote =
	    add(&pile, "x d/ .wh.x d/.wh..wh..opq l>x n>below");

	assert_int_equal(tree_new_layer(pile.layers[0], &tree, &err), 0);
	assert_int_equal(tree_known(tree, "", &item, &err), 0);
	origin_open_gate(&remote->origin, 0);
	assert_waits(tree, "x", false);
	assert_waits(tree, "d", true);
	origin_open_gate(&remote->origin, SIZE_MAX);
	assert_list(tree, "", "x d .wh.x l n");
	assert_list(tree, "d", ".wh..wh..opq");
	assert_in(&pile, tree, ".wh.x", 0, 1);
	assert_in(&pile, tree, "l", 0, 2);
	assert_in(&pile, tree, "n", 0, 1);
	assert_in(&pile, tree, "", 0, 3);
	assert_int_equal(find(tree, "y"), -ENOENT);
	assert_int_equal(find(tree, "x/y"), -ENOENT);
	assert_int_equal(tree_known(tree, "d", &item, &err), 1);
}

static void test_no_layers(void **state)
{
	AUTO_PILE struct pile pile = {.world = *state};
	AUTO_TREE struct tree *tree = tree_of(&pile);
	struct err err = ERR_INIT;
	struct tree_item item;

	assert_int_equal(find(tree, ""), -ENOENT);
	assert_int_equal(find(tree, "x"), -ENOENT);
	assert_int_equal(tree_known(tree, "", &item, &err), 0);
	assert_list(tree, "", "");
	tree_prefetch(tree);
}

static void test_one_layer(void **state)
{
	AUTO_PILE struct pile pile = {.world = *state};
	AUTO_TREE struct tree *tree = NULL;
	AUTO_BUF struct buf names = BUF_INIT(NAMES_MAX);

	add(&pile, "b a/c .wh.x a/d>b");
	tree = tree_of(&pile);
	assert_list(tree, "", "b a");
	assert_list(tree, "a", "c d");
	assert_in(&pile, tree, "a/d", 0, 2);
	assert_in(&pile, tree, "", 0, 3);
	assert_int_equal(list(tree, "nowhere", &names), -ENOENT);
}

static void test_many_layers(void **state)
{
	enum { MANY = 200 };
	AUTO_PILE struct pile pile = {.world = *state};
	AUTO_TREE struct tree *tree = NULL;
	char entries[64];

	for (unsigned i = 0; i < MANY; i++) {
		snprintf(entries, sizeof(entries), "d/%u all d/.wh.%u", i,
		    i - 2);
		add(&pile, entries);
	}
	tree = tree_of(&pile);
	assert_list(tree, "d", "198 199");
	assert_in(&pile, tree, "all", MANY - 1, 1);
	assert_in(&pile, tree, "d/198", MANY - 2, 1);
}

static int stop(void *arg, const char *name, const struct tree_item *item,
    struct err *err)
{
	unsigned *calls = arg;

	(void)item;
	return ++*calls == 2 ? err_set(err, EOVERFLOW, "%s", name) : 0;
}

static void test_listing_ends(void **state)
{
	AUTO_PILE struct pile pile = {.world = *state};
	AUTO_TREE struct tree *tree = NULL;
	struct err err = ERR_INIT;
	unsigned calls = 0;

	add(&pile, "a b c");
	tree = tree_of(&pile);
	assert_int_equal(tree_list(tree, "", stop, &calls, &err), -EOVERFLOW);
	assert_int_equal(calls, 2);
	assert_string_equal(err.msg, "b");
}

static void test_source_fails(void **state)
{
	AUTO_PILE struct pile pile = {.world = *state};
	AUTO_TREE struct tree *tree = NULL;
	struct remote *low = add(&pile, "low");

	add(&pile, "high");
	low->origin.failing = 1000000;
	low->origin.failure = ENETUNREACH;
	tree = tree_of(&pile);
	assert_in(&pile, tree, "high", 1, 1);
	assert_int_equal(find(tree, "low"), -ENETUNREACH);
	assert_int_equal(find(tree, "low"), -ENETUNREACH);
	low->origin.failing = 0;
	assert_in(&pile, tree, "low", 0, 1);
}

static void test_many_askers(void **state)
{
	enum { ASKERS = 8 };
	AUTO_PILE struct pile pile = {.world = *state};
	AUTO_TREE struct tree *tree = NULL;
	struct asker askers[ASKERS];

	add(&pile, "a d/b");
	add(&pile, "d/c");
	add(&pile, "d/e f");
	for (int i = 0; i < 3; i++)
		origin_open_gate(&pile.remotes[i]->origin, 0);
	tree = tree_of(&pile);
	for (unsigned i = 0; i < ASKERS; i++)
		asker_start(&askers[i], tree, i % 2 ? "d" : "d/b", i % 4 == 1);
	for (int i = 0; i < 3; i++)
		origin_open_gate(&pile.remotes[i]->origin, SIZE_MAX);
	for (unsigned i = 0; i < ASKERS; i++)
		assert_int_equal(asker_end(&askers[i]), 0);
	for (int i = 0; i < 3; i++)
		assert_int_equal(remote_calls(pile.remotes[i]), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    WORLD_TEST(test_settled_early),
	    WORLD_TEST(test_dangling_waits),
	    WORLD_TEST(test_known),
	    WORLD_TEST(test_order),
	    WORLD_TEST(test_alone),
	    WORLD_TEST(test_no_layers),
	    WORLD_TEST(test_one_layer),
	    WORLD_TEST(test_many_layers),
	    WORLD_TEST(test_listing_ends),
	    WORLD_TEST(test_source_fails),
	    WORLD_TEST(test_many_askers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
