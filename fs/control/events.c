/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The journal as a file that only grows: `tail -f` compares its size with what
 * it has read, so that must be what there is at the moment. Where the journal
 * begins another file, the name leads to another inode, which `tail -F` sees.
 */
#include <stdlib.h>
#include <string.h>

#include "base/container.h"
#include "control.h"
#include "image/shared.h"
#include "node/key.h"

struct events_node {
	struct node node;
	struct journal_file *file;
};

static struct journal_file *to_file(struct node *node)
{
	return container_of(node, const struct events_node, node)->file;
}

static char *file_key(const struct journal_file *file)
{
	return key_of_serial(KEY_EVENTS, journal_file_number(file));
}

int events_node(struct node *dir, const char *name, struct node **out,
    struct err *err)
{
	struct events_node *self = calloc(1, sizeof(*self));

	if (!self)
		return err_nomem(err);
	self->file =
	    journal_file_get(images_shared_journal(dir->mount->images_shared));
	node_init_in(&self->node, dir, name, NODE_EVENTS, file_key(self->file),
	    0, 0);
	*out = node_add(dir->mount->nodes, &self->node, err);
	return *out ? 0 : -err->code;
}

uint64_t events_node_number(struct mount *mount)
{
	CLEANUP(journal_file_put_p)
	struct journal_file *file =
	    journal_file_get(images_shared_journal(mount->images_shared));

	return key_number(NODE_EVENTS, file_key(file));
}

static void events_free(struct node *node)
{
	journal_file_put(to_file(node));
	free(node);
}

static int events_stat(struct node *node, struct stat *out, struct err *err)
{
	struct journal_file *file = to_file(node);

	(void)err;
	mount_stat_file(node->mount, node, journal_file_size(file), out);
	mount_stat_time(out, journal_file_changed(file), 0);
	out->st_mode = S_IFREG | 0444;
	return 0;
}

static int events_open(struct node *node, int flags, struct handle *handle,
    struct err *err)
{
	(void)node;
	(void)flags;
	(void)err;
	handle->direct = true;
	return 0;
}

static ssize_t events_read(struct handle *handle, void *data, size_t len,
    uint64_t off, struct err *err)
{
	return journal_file_read(to_file(handle->node), data, len, off, err);
}

const struct view_ops view_events = {
    .stat = events_stat,
    .free = events_free,
    .open = events_open,
    .read = events_read,
};
