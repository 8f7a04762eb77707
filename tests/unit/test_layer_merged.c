/* SPDX-License-Identifier: Apache-2.0 */
/* The trees that stacks of layers make. */
#include "stack_fixture.h"

#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include "base/file.h"
#include "base/strf.h"
#include "tree/merged.h"
#include "tree/stack.h"

static struct merged *merge(const struct stack *stack)
{
	const struct merged_stack indexes = indexes_of(stack);
	struct merged *merged = NULL;
	struct err err = ERR_INIT;
	int fd = memfd_create("tree", MFD_CLOEXEC);

	assert_true(fd >= 0);
	if (merged_write(&indexes, "/tmp", fd, &err) < 0 ||
	    merged_open(&indexes, fd, &merged, &err) < 0)
		fail_msg("%s", err.msg);
	return merged;
}

#define AUTO_MERGED CLEANUP(merged_close_p)

static struct merged_node node_of(const struct stack *stack,
    const struct merged *merged, uint32_t number)
{
	const struct merged_stack indexes = indexes_of(stack);

	return node_in(merged, &indexes, number).node;
}

static bool find(const struct stack *stack, const struct merged *merged,
    const char *path, uint32_t *out)
{
	const struct merged_stack indexes = indexes_of(stack);

	return find_node(merged, &indexes, path, out);
}

/* What is at a path, which is there. */
static struct merged_node node_at(const struct stack *stack,
    const struct merged *merged, const char *path)
{
	uint32_t number;

	assert_true(find(stack, merged, path, &number));
	return node_of(stack, merged, number);
}

static struct layer_entry entry_of(const struct stack *stack,
    const struct merged_node *node)
{
	return entry_in(stack->layers[node->layer], node->entry);
}

/* Appends " path:layer*links" of all that is in a directory. */
static void print_tree(const struct stack *stack, const struct merged *merged,
    uint32_t dir, const char *path, struct buf *out)
{
	const struct merged_stack indexes = indexes_of(stack);
	const struct merged_node node = node_of(stack, merged, dir);
	struct err err = ERR_INIT;

	for (uint32_t i = node.first_child;
	     i < node.first_child + node.child_count; i++) {
		const struct named_node named = node_in(merged, &indexes, i);
		const struct merged_node *child = &named.node;
		const char *name = named.name;
		AUTO_FREE char *all =
		    *path ? strf("%s/%s", path, name) : strdup(name);
		uint32_t found;

		assert_int_equal(child->parent, dir);
		assert_true(find(stack, merged, all, &found));
		assert_int_equal(found, i);
		buf_addf(out, &err, "%s%s:%u*%u", out->len ? " " : "", all,
		    child->layer, child->links);
		if (S_ISDIR(entry_of(stack, child).mode))
			print_tree(stack, merged, i, all, out);
		else
			assert_int_equal(child->child_count, 0);
	}
}

static void assert_tree(const struct stack *stack, const char *want)
{
	AUTO_MERGED struct merged *merged = merge(stack);
	AUTO_BUF struct buf tree = BUF_INIT(TREE_TEXT_MAX);

	print_tree(stack, merged, MERGED_ROOT, "", &tree);
	assert_string_equal(buf_str(&tree), want);
}

static void test_one(void **state)
{
	AUTO_STACK struct stack stack = {.count = 0};

	(void)state;
	push(&stack, "b/c a @ b/d>a .wh.x b/.wh..wh..opq s@a");
	assert_tree(&stack, "a:0*2 b:0*2 b/c:0*1 b/d:0*2 s:0*1");
}

static void test_nothing_in_it(void **state)
{
	AUTO_STACK struct stack stack = {.count = 0};
	AUTO_MERGED struct merged *merged = NULL;
	uint32_t found;

	(void)state;
	push(&stack, "");
	push(&stack, ".wh.x");
	assert_tree(&stack, "");
	merged = merge(&stack);
	assert_int_equal(node_of(&stack, merged, MERGED_ROOT).links, 2);
	assert_true(find(&stack, merged, "", &found));
	assert_int_equal(found, MERGED_ROOT);
	assert_false(find(&stack, merged, "x", &found));
	assert_false(find(&stack, merged, "x/y", &found));
	assert_false(find(&stack, merged, "/", &found));
}

static void test_changes(void **state)
{
	AUTO_STACK struct stack stack = {.count = 0};

	(void)state;
	push(&stack, "a/:700 a/old a/kept b c/in d/in e/in f");
	push(&stack, "a/.wh.old a/new b/now_dir c .wh.d");
	push(&stack, "a/new e/.wh..wh..opq e/other f@b");
	assert_tree(&stack,
	    "a:0*2 a/kept:0*1 a/new:2*1 b:1*2 b/now_dir:1*1 c:1*1 "
	    "e:2*2 e/other:2*1 f:2*1");
}

/* Links are counted by the names that can be seen. */
static void test_hidden_links(void **state)
{
	AUTO_STACK struct stack stack = {.count = 0};

	(void)state;
	push(&stack, "f a>f d/b>f d/s/ e/x");
	push(&stack, ".wh.a d/b e/y/");
	assert_tree(&stack,
	    "d:1*3 d/b:1*1 d/s:0*2 e:1*3 e/x:0*1 e/y:1*2 f:0*1");
}

static void test_links_across_layers(void **state)
{
	AUTO_STACK struct stack stack = {.count = 0};
	AUTO_MERGED struct merged *merged = NULL;
	struct merged_node low;

	(void)state;
	push(&stack, "usr/f was");
	push(&stack, "g>./usr/f w>was");
	push(&stack, "h>g was");
	assert_tree(&stack, "g:0*3 h:0*3 usr:0*2 usr/f:0*3 w:0*1 was:2*1");
	merged = merge(&stack);
	low = node_at(&stack, merged, "usr/f");
	assert_int_equal(node_at(&stack, merged, "g").entry, low.entry);
	assert_int_equal(node_at(&stack, merged, "h").entry, low.entry);
}

/* A link is to what was there when its layer was made. */
static void test_link_to_replaced(void **state)
{
	AUTO_STACK struct stack stack = {.count = 0};

	(void)state;
	push(&stack, "f");
	push(&stack, "g>f");
	push(&stack, ".wh.f");
	push(&stack, "f h>f");
	/* The last one is to its own layer's. */
	assert_tree(&stack, "f:3*2 g:0*1 h:3*2");
}

static void test_link_to_nothing(void **state)
{
	AUTO_STACK struct stack stack = {.count = 0};
	AUTO_MERGED struct merged *merged = NULL;
	struct merged_node node;

	(void)state;
	push(&stack, "d/ gone");
	push(&stack, "n>nowhere d2>d .wh.gone l>later");
	push(&stack, "g>gone later loop>loop");
	assert_tree(&stack,
	    "d:0*2 d2:1*1 g:2*1 l:1*1 later:2*1 loop:2*1 n:1*1");
	merged = merge(&stack);
	node = node_at(&stack, merged, "n");
	assert_int_equal(entry_of(&stack, &node).flags, LAYER_DANGLING);
}

static void test_attributes(void **state)
{
	AUTO_STACK struct stack stack = {.count = 0};
	AUTO_MERGED struct merged *merged = NULL;
	struct merged_node root;

	(void)state;
	push(&stack, "./:711 d/:700 e/x");
	push(&stack, "d/x e/:710 d/y/:701");
	push(&stack, "d/z e/z d/y/z");
	merged = merge(&stack);
	root = node_at(&stack, merged, "");
	assert_int_equal(entry_of(&stack, &root).mode & 0777, 0711);
	assert_int_equal(node_at(&stack, merged, "d").layer, 0);
	assert_int_equal(node_at(&stack, merged, "e").layer, 1);
	assert_int_equal(node_at(&stack, merged, "d/y").layer, 1);
}

static void test_many_layers(void **state)
{
	enum { MANY = 200 };
	AUTO_STACK struct stack stack = {.count = 0};
	AUTO_MERGED struct merged *merged = NULL;
	char entries[128], path[32];
	uint32_t found;

	(void)state;
	push(&stack, "f d/");
	for (unsigned i = 1; i < MANY; i++) {
		/* Each has one file more, hides that of the one before, and
		 * links to the one before. */
		snprintf(entries, sizeof(entries), "d/%u d/.wh.%u l%u>%s%u", i,
		    i - 1, i, i > 1 ? "l" : "f", i - 1);
		if (i == 1)
			snprintf(entries, sizeof(entries), "d/1 l1>f");
		push(&stack, entries);
	}
	merged = merge(&stack);
	for (unsigned i = 1; i < MANY; i++) {
		snprintf(path, sizeof(path), "d/%u", i);
		assert_int_equal(find(&stack, merged, path, &found),
		    i == MANY - 1);
		snprintf(path, sizeof(path), "l%u", i);
		assert_int_equal(node_at(&stack, merged, path).layer, 0);
		assert_int_equal(node_at(&stack, merged, path).links, MANY);
	}
}

static int open_damaged(const struct merged_stack *stack, const void *data,
    size_t size)
{
	struct merged *merged;
	struct err err = ERR_INIT;
	int fd = memfd_create("tree", MFD_CLOEXEC), r;

	assert_int_equal(file_pwrite(fd, data, size, 0, &err), 0);
	r = merged_open(stack, fd, &merged, &err);
	if (r == 0)
		merged_close(merged);
	return r;
}

static void test_damage(void **state)
{
	AUTO_STACK struct stack stack = {.count = 0};
	AUTO_FD int fd = memfd_create("tree", MFD_CLOEXEC);
	struct merged_stack indexes;
	struct pile nodes;
	struct err err = ERR_INIT;
	char data[4096];
	ssize_t size;

	(void)state;
	push(&stack, "a d/b");
	indexes = indexes_of(&stack);
	assert_int_equal(merged_write(&indexes, "/tmp", fd, &err), 0);
	size = file_pread(fd, data, sizeof(data), 0, &err);
	assert_int_equal(open_damaged(&indexes, data, (size_t)size), 0);
	for (ssize_t i = 0; i < size; i++) {
		data[i] ^= 4;
		/* The version's characters say that it is another one. */
		assert_int_equal(open_damaged(&indexes, data, (size_t)size),
		    i == 6 || i == 7 ? -ESTALE : -EBADMSG);
		data[i] ^= 4;
		assert_int_equal(open_damaged(&indexes, data, (size_t)i),
		    -EBADMSG);
	}
	assert_int_equal(ftruncate(fd, 0), 0);
	pile_init(&nodes, "/tmp", SIZE_MAX / 2);
	assert_int_equal(merged_put(&indexes, &nodes, fd, &err), 0);
	size = file_pread(fd, data, sizeof(data), 0, &err);
	assert_int_equal(open_damaged(&indexes, data, (size_t)size), -EBADMSG);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_one),
	    cmocka_unit_test(test_nothing_in_it),
	    cmocka_unit_test(test_changes),
	    cmocka_unit_test(test_hidden_links),
	    cmocka_unit_test(test_links_across_layers),
	    cmocka_unit_test(test_link_to_replaced),
	    cmocka_unit_test(test_link_to_nothing),
	    cmocka_unit_test(test_attributes),
	    cmocka_unit_test(test_many_layers),
	    cmocka_unit_test(test_damage),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
