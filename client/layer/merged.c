/* SPDX-License-Identifier: Apache-2.0 */
/* Reading a tree where it is mapped. */
#include "merged.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#include "compare.h"
#include "mapped.h"

/* The last characters are the version: any change is another one. */
#define MERGED_MAGIC "rfstre01"

struct merged {
	struct mapped file;
	const struct merged_node *nodes;
	size_t count;
};

int merged_put(int fd, const void *nodes, uint32_t count, struct err *err)
{
	const struct mapped_piece piece = {nodes,
	    count * sizeof(struct merged_node)};

	return mapped_write(fd, MERGED_MAGIC, &piece, 1, err);
}

int merged_open(int fd, struct merged **out, struct err *err)
{
	CLEANUP(merged_close_p)
	struct merged *merged = calloc(1, sizeof(*merged));
	int r;

	if (!merged) {
		close(fd);
		return err_nomem(err);
	}
	r = mapped_open(fd, MERGED_MAGIC, &merged->file, err);
	if (r < 0)
		return r;
	merged->nodes = (const void *)merged->file.data;
	merged->count = merged->file.size / sizeof(*merged->nodes);
	if (merged->count == 0)
		return err_set(err, EBADMSG, "a tree without a root");
	*out = steal(&merged);
	return 0;
}

void merged_close(struct merged *merged)
{
	if (!merged)
		return;
	mapped_release(&merged->file);
	free(merged);
}

const struct merged_node *merged_node(const struct merged *merged,
    uint32_t node)
{
	assert(node < merged->count);
	return &merged->nodes[node];
}

const char *merged_name(const struct merged *merged,
    const struct layer_index *const *layers, uint32_t node)
{
	const struct merged_node *at = merged_node(merged, node);

	return layer_index_name(layers[at->name_layer], at->name_entry);
}

static bool find_child(const struct merged *merged,
    const struct layer_index *const *layers, uint32_t dir, const char *name,
    size_t len, uint32_t *out)
{
	uint32_t low = merged_node(merged, dir)->first_child;
	uint32_t high = low + merged_node(merged, dir)->child_count;

	while (low < high) {
		uint32_t middle = low + (high - low) / 2;
		int order = compare_name(name, len,
		    merged_name(merged, layers, middle));

		if (order == 0) {
			*out = middle;
			return true;
		}
		if (order > 0)
			low = middle + 1;
		else
			high = middle;
	}
	return false;
}

int merged_find(const struct merged *merged,
    const struct layer_index *const *layers, const char *path, uint32_t *out)
{
	*out = MERGED_ROOT;
	while (*path) {
		size_t len = strcspn(path, "/");

		if (!find_child(merged, layers, *out, path, len, out))
			return 0;
		path += len;
		path += *path == '/';
	}
	return 1;
}
