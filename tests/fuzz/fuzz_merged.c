/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Merged trees with any content, whose checksum is right, of two small layers:
 * what is asked of them has an end and is in bounds. The first byte of the
 * input says whether the checks of the nodes are made right, too.
 */
#include <string.h>
#include <sys/mman.h>

#include "../unit/damage_fixture.h"
#include "build/builder.h"
#include "fuzz.h"
#include "index/state.h"

static const char *const paths[] = {"", "a", "d", "d/f", "d/e", "d/e/g", "x/y"};

static struct layer_index *make_layer(uint8_t number)
{
	const struct layer_facts facts = {
	    .blob = {.algorithm = DIGEST_SHA256, .bytes = {number}}};
	CLEANUP(builder_free_p) struct builder *builder = NULL;
	struct layer_index *index;
	struct err err = ERR_INIT;
	int fd = memfd_create("index", MFD_CLOEXEC);

	if (builder_new("/tmp", &builder, &err) < 0)
		abort();
	/* Each has every other one. */
	for (size_t i = number; i < sizeof(paths) / sizeof(*paths); i += 2) {
		const struct tar_entry entry = {.type = TAR_FILE,
		    .name = paths[i],
		    .link = ""};

		if (builder_add(builder, &entry, &err) < 0)
			abort();
	}
	if (builder_write(builder, &facts, fd, &err) < 0 ||
	    layer_index_open(fd, &index, &err) < 0)
		abort();
	return index;
}

static void seal(const struct merged_stack *stack, uint8_t *bytes, size_t size)
{
	const struct records nodes = {.size = sizeof(struct merged_node),
	    .salt = merged_salt(stack)};
	struct merged_head head;
	uint64_t number = 0;

	if (size < sizeof(head))
		return;
	memcpy(&head, bytes, sizeof(head));
	head.salt = nodes.salt;
	memcpy(bytes, &head, sizeof(head));
	for (size_t at = sizeof(head); at < size && size - at >= nodes.size;
	     at += nodes.size) {
		char name[LAYER_NAME_SIZE];
		struct merged_node node;

		memcpy(&node, bytes + at, sizeof(node));
		if (node.name_layer < stack->count &&
		    layer_index_text(stack->layers[node.name_layer], node.name,
			name))
			node.name_check =
			    records_sum(nodes.salt, name, strlen(name));
		records_seal(&nodes, number++, &node, NULL);
		memcpy(bytes + at, &node, sizeof(node));
	}
}

static void ask(const struct merged *merged, const struct merged_stack *stack)
{
	AUTO_BUF struct buf said = BUF_INIT(SAID_MAX);
	struct merged_node node;
	struct err err = ERR_INIT;
	uint32_t number;
	int r = say_merged(merged, stack, &said, &err);

	if (r < 0 && r != -err.code)
		abort();
	for (size_t i = 0; i < sizeof(paths) / sizeof(*paths); i++) {
		r = merged_find(merged, stack, paths[i], &node, &number, &err);
		if (r < 0 && r != -err.code)
			abort();
		if (r > 0 && (node.layer >= stack->count ||
				 node.entry >= layer_index_count(
						   stack->layers[node.layer])))
			abort();
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	CLEANUP(layer_index_close_p) struct layer_index *low = make_layer(1);
	CLEANUP(layer_index_close_p) struct layer_index *high = make_layer(2);
	const struct layer_index *const layers[] = {low, high};
	const struct merged_stack stack = {layers, 2};
	AUTO_FREE uint8_t *bytes = malloc(size + 1);
	struct merged *merged;
	struct err err = ERR_INIT;
	int fd = memfd_create("tree", MFD_CLOEXEC);
	const struct mapped_piece piece = {bytes, size ? size - 1 : 0};

	if (!bytes || fd < 0)
		abort();
	memcpy(bytes, data + (size > 0), piece.size);
	if (size > 0 && data[0])
		seal(&stack, bytes, piece.size);
	if (mapped_write(fd, MERGED_MAGIC, &piece, 1, &err) < 0)
		abort();
	if (merged_open(&stack, fd, &merged, &err) < 0)
		return 0;
	ask(merged, &stack);
	merged_close(merged);
	return 0;
}
