/* SPDX-License-Identifier: Apache-2.0 */
/* The nodes of files that are being written. */
#include <stdlib.h>

#include "base/container.h"
#include "node/key.h"
#include "node/lead.h"
#include "node/nodes.h"
#include "written_file.h"

struct written_node {
	struct node node;
	struct written_file *file;
};

struct written_file *written_file_of(const struct node *node)
{
	return container_of(node, const struct written_node, node)->file;
}

int written_node(struct mount_source *source, struct written_file *file,
    struct node **out, struct err *err)
{
	struct written_node *self = calloc(1, sizeof(*self));

	if (!self)
		return err_nomem(err);
	self->file = written_file_get(file);
	/* Nothing of it may be kept: its name becomes a directory. */
	node_init(&self->node, source, NODE_WRITTEN,
	    key_of_serial(KEY_WRITTEN, written_file_serial(file)), 0, 0);
	*out = node_add(source->mount->nodes, &self->node, err);
	return *out ? 0 : -err->code;
}

void written_node_free(struct node *node)
{
	/* The last one waits for what its push has begun. */
	lead_give();
	written_file_put(written_file_of(node));
	free(node);
}
