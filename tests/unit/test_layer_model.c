/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Stacks that nobody would think of, compared with what unpacking their layers
 * one after the other into a directory would give: image-spec layer.md,
 * "Applying Changesets".
 */
#include "stack_fixture.h"

#include <stdio.h>

#include "base/strf.h"
#include "tree/merged.h"
#include "tree/stack.h"

enum {
	STACKS = 1500,
	MODEL_LAYERS = 5,
	ENTRIES = 7, /* of a layer at most */
	DEPTH = 3,
	THINGS_MAX = 4096,
	PATH_SIZE = 32,
};

/* What is unpacked. */
struct thing {
	char path[PATH_SIZE]; /* "" where it is gone */
	bool is_dir;
	uint32_t layer, entry; /* of its attributes */
};

struct model {
	struct thing things[THINGS_MAX];
	size_t count;
};

static struct thing *find(struct model *model, const char *path)
{
	for (size_t i = 0; i < model->count; i++)
		if (!strcmp(model->things[i].path, path))
			return &model->things[i];
	return NULL;
}

static bool is_below(const char *path, const char *dir)
{
	size_t len = strlen(dir);

	return !strncmp(path, dir, len) && path[len] == '/';
}

/* What is below a path, and what is there itself. */
static void remove_all(struct model *model, const char *path, bool itself,
    uint32_t layer)
{
	for (size_t i = 0; i < model->count; i++) {
		struct thing *thing = &model->things[i];

		if (thing->layer < layer &&
		    (is_below(thing->path, path) ||
			(itself && !strcmp(thing->path, path))))
			*thing->path = '\0';
	}
}

static void set(struct model *model, const char *path,
    const struct layer_index *index, uint32_t layer, uint32_t number)
{
	const struct layer_entry entry = entry_in(index, number);
	struct thing *thing = find(model, path);
	bool is_dir = S_ISDIR(entry.mode);

	if (thing && thing->is_dir && is_dir) {
		/* Who only needs a directory does not change it, unless nobody
		 * has described it. */
		if (!(entry.flags & LAYER_IMPLIED) || thing->entry == NONE) {
			thing->layer = layer;
			thing->entry =
			    entry.flags & LAYER_IMPLIED ? NONE : number;
		}
		return;
	}
	if (thing)
		remove_all(model, path, true, UINT32_MAX);
	assert_true(model->count < THINGS_MAX);
	thing = &model->things[model->count++];
	snprintf(thing->path, PATH_SIZE, "%s", path);
	thing->is_dir = is_dir;
	thing->layer = layer;
	thing->entry =
	    is_dir && entry.flags & LAYER_IMPLIED ? NONE : entry.link;
}

/* First what a layer hides, then what it has. */
static void apply(struct model *model, const struct layer_index *index,
    uint32_t layer, uint32_t dir, const char *path, bool hide)
{
	const struct layer_entry entry = entry_in(index, dir);

	if (hide && entry.flags & LAYER_OPAQUE)
		remove_all(model, path, false, layer);
	for (uint32_t i = 0; i < entry.child_count; i++) {
		const struct child child = child_in(index, dir, i);
		const char *name = child.name;
		bool mark = stack_is_whiteout(name);
		AUTO_FREE char *all =
		    strf("%s/%s", path, mark ? name + 4 : name);

		if (hide && mark && strcmp(name, ".wh..wh..opq") != 0)
			remove_all(model, all, true, layer);
		if (!hide && !mark)
			set(model, all, index, layer, child.entry);
		if (!mark)
			apply(model, index, layer, child.entry, all, hide);
	}
}

/* One of a few paths, so that layers meet. */
static void make_path(unsigned *seed, char path[PATH_SIZE])
{
	int depth = rand_r(seed) % DEPTH + 1, len = 0;

	for (int i = 0; i < depth; i++)
		len += snprintf(path + len, (size_t)(PATH_SIZE - len), "/%c",
		    'a' + rand_r(seed) % 3);
}

static struct layer_index *make_layer(unsigned *seed)
{
	struct builder *builder = begin();
	char path[PATH_SIZE], other[PATH_SIZE], name[2 * PATH_SIZE];
	int entries = rand_r(seed) % (ENTRIES + 1);

	while (entries-- > 0) {
		char *last;

		make_path(seed, path);
		make_path(seed, other);
		last = strrchr(path, '/');
		switch (rand_r(seed) % 8) {
		case 0:
		case 1:
			add_dir(builder, path, 0700);
			break;
		case 2:
			*last = '\0';
			snprintf(name, sizeof(name), "%s/.wh.%s", path,
			    last + 1);
			add_file(builder, name, 0);
			break;
		case 3:
			snprintf(name, sizeof(name), "%s/.wh..wh..opq", path);
			add_file(builder, name, 0);
			break;
		case 4:
			add_symlink(builder, path, "/nowhere");
			break;
		default:
			add_file(builder, path, 0);
		}
	}
	return end(builder);
}

static void check_node(const struct merged_node *node,
    const struct thing *thing)
{
	if (thing->entry == NONE) {
		assert_true(thing->is_dir);
		return;
	}
	assert_int_equal(node->layer, thing->layer);
	assert_int_equal(node->entry, thing->entry);
}

/* All that is in the model is in the tree, and as much. */
static void check_tree(const struct stack *stack, struct model *model,
    const struct merged *merged)
{
	const struct merged_stack indexes = indexes_of(stack);
	uint32_t nodes = 0, things = 0, found;

	for (size_t i = 0; i < model->count; i++) {
		const struct thing *thing = &model->things[i];
		struct named_node named;

		if (!*thing->path)
			continue;
		things++;
		if (!find_node(merged, &indexes, thing->path + 1, &found))
			fail_msg("no %s", thing->path);
		named = node_in(merged, &indexes, found);
		check_node(&named.node, thing);
	}
	/* Children follow one another from the root's first one on. */
	for (uint32_t i = 0; i <= nodes; i++)
		nodes += node_in(merged, &indexes, i).node.child_count;
	assert_int_equal(nodes, things);
}

/* What upper layers say alone stays true when the others are known. */
static void check_early(const struct stack *stack, struct model *model,
    size_t lowest, const char *path)
{
	CLEANUP(meaning_release) struct meaning meaning = {0};
	const struct thing *thing = find(model, path);
	struct layer_entry entry;
	struct err err = ERR_INIT;
	struct part part;

	assert_int_equal(stack_find(stack->layers, lowest, stack->count, path,
			     &meaning, &err),
	    0);
	if (meaning.count == 0) {
		assert_true(meaning.open || !thing);
		return;
	}
	assert_non_null(thing);
	assert_int_equal(meaning.is_dir, thing->is_dir);
	assert_int_equal(meaning_attributes(stack->layers, &meaning, &part,
			     &entry, &err),
	    0);
	if (meaning.is_dir && entry.flags & LAYER_IMPLIED)
		return;
	assert_int_equal(part.layer, thing->layer);
	assert_int_equal(entry.link, thing->entry);
}

static void check_stack(unsigned seed)
{
	AUTO_STACK struct stack stack = {.count = 0};
	AUTO_FREE struct model *model = calloc(1, sizeof(*model));
	CLEANUP(merged_close_p) struct merged *merged = NULL;
	struct merged_stack indexes;
	struct err err = ERR_INIT;
	int fd = memfd_create("tree", MFD_CLOEXEC);

	assert_non_null(model);
	for (uint32_t i = 0; i < MODEL_LAYERS; i++) {
		push_index(&stack, make_layer(&seed));
		apply(model, stack.layers[i], i, LAYER_ROOT, "", true);
		apply(model, stack.layers[i], i, LAYER_ROOT, "", false);
	}
	indexes = indexes_of(&stack);
	assert_int_equal(merged_write(&indexes, "/tmp", fd, &err), 0);
	assert_int_equal(merged_open(&indexes, fd, &merged, &err), 0);
	check_tree(&stack, model, merged);
	for (size_t lowest = 0; lowest <= stack.count; lowest++) {
		for (unsigned i = 0; i < 20; i++) {
			char path[PATH_SIZE];

			make_path(&seed, path);
			check_early(&stack, model, lowest, path);
		}
	}
}

static void test_model(void **state)
{
	(void)state;
	for (unsigned seed = 1; seed <= STACKS; seed++)
		check_stack(seed);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_model),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
