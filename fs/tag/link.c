/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What `ln -s` makes: the program is told that there is a symbolic link. Who
 * looks for it finds the image that it has become.
 */
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/container.h"
#include "link.h"
#include "node/key.h"

struct link_node {
	struct node node;
	char *target;
};

static struct link_node *to_link(struct node *node)
{
	return container_of(node, struct link_node, node);
}

int link_node(struct mount_source *source, const char *target,
    struct node **out, struct err *err)
{
	static atomic_ulong serial;
	struct link_node *self = calloc(1, sizeof(*self));

	if (!self)
		return err_nomem(err);
	self->target = strdup(target);
	node_init(&self->node, source, NODE_LINK,
	    self->target ? key_of_serial(KEY_LINK, atomic_fetch_add(&serial, 1))
			 : NULL,
	    0, 0);
	*out = node_add(source->mount->nodes, &self->node, err);
	return *out ? 0 : -err->code;
}

static void link_free(struct node *node)
{
	free(to_link(node)->target);
	free(node);
}

static int link_stat(struct node *node, struct stat *out, struct err *err)
{
	(void)err;
	mount_stat_file(node->mount, node, strlen(to_link(node)->target), out);
	out->st_mode = S_IFLNK | 0777;
	return 0;
}

static int link_readlink(struct node *node, char **out, struct err *err)
{
	*out = strdup(to_link(node)->target);
	return *out ? 0 : err_nomem(err);
}

const struct view_ops view_link = {
    .stat = link_stat,
    .free = link_free,
    .readlink = link_readlink,
    .is_fleeting = true,
};
