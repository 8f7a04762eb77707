/* SPDX-License-Identifier: Apache-2.0 */
/* Files that are damaged while they are mapped: what they say is what they said
 * before, or that they are damaged. */
#include "stack_fixture.h"

#include <errno.h>
#include <unistd.h>

#include "base/file.h"
#include "damage_fixture.h"
#include "index/state.h"

enum { FILE_ROOM = 1 << 22, HEADER = 24 };

/* A file that is mapped, and what it was. */
struct mapped_file {
	int fd; /* another descriptor of it */
	struct buf bytes;
	struct buf said;
	int (*say)(const struct mapped_file *file, struct buf *out,
	    struct err *err);
	/* One of them. */
	struct layer_index *index;
	struct merged *merged;
	struct merged_stack stack;
};

static int say_its_index(const struct mapped_file *file, struct buf *out,
    struct err *err)
{
	return say_index(file->index, out, err);
}

static int say_its_tree(const struct mapped_file *file, struct buf *out,
    struct err *err)
{
	return say_merged(file->merged, &file->stack, out, err);
}

/* Takes fd; returns another descriptor of it. */
static int note(struct mapped_file *file, int fd)
{
	off_t size = lseek(fd, 0, SEEK_END);
	struct err err = ERR_INIT;

	file->bytes = BUF_INIT(FILE_ROOM);
	file->said = BUF_INIT(SAID_MAX);
	assert_int_equal(buf_reserve(&file->bytes, (size_t)size, &err), 0);
	assert_int_equal(file_pread(fd, file->bytes.data, (size_t)size, 0,
			     &err),
	    size);
	file->bytes.len = (size_t)size;
	file->fd = fd;
	return dup(fd);
}

static void note_what_it_says(struct mapped_file *file)
{
	struct err err = ERR_INIT;

	assert_int_equal(file->say(file, &file->said, &err), 0);
	assert_true(file->said.len > 0);
}

static void release(struct mapped_file *file)
{
	layer_index_close(file->index);
	merged_close_p(&file->merged);
	buf_release(&file->bytes);
	buf_release(&file->said);
	close(file->fd);
}

#define AUTO_FILE CLEANUP(release)

static struct mapped_file index_file_of(struct builder *builder, uint8_t digest)
{
	struct mapped_file file = {.say = say_its_index};
	struct err err = ERR_INIT;
	int fd = note(&file, end_file_of(builder, digest));

	if (layer_index_open(fd, &file.index, &err) < 0)
		fail_msg("%s", err.msg);
	note_what_it_says(&file);
	return file;
}

static struct mapped_file index_file(struct builder *builder)
{
	return index_file_of(builder, 0);
}

static struct mapped_file tree_file(const struct stack *stack)
{
	struct mapped_file file = {.say = say_its_tree,
	    .stack = indexes_of(stack)};
	struct err err = ERR_INIT;
	int fd = memfd_create("tree", MFD_CLOEXEC);

	assert_int_equal(merged_write(&file.stack, "/tmp", fd, &err), 0);
	fd = note(&file, fd);
	if (merged_open(&file.stack, fd, &file.merged, &err) < 0)
		fail_msg("%s", err.msg);
	note_what_it_says(&file);
	return file;
}

/* Says the same as ever, or -EUCLEAN: whether the latter. */
static bool is_noticed(const struct mapped_file *file)
{
	AUTO_BUF struct buf said = BUF_INIT(SAID_MAX);
	struct err err = ERR_INIT;
	int r = file->say(file, &said, &err);

	if (r < 0) {
		assert_int_equal(r, -EUCLEAN);
		assert_int_equal(err.code, EUCLEAN);
		return true;
	}
	assert_int_equal(said.len, file->said.len);
	assert_memory_equal(said.data, file->said.data, said.len);
	return false;
}

static void overwrite(const struct mapped_file *file, const void *data,
    size_t len, size_t off)
{
	struct err err = ERR_INIT;

	assert_int_equal(file_pwrite(file->fd, data, len, off, &err), 0);
}

static void restore(const struct mapped_file *file)
{
	overwrite(file, file->bytes.data, file->bytes.len, 0);
}

/* Flips each bit in turn: how many bytes there are of which none is noticed. */
static size_t flip_all(const struct mapped_file *file, size_t from, size_t end)
{
	size_t unnoticed = 0;

	for (size_t i = from; i < end; i++) {
		unsigned noticed = 0;

		for (unsigned bit = 0; bit < 8; bit++) {
			char wrong = (char)(file->bytes.data[i] ^ 1 << bit);

			overwrite(file, &wrong, 1, i);
			noticed += is_noticed(file);
		}
		overwrite(file, &file->bytes.data[i], 1, i);
		assert_true(noticed == 0 || noticed == 8);
		unnoticed += noticed == 0;
	}
	assert_false(is_noticed(file));
	return unnoticed;
}

/* Something of everything. */
static struct builder *sample(void)
{
	const struct tar_extent extents[] = {{3, 4}, {9, 1}};
	const struct tar_xattr xattrs[] = {{"user.a", "b", 1},
	    {"user.long", "a value that is longer", 22}};
	const struct tar_entry file = {.type = TAR_FILE,
	    .name = "d/s",
	    .link = "",
	    .file_size = 10,
	    .size = 5,
	    .is_sparse = true,
	    .extents = extents,
	    .extent_count = 2,
	    .xattrs = xattrs,
	    .xattr_count = 2};
	struct layer_span span = {.in_len = 9, .out_len = 9};
	struct builder *builder = begin();
	struct err err = ERR_INIT;

	add_entry(builder, &file);
	add_symlink(builder, "l", "d/and/more");
	add_link(builder, "h", "d/s");
	add_link(builder, "n", "nothing/here");
	add_dir(builder, "d/e", 0700);
	add_file(builder, "d/e/f", 7);
	for (unsigned i = 0; i < 4; i++) {
		assert_int_equal(builder_add_span(builder, &span, "win",
				     i % 2 * 3, &err),
		    0);
		span.out += 9;
		span.in += 9;
	}
	return builder;
}

static size_t offset_in(const struct mapped_file *file, uint64_t content)
{
	assert_true(HEADER + content <= file->bytes.len);
	return HEADER + (size_t)content;
}

static void a_bit_of_an_index(void **state)
{
	AUTO_FILE struct mapped_file file = index_file(sample());
	const struct layer_index *index = file.index;
	const struct records *lists[] = {&index->entries, &index->spans,
	    &index->extents};
	const struct records *children = &index->children;
	const size_t heap = offset_in(&file, index->heap);

	(void)state;
	/* What it is of, was read when it was opened. */
	assert_int_equal(flip_all(&file, 0,
			     offset_in(&file, index->entries.at)),
	    offset_in(&file, index->entries.at));
	for (size_t i = 0; i < sizeof(lists) / sizeof(*lists); i++) {
		size_t end = lists[i]->at + lists[i]->count * lists[i]->size;

		assert_true(lists[i]->count > 0);
		assert_int_equal(flip_all(&file, offset_in(&file, lists[i]->at),
				     offset_in(&file, end)),
		    0);
	}
	/* The root is nobody's child. */
	assert_int_equal(flip_all(&file, offset_in(&file, children->at),
			     offset_in(&file,
				 children->at +
				     children->size * (children->count - 1))),
	    0);
	/* Offset 0 of the heap is nothing's. */
	assert_int_equal(flip_all(&file, heap + 1,
			     heap + (size_t)index->heap_size),
	    0);
	assert_true(layer_index_is_damaged(index));
}

static struct stack *push_sample(struct stack *stack)
{
	push(stack, "a b/c b/d>a e/f/g");
	push(stack, "b/x .wh.a e/y/ s@b");
	return stack;
}

static void a_bit_of_a_tree(void **state)
{
	AUTO_STACK struct stack stack = {.count = 0};
	AUTO_FILE struct mapped_file file = tree_file(push_sample(&stack));
	const size_t head = HEADER + 16;

	(void)state;
	assert_int_equal(flip_all(&file, 0, head), head);
	/* But what the file was filled up with. */
	assert_in_range(flip_all(&file, head, file.bytes.len), 0, 7);
	assert_true(merged_is_damaged(file.merged));
	for (size_t i = 0; i < stack.count; i++)
		assert_false(layer_index_is_damaged(stack.layers[i]));
}

/* What a tree says of names is in the indexes, and is not the tree's fault. */
static void a_bit_of_a_tree_s_name(void **state)
{
	AUTO_STACK struct stack stack = {.count = 0};
	struct builder *builder = begin();
	struct mapped_file below;
	AUTO_FILE struct mapped_file tree = {.fd = -1};
	size_t heap;

	(void)state;
	add_file(builder, "d/name", 1);
	below = index_file(builder);
	push_index(&stack, below.index);
	tree = tree_file(&stack);
	heap = offset_in(&below, below.index->heap);
	overwrite(&below, "NAME", 4, heap + 3);
	assert_true(is_noticed(&tree));
	assert_false(merged_is_damaged(tree.merged));
	assert_true(layer_index_is_damaged(below.index));
	below.index = NULL; /* the stack's */
	release(&below);
}

/* A file of several pages. */
static struct builder *many(unsigned seed)
{
	struct builder *builder = begin();
	char name[64];

	for (unsigned i = 0; i < 200; i++) {
		snprintf(name, sizeof(name), "d%u/a-longer-name-%u-%u", i % 7,
		    i, seed);
		add_file(builder, name, i);
	}
	return builder;
}

static void check_cuts(const struct mapped_file *file)
{
	const size_t page = (size_t)sysconf(_SC_PAGESIZE);

	assert_true(file->bytes.len > 3 * page);
	for (size_t left = file->bytes.len; left > 0;) {
		left = left > page ? left - page : 0;
		assert_int_equal(ftruncate(file->fd, (off_t)left), 0);
		assert_true(is_noticed(file));
	}
	/* The pages are zeros from now on. */
	restore(file);
	assert_true(is_noticed(file));
}

static void cut(void **state)
{
	AUTO_STACK struct stack stack = {.count = 0};
	AUTO_FILE struct mapped_file index = index_file(many(1));
	AUTO_FILE struct mapped_file tree = {.fd = -1};

	(void)state;
	push_index(&stack, end(many(2)));
	push_index(&stack, end(many(3)));
	tree = tree_file(&stack);
	check_cuts(&index);
	check_cuts(&tree);
}

static void check_overwritten(const struct mapped_file *file,
    const struct buf *other)
{
	AUTO_FREE char *data = malloc(file->bytes.len);

	for (int byte = 0; byte < 256; byte += 51) {
		memset(data, byte, file->bytes.len);
		overwrite(file, data, file->bytes.len, 0);
		assert_true(is_noticed(file));
	}
	/* Nor is it another one that is right in itself. */
	restore(file);
	overwrite(file, other->data,
	    other->len < file->bytes.len ? other->len : file->bytes.len, 0);
	assert_true(is_noticed(file));
	restore(file);
	assert_false(is_noticed(file));
}

static void overwritten(void **state)
{
	AUTO_STACK struct stack one = {.count = 0}, two = {.count = 0};
	AUTO_FILE struct mapped_file index = index_file_of(many(1), 1);
	AUTO_FILE struct mapped_file other = index_file_of(many(2), 2);
	AUTO_FILE struct mapped_file tree = {.fd = -1}, other_tree = {.fd = -1};

	(void)state;
	push_index(&one, end(many(3)));
	push_index(&two, end(many(4)));
	tree = tree_file(&one);
	other_tree = tree_file(&two);
	check_overwritten(&index, &other.bytes);
	check_overwritten(&tree, &other_tree.bytes);
}

/* One that is made again takes the place of the damaged one. */
static void replaced(void **state)
{
	const char zeros[1024] = {0};
	AUTO_FILE struct mapped_file file = index_file(sample());
	struct builder *builder = sample();

	(void)state;
	overwrite(&file, zeros, sizeof(zeros), 0);
	assert_true(is_noticed(&file));
	assert_true(layer_index_is_damaged(file.index));
	assert_true(layer_index_replace(file.index, end(sample())));
	assert_false(layer_index_is_damaged(file.index));
	assert_false(is_noticed(&file));
	add_file(builder, "more", 1);
	assert_false(layer_index_replace(file.index, end(builder)));
	assert_false(is_noticed(&file));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_bit_of_an_index),
	    cmocka_unit_test(a_bit_of_a_tree),
	    cmocka_unit_test(a_bit_of_a_tree_s_name),
	    cmocka_unit_test(cut),
	    cmocka_unit_test(overwritten),
	    cmocka_unit_test(replaced),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
