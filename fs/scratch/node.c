/* SPDX-License-Identifier: Apache-2.0 */
/* The nodes of scratch directories and of what is in them. */
#include <stdlib.h>
#include <string.h>

#include "base/container.h"
#include "node/key.h"
#include "node/lead.h"
#include "node/nodes.h"
#include "scratch.h"

struct scratch_node {
	struct node node;
	struct local_inode *inode; /* counted */
};

struct local_inode *scratch_inode(const struct node *node)
{
	return container_of(node, const struct scratch_node, node)->inode;
}

int scratch_node(struct mount_source *source, struct local_inode *inode,
    struct node **out, struct err *err)
{
	struct scratch_node *self = calloc(1, sizeof(*self));
	struct stat st;

	if (!self)
		return err_nomem(err);
	local_stat(inode, &st);
	self->inode = local_get(inode);
	node_init(&self->node, source,
	    S_ISDIR(st.st_mode) ? NODE_SCRATCH : NODE_SCRATCH_FILE,
	    key_of_serial(KEY_SCRATCH, local_number(inode)), TTL_FOREVER,
	    TTL_FOREVER);
	*out = node_add(source->mount->nodes, &self->node, err);
	return *out ? 0 : -err->code;
}

static int add_entry(void *arg, const char *name, uint64_t number, mode_t mode,
    struct err *err)
{
	return dirlist_add(arg, name, strlen(name), mode,
	    key_number(NODE_SCRATCH, key_of_serial(KEY_SCRATCH, number)), err);
}

int scratch_list_inode(struct local_inode *dir, struct dirlist *out,
    struct err *err)
{
	return local_list(dir, add_entry, out, err);
}

void scratch_node_free(struct node *node)
{
	struct local_inode *inode = scratch_inode(node);
	struct stat st;

	local_stat(inode, &st);
	/* Its content goes, too, which can take the disk a while. */
	if (st.st_nlink == 0 && st.st_size > 0)
		lead_give();
	local_put(inode);
	free(node);
}
