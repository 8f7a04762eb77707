/* SPDX-License-Identifier: Apache-2.0 */
/* Reading a tree where it is mapped. */
#include "merged.h"

#include <errno.h>
#include <string.h>

#include "index/names.h"
#include "index/state.h"

struct merged {
	struct mapped *file;
	struct records nodes;
	struct merged *before;
};

uint32_t merged_salt(const struct merged_stack *stack)
{
	uint32_t salt = 0;

	for (size_t i = 0; i < stack->count; i++) {
		uint64_t id = layer_index_id(stack->layers[i]);

		salt = records_sum(salt, &id, sizeof(id));
	}
	return salt;
}

static struct records node_records(const struct merged_stack *stack)
{
	return (struct records){.size = sizeof(struct merged_node),
	    .salt = merged_salt(stack)};
}

uint32_t merged_name_check(const char *name, uint32_t salt)
{
	return records_sum(salt, name, strlen(name));
}

uint64_t merged_size_max(const struct merged_stack *stack)
{
	uint64_t nodes = 0;

	for (size_t i = 0; i < stack->count; i++)
		nodes += layer_index_count(stack->layers[i]);
	return mapped_file_size(
	    sizeof(struct merged_head) +
	    mapped_aligned(nodes * sizeof(struct merged_node)));
}

int merged_put(const struct merged_stack *stack, struct pile *nodes, int fd,
    struct err *err)
{
	enum { SOME = 4096 };
	const struct records records = node_records(stack);
	const uint64_t count = nodes->len / records.size;
	const struct merged_head head = {.nodes = count, .salt = records.salt};
	struct mapped_writer writer;
	int r;

	mapped_begin(&writer, fd, MERGED_MAGIC);
	r = mapped_add(&writer, &head, sizeof(head), err);
	for (uint64_t first = 0; r == 0 && first < count; first += SOME) {
		size_t n = count - first < SOME ? count - first : SOME;
		uint8_t *some =
		    pile_at(nodes, first * records.size, n * records.size);

		for (size_t i = 0; i < n; i++)
			records_seal(&records, first + i,
			    some + i * records.size, NULL);
		r = mapped_add(&writer, some, n * records.size, err);
	}
	if (r == 0)
		r = mapped_align(&writer, err);
	return r < 0 ? r : mapped_end(&writer, err);
}

static int set_nodes(struct merged *merged, const struct merged_stack *stack,
    struct err *err)
{
	struct merged_head head;
	uint64_t rest;

	if (!mapped_copy(merged->file, 0, &head, sizeof(head)))
		return err_set(err, EBADMSG, "the tree has no head");
	if (head.salt != merged_salt(stack))
		return err_set(err, EBADMSG,
		    "the tree belongs to other layers");
	rest = mapped_size(merged->file) - sizeof(head);
	merged->nodes = node_records(stack);
	merged->nodes.file = merged->file;
	merged->nodes.at = sizeof(head);
	merged->nodes.count = head.nodes;
	if (head.nodes > UINT32_MAX ||
	    head.nodes > rest / sizeof(struct merged_node))
		return err_set(err, EBADMSG, "the tree is truncated");
	if (head.nodes == 0)
		return err_set(err, EBADMSG, "the tree has no root");
	return 0;
}

int merged_open(const struct merged_stack *stack, int fd, struct merged **out,
    struct err *err)
{
	CLEANUP(merged_close_p)
	struct merged *merged = calloc(1, sizeof(*merged));
	int r;

	if (!merged) {
		close(fd);
		return err_nomem(err);
	}
	r = mapped_open(fd, MERGED_MAGIC, &merged->file, err);
	if (r == 0)
		r = set_nodes(merged, stack, err);
	if (r == 0)
		*out = steal(&merged);
	return r;
}

void merged_close(struct merged *merged)
{
	merged_close_p(&merged->before);
	mapped_close_p(&merged->file);
	free(merged);
}

void merged_keep(struct merged *merged, struct merged *before)
{
	merged->before = before;
}

bool merged_is_damaged(const struct merged *merged)
{
	return mapped_is_damaged(merged->file);
}

bool merged_is_of(const struct merged *merged, int fd)
{
	return mapped_is(merged->file, fd);
}

static bool is_sane(const struct merged *merged,
    const struct merged_stack *stack, const struct merged_node *node)
{
	return node->name_layer < stack->count && node->layer < stack->count &&
	       node->entry < layer_index_count(stack->layers[node->layer]) &&
	       node->parent < merged->nodes.count &&
	       node->first_child <= merged->nodes.count &&
	       node->child_count <= merged->nodes.count - node->first_child;
}

static int set_damaged(const struct merged *merged, struct err *err)
{
	mapped_set_damaged(merged->file);
	return err_set(err, EUCLEAN,
	    "the tree of an image's layers is damaged in the cache");
}

int merged_node(const struct merged *merged, const struct merged_stack *stack,
    uint32_t number, struct merged_node *out, char *name, struct err *err)
{
	const struct layer_index *named;

	if (!records_copy(&merged->nodes, number, out) ||
	    !records_is_right(&merged->nodes, number, out, NULL) ||
	    !is_sane(merged, stack, out))
		return set_damaged(merged, err);
	if (!name)
		return 0;
	named = stack->layers[out->name_layer];
	if (!layer_index_text(named, out->name, name) ||
	    merged_name_check(name, merged->nodes.salt) != out->name_check)
		return layer_index_set_damaged(named, err);
	return 0;
}

/* The names of nodes. */
struct merged_named {
	const struct merged *merged;
	const struct merged_stack *stack;
	struct merged_node *node; /* the one that was read last */
};

static bool peek_name(const void *list, uint32_t number,
    char out[LAYER_NAME_SIZE])
{
	const struct merged_named *named = list;
	const struct merged_stack *stack = named->stack;
	struct merged_node node;

	return records_copy(&named->merged->nodes, number, &node) &&
	       node.name_layer < stack->count &&
	       layer_index_text(stack->layers[node.name_layer], node.name, out);
}

static int read_name(void *list, uint32_t number, char out[LAYER_NAME_SIZE],
    struct err *err)
{
	const struct merged_named *named = list;

	return merged_node(named->merged, named->stack, number, named->node,
	    out, err);
}

static int not_sorted(const void *list, struct err *err)
{
	const struct merged_named *named = list;

	return set_damaged(named->merged, err);
}

int merged_find_child(const struct merged *merged,
    const struct merged_stack *stack, const char *name, size_t len,
    struct merged_node *node, uint32_t *number, struct err *err)
{
	static const struct index_names names = {peek_name, read_name,
	    not_sorted};
	struct merged_named named = {merged, stack, node};

	return names_find(&names, &named, node->first_child, node->child_count,
	    name, len, number, err);
}

int merged_find(const struct merged *merged, const struct merged_stack *stack,
    const char *path, struct merged_node *out, uint32_t *number,
    struct err *err)
{
	int r;

	*number = MERGED_ROOT;
	r = merged_node(merged, stack, MERGED_ROOT, out, NULL, err);
	if (r < 0)
		return r;
	r = 1;
	while (r == 1 && *path) {
		size_t len = strcspn(path, "/");

		r = merged_find_child(merged, stack, path, len, out, number,
		    err);
		path += len;
		path += *path == '/';
	}
	return r;
}
