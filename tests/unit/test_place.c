/* SPDX-License-Identifier: Apache-2.0 */
/* Files of layers by their numbers: the same each time, and what they keep. */
#include "index_fixture.h"
#include "store_fixture.h"

#include "layer/layer.h"
#include "node/mount.h"
#include "node/place.h"
#include "node/view.h"

/* A mount of nothing but layers that were never fetched. */
struct world {
	char dir[64];
	struct store *store;
	struct layer_table *table;
	struct mount mount;
	struct mount_source source;
	unsigned released; /* layers that are gone */
};

static int fetch_nothing(void *arg, const struct digest *digest,
    uint64_t offset, uint64_t len, struct sink *sink, struct err *err)
{
	(void)arg;
	(void)digest;
	(void)offset;
	(void)len;
	(void)sink;
	return err_set(err, EIO, "there is nothing");
}

static void count_release(void *arg)
{
	++*(unsigned *)arg;
}

static int setup_world(void **state)
{
	struct world *world = calloc(1, sizeof(*world));
	struct store_options options = {world->dir, PLENTY, 4};
	struct err err = ERR_INIT;

	snprintf(world->dir, sizeof(world->dir), "/tmp/test-place-XXXXXX");
	assert_non_null(mkdtemp(world->dir));
	assert_int_equal(store_open(&options, &world->store, &err), 0);
	assert_int_equal(layer_table_new(world->store, &world->table, &err), 0);
	world->source.mount = &world->mount;
	world->mount.views = views;
	world->mount.nodes = node_table_new(&err);
	assert_non_null(world->mount.nodes);
	*state = world;
	return 0;
}

static int teardown_world(void **state)
{
	struct world *world = *state;

	if (world->mount.nodes)
		node_table_free(world->mount.nodes);
	layer_table_free(world->table);
	store_close(world->store);
	remove_tree(world->dir);
	free(world);
	return 0;
}

/* Keeps an index of three entries for the layer. */
static void keep_index(struct world *world, struct layer *layer, uint64_t size)
{
	const struct layer_facts facts = {.blob = *layer_digest(layer),
	    .blob_size = size};
	CLEANUP(builder_free_p) struct builder *builder = begin();
	struct err err = ERR_INIT;
	AUTO_FD int fd = store_temp(world->store, &err);

	add_file(builder, "a", 1);
	add_file(builder, "b", 2);
	assert_int_equal(builder_write(builder, &facts, fd, &err), 0);
	assert_int_equal(store_derived_put(world->store, fd, layer_key(layer),
			     &err),
	    0);
	assert_non_null(layer_index_known(layer));
}

/* A layer of a digest of zeros, with an index. */
static struct layer *open_sized(struct world *world, uint64_t size)
{
	const struct descriptor descriptor = {.media_type = "",
	    .digest = {.algorithm = DIGEST_SHA256},
	    .size = size};
	const struct store_source source = {.fetch = fetch_nothing,
	    .release = count_release,
	    .arg = &world->released};
	struct layer *layer;
	struct err err = ERR_INIT;

	assert_int_equal(layer_open(world->table, &descriptor, &source, &layer,
			     &err),
	    0);
	keep_index(world, layer, size);
	return layer;
}

static uint64_t ino_of(struct world *world, struct layer *layer, uint32_t entry)
{
	struct node *node = place_node(&world->source, layer, entry);
	uint64_t ino = node->ino;

	assert_non_null(node);
	node_put(node);
	return ino;
}

static void test_numbers(void **state)
{
	struct world *world = *state;
	struct layer *one = open_sized(world, 1), *two = open_sized(world, 2);
	uint64_t ino = ino_of(world, one, 2);

	assert_int_equal(ino >> 63, 0);
	assert_true(ino != NODE_ROOT);
	assert_int_equal(ino & 0xffffff, 2);
	/* Also when nobody knew it meanwhile. */
	assert_true(ino_of(world, one, 2) == ino);
	assert_true(place_number(&world->mount, one, 2) == ino);
	assert_true(ino_of(world, one, 1) == ino - 1);
	assert_true(ino_of(world, two, 2) != ino);
	layer_put(one);
	layer_put(two);
	assert_int_equal(world->released, 2);
}

static void test_lookups_keep_it(void **state)
{
	struct world *world = *state;
	struct layer *layer = open_sized(world, 1);
	struct node *one = place_node(&world->source, layer, 1);
	struct node *two = place_node(&world->source, layer, 2);
	struct node *found;
	uint64_t inos[] = {one->ino, two->ino};
	struct stat st;
	struct err err = ERR_INIT;

	layer_put(layer);
	node_looked_up(one);
	node_looked_up(two);
	node_looked_up(two);
	node_put(one);
	node_put(two);
	assert_int_equal(world->released, 0);
	found = node_find(world->mount.nodes, inos[1]);
	assert_non_null(found);
	assert_true(found->ino == inos[1]);
	assert_int_equal(found->view->stat(found, &st, &err), 0);
	assert_true(S_ISREG(st.st_mode));
	node_hold(found);
	node_put(found);
	node_forget(world->mount.nodes, inos[0], 1);
	node_forget(world->mount.nodes, inos[1], 1);
	node_forget(world->mount.nodes, inos[1], 1);
	/* An operation is under way. */
	assert_int_equal(world->released, 0);
	node_put(found);
	assert_int_equal(world->released, 1);
	assert_null(node_find(world->mount.nodes, inos[1]));
	node_forget(world->mount.nodes, inos[1], 1);
}

/* Numbers that nobody was given. */
static void test_unknown(void **state)
{
	struct world *world = *state;
	struct layer *layer = open_sized(world, 1);
	struct node *node = place_node(&world->source, layer, 1);

	assert_null(node_find(world->mount.nodes, node->ino + 2));
	assert_null(node_find(world->mount.nodes, node->ino | 0xffffff));
	assert_null(node_find(world->mount.nodes, node->ino + (1 << 24)));
	assert_null(node_find(world->mount.nodes, 2));
	node_forget(world->mount.nodes, 2, 100);
	/* More often than it was looked up. */
	node_looked_up(node);
	node_forget(world->mount.nodes, node->ino, UINT64_MAX);
	assert_non_null(node->place);
	node_put(node);
	layer_put(layer);
	assert_int_equal(world->released, 1);
}

/* The sizes of layers whose keys have the same first number, found by trying
 * all: to be found again if keys or numbers ever change. */
enum { COLLIDES = 1442487, WITH_THIS = 1610226 };

static void test_collision(void **state)
{
	struct world *world = *state;
	struct layer *one = open_sized(world, COLLIDES);
	struct layer *two = open_sized(world, WITH_THIS);
	struct node *first, *second, *found;
	uint64_t number = place_number(&world->mount, one, 1);

	assert_true(place_number(&world->mount, two, 1) == number);
	first = place_node(&world->source, one, 1);
	second = place_node(&world->source, two, 1);
	assert_true(first->ino == number);
	assert_true(second->ino == number + (1 << 24));
	assert_true(place_number(&world->mount, two, 1) == second->ino);
	node_looked_up(second);
	node_put(first);
	/* What the kernel has stays what it is when the other goes. */
	layer_put(one);
	assert_int_equal(world->released, 1);
	found = node_find(world->mount.nodes, second->ino);
	assert_non_null(found);
	node_put(found);
	node_put(second);
	node_forget(world->mount.nodes, number + (1 << 24), 1);
	layer_put(two);
	assert_int_equal(world->released, 2);
}

/* Those that the kernel never gives back go with the table. */
static void test_end(void **state)
{
	struct world *world = *state;
	struct layer *layer = open_sized(world, 1);
	struct node *node = place_node(&world->source, layer, 1);

	node_looked_up(node);
	node_put(node);
	layer_put(layer);
	assert_int_equal(world->released, 0);
	node_table_free(steal(&world->mount.nodes));
	assert_int_equal(world->released, 1);
}

struct looker {
	pthread_t thread;
	struct world *world;
	struct layer *layer;
};

static void *look(void *arg)
{
	struct looker *looker = arg;

	for (uint32_t i = 0; i < 2000; i++) {
		struct node *node =
		    place_node(&looker->world->source, looker->layer, i % 3);
		uint64_t ino = node->ino;

		node_looked_up(node);
		node_put(node);
		node = node_find(looker->world->mount.nodes, ino);
		assert_non_null(node);
		node_forget(looker->world->mount.nodes, ino, 1);
		node_put(node);
	}
	return NULL;
}

static void test_threads(void **state)
{
	enum { LOOKERS = 4 };
	struct world *world = *state;
	struct layer *layers[] = {open_sized(world, COLLIDES),
	    open_sized(world, WITH_THIS)};
	struct looker lookers[LOOKERS];

	for (int i = 0; i < LOOKERS; i++) {
		lookers[i] =
		    (struct looker){.world = world, .layer = layers[i % 2]};
		pthread_create(&lookers[i].thread, NULL, look, &lookers[i]);
	}
	for (int i = 0; i < LOOKERS; i++)
		pthread_join(lookers[i].thread, NULL);
	layer_put(layers[0]);
	layer_put(layers[1]);
	assert_int_equal(world->released, 2);
}

#define WORLD_TEST(name) \
	cmocka_unit_test_setup_teardown(name, setup_world, teardown_world)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    WORLD_TEST(test_numbers),
	    WORLD_TEST(test_lookups_keep_it),
	    WORLD_TEST(test_unknown),
	    WORLD_TEST(test_collision),
	    WORLD_TEST(test_end),
	    WORLD_TEST(test_threads),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
