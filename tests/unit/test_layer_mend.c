/* SPDX-License-Identifier: Apache-2.0 */
/* Indexes and trees that are damaged while they are in use are made again. */
#include "tree_fixture.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>

#include "base/strf.h"
#include "build/builder.h"

/* Overwrites each kept file of a kind ("layer-", "tree-") with zeros: how many
 * there are. */
static unsigned damage(struct world *world, const char *kind)
{
	AUTO_FREE char *dir = strf("%s/derived", world->dir);
	DIR *entries = opendir(dir);
	struct dirent *entry;
	struct err err = ERR_INIT;
	unsigned count = 0;

	assert_non_null(entries);
	while ((entry = readdir(entries))) {
		AUTO_FREE char *path = strf("%s/%s", dir, entry->d_name);
		AUTO_FREE char *zeros = NULL;
		AUTO_FD int fd = -1;
		off_t size;

		if (*entry->d_name == '.' ||
		    strncmp(entry->d_name, kind, strlen(kind)) != 0)
			continue;
		fd = open(path, O_RDWR | O_CLOEXEC);
		size = lseek(fd, 0, SEEK_END);
		zeros = calloc(1, (size_t)size);
		assert_non_null(zeros);
		assert_int_equal(file_pwrite(fd, zeros, (size_t)size, 0, &err),
		    0);
		count++;
	}
	closedir(entries);
	return count;
}

/* A layer whose index is kept, and whose blob nobody has any more. */
static struct layer *open_indexed(struct world *world, struct remote *remote)
{
	struct layer *layer = open_layer(&world->shelf, remote);

	index_of(layer);
	layer_put(layer);
	forget_blobs(world);
	layer = open_layer(&world->shelf, remote);
	assert_non_null(layer_index_known(layer));
	return layer;
}

static void check_packing(struct world *world, enum packing packing)
{
	struct remote *remote = add_remote(world, packing, &world->tar.bytes);
	CLEANUP(layer_put_p)
	struct layer *layer = open_indexed(world, remote);
	const struct layer_index *index = layer_index_known(layer);
	const uint32_t last = entry_of(index, "last");
	const uint64_t id = layer_index_id(index);
	struct layer_entry entry;
	struct err err = ERR_INIT;
	unsigned calls = remote_calls(remote);
	char data[64];

	assert_int_equal(damage(world, "layer-"), 1);
	assert_int_equal(layer_entry(layer, last, &entry, &err), 0);
	assert_int_equal(err.code, 0);
	assert_int_equal(entry.size, file_of(&world->tar, "last")->content.len);
	assert_true(remote_calls(remote) > calls);
	/* Who has it goes on with it. */
	assert_ptr_equal(layer_index_known(layer), index);
	assert_int_equal(layer_index_id(index), id);
	assert_files(layer, &world->tar);
	/* And again, by a reader of the file. */
	assert_int_equal(damage(world, "layer-"), 1);
	assert_int_equal(layer_read(layer, last, data, sizeof(data), 0, &err),
	    12);
	assert_files(layer, &world->tar);
	store_derived_drop(world->shelf.store, layer_key(layer));
}

static void all_packings(void **state)
{
	for (enum packing packing = 0; packing < PACKINGS; packing++)
		check_packing(*state, packing);
}

/* What would have to wait says so. */
static void what_is_known_does_not_wait(void **state)
{
	struct world *world = *state;
	struct remote *remote = add_remote(world, GZIP_ONE, &world->tar.bytes);
	CLEANUP(layer_put_p)
	struct layer *layer = open_layer(&world->shelf, remote);
	const uint32_t last = entry_of(index_of(layer), "last");
	struct err err = ERR_INIT;
	char data[64];

	assert_files(layer, &world->tar);
	assert_int_equal(layer_read_known(layer, last, data, sizeof(data), 0,
			     &err),
	    12);
	damage(world, "layer-");
	assert_int_equal(layer_read_known(layer, last, data, sizeof(data), 0,
			     &err),
	    -EUCLEAN);
	assert_int_equal(layer_read(layer, last, data, sizeof(data), 0, &err),
	    12);
	assert_int_equal(layer_read_known(layer, last, data, sizeof(data), 0,
			     &err),
	    12);
}

/* The same of who reads the blob by the spans that vouch for it. */
static void pieces_of_the_blob(void **state)
{
	struct world *world = *state;
	struct remote *remote = add_remote(world, GZIP_ONE, &world->tar.bytes);
	CLEANUP(layer_put_p)
	struct layer *layer = open_indexed(world, remote);
	struct err err = ERR_INIT;
	char data[64];

	assert_true(layer_is_vouched(layer));
	assert_int_equal(damage(world, "layer-"), 1);
	assert_int_equal(layer_read_stored(layer, data, sizeof(data), 5000,
			     &err),
	    sizeof(data));
	assert_int_equal(err.code, 0);
	assert_memory_equal(data, remote->content.bytes + 5000, sizeof(data));
	assert_true(layer_is_vouched(layer));
}

/* What its source says is why it cannot be made, until it can. */
static void it_cannot_be_fetched(void **state)
{
	struct world *world = *state;
	struct remote *remote = add_remote(world, GZIP_ONE, &world->tar.bytes);
	CLEANUP(layer_put_p)
	struct layer *layer = open_indexed(world, remote);
	const uint32_t last = entry_of(layer_index_known(layer), "last");
	struct layer_entry entry;
	struct err err = ERR_INIT;
	char *target;

	damage(world, "layer-");
	remote_damage(remote, 100);
	assert_int_equal(layer_entry(layer, last, &entry, &err), -EBADMSG);
	assert_int_equal(layer_target(layer, last, &target, &err), -EBADMSG);
	assert_non_null(strstr(err.msg, "sha256:"));
	remote_damage(remote, NEVER);
	assert_int_equal(layer_entry(layer, last, &entry, &err), 0);
	assert_files(layer, &world->tar);
}

/* Keeps an index for the layer that says what the layer does not. */
static void keep_false_index(struct world *world, struct layer *layer,
    uint64_t size)
{
	const struct layer_facts facts = {.blob = *layer_digest(layer),
	    .blob_size = size,
	    .stream_size = size};
	const struct tar_entry entry = {.type = TAR_FILE,
	    .name = "false",
	    .link = ""};
	CLEANUP(builder_free_p) struct builder *builder = NULL;
	struct err err = ERR_INIT;
	AUTO_FD int fd = store_temp(world->shelf.store, &err);

	assert_int_equal(builder_new("/tmp", &builder, &err), 0);
	assert_int_equal(builder_add(builder, &entry, &err), 0);
	assert_int_equal(builder_write(builder, &facts, fd, &err), 0);
	assert_int_equal(store_derived_put(world->shelf.store, fd,
			     layer_key(layer), &err),
	    0);
}

/* What was said of the entries of one is not true of those of another: that is
 * an error until the layer is opened again. */
static void it_comes_out_as_another(void **state)
{
	struct world *world = *state;
	struct remote *remote = add_remote(world, GZIP_ONE, &world->tar.bytes);
	struct layer *layer = open_layer(&world->shelf, remote);
	struct layer_entry entry;
	struct err err = ERR_INIT;
	uint32_t number;

	keep_false_index(world, layer, remote->content.size);
	number = entry_of(layer_index_known(layer), "false");
	assert_int_equal(layer_entry(layer, number, &entry, &err), 0);
	damage(world, "layer-");
	for (int i = 0; i < 2; i++) {
		assert_int_equal(layer_entry(layer, number, &entry, &err),
		    -EIO);
		assert_non_null(strstr(err.msg, "mount again"));
		err = (struct err)ERR_INIT;
	}
	layer_put(layer);
	reopen(world);
	layer = open_layer(&world->shelf, remote);
	assert_non_null(layer_index_known(layer));
	assert_files(layer, &world->tar);
	layer_put(layer);
}

/* An index under the name of another layer is not taken for this one's. */
static void a_file_of_another_layer(void **state)
{
	struct world *world = *state;
	struct remote *remote = add_remote(world, GZIP_ONE, &world->tar.bytes);
	CLEANUP(layer_put_p)
	struct layer *layer = open_layer(&world->shelf, remote);

	keep_false_index(world, layer, remote->content.size + 1);
	assert_null(layer_index_known(layer));
	index_of(layer);
	assert_files(layer, &world->tar);
}

static void check_tree(struct tree *tree)
{
	struct tree_item item;
	struct err err = ERR_INIT;

	assert_list(tree, "", "a d f");
	assert_list(tree, "d", "c b");
	assert_int_equal(find(tree, "d/b"), 0);
	assert_int_equal(find(tree, "gone"), -ENOENT);
	assert_int_equal(find(tree, "d/gone"), -ENOENT);
	assert_int_equal(tree_known(tree, "d", &item, &err), 1);
	assert_int_equal(err.code, 0);
}

static void trees(void **state)
{
	static const char *const kinds[] = {"layer-", "tree-", ""};
	AUTO_PILE struct pile pile = {.world = *state};
	AUTO_TREE struct tree *tree = NULL;
	struct tree_item item;
	struct err err = ERR_INIT;

	add(&pile, "a d/c gone");
	add(&pile, "d/b .wh.gone");
	add(&pile, "f");
	tree = tree_of(&pile);
	check_tree(tree);
	for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++) {
		assert_true(damage(*state, kinds[i]) > 0);
		assert_int_equal(tree_known(tree, "d", &item, &err), -EUCLEAN);
		err = (struct err)ERR_INIT;
		check_tree(tree);
		damage(*state, kinds[i]);
		assert_int_equal(find(tree, "d/b"), 0);
		check_tree(tree);
	}
}

/* A directory by its place, where the tree has none or another one by now. */
static void in_a_directory(void **state)
{
	AUTO_PILE struct pile pile = {.world = *state};
	AUTO_TREE struct tree *tree = NULL;
	struct tree_item dir, item, other;
	struct err err = ERR_INIT;

	add(&pile, "d/e/f x/f");
	add(&pile, "y");
	tree = tree_of(&pile);
	assert_int_equal(tree_find(tree, NULL, "d/e", &dir, &err), 0);
	assert_int_equal(tree_find(tree, NULL, "x", &other, &err), 0);
	assert_int_equal(tree_find(tree, &dir, "d/e/f", &item, &err), 0);
	assert_int_equal(tree_find(tree, &dir, "d/e/g", &item, &err), -ENOENT);
	other.place = dir.place;
	assert_int_equal(tree_find(tree, &other, "x/f", &item, &err), 0);
	other.place = UINT32_MAX;
	assert_int_equal(tree_find(tree, &other, "x/f", &item, &err), 0);
	other.place = 0;
	assert_int_equal(tree_find(tree, &other, "x/f", &item, &err), 0);
	assert_int_equal(item.entry,
	    entry_of(layer_index_known(item.layer), "x/f"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    WORLD_TEST(all_packings),
	    WORLD_TEST(what_is_known_does_not_wait),
	    WORLD_TEST(pieces_of_the_blob),
	    WORLD_TEST(it_cannot_be_fetched),
	    WORLD_TEST(it_comes_out_as_another),
	    WORLD_TEST(a_file_of_another_layer),
	    WORLD_TEST(trees),
	    WORLD_TEST(in_a_directory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
