/* SPDX-License-Identifier: Apache-2.0 */
/* The nodes of files that are being written. */
#include <stdlib.h>

#include "node/key.h"
#include "node/lead.h"
#include "node/nodes.h"
#include "upload.h"

struct upload_node {
	struct node node;
	struct upload *upload;
};

struct upload *upload_of(const struct node *node)
{
	return ((const struct upload_node *)(const void *)node)->upload;
}

int upload_node(struct mount_source *source, struct upload *upload,
    struct node **out, struct err *err)
{
	struct upload_node *self = calloc(1, sizeof(*self));

	if (!self)
		return err_nomem(err);
	self->upload = upload_get(upload);
	/* Nothing of it may be kept: its name becomes a directory. */
	node_init(&self->node, source, NODE_UPLOAD,
	    key_of_serial(KEY_UPLOAD, upload_serial(upload)), 0, 0);
	*out = node_add(source->mount->nodes, &self->node, err);
	return *out ? 0 : -err->code;
}

void upload_node_free(struct node *node)
{
	/* The last one waits for what its push has begun. */
	lead_give();
	upload_put(upload_of(node));
	free(node);
}
