/* SPDX-License-Identifier: Apache-2.0 */
/* An image as one archive: the content of documents (document.h). */
#include <stdlib.h>
#include <string.h>

#include "base/container.h"
#include "document.h"
#include "node/image_info.h"
#include "node/key.h"
#include "node/nodes.h"

struct archive_node {
	struct node node;
	struct image *image;
	struct save *save;
};

static struct archive_node *to_archive(struct node *node)
{
	return container_of(node, struct archive_node, node);
}

static char *archive_key(const struct mount_source *source,
    const struct image *image, const char *tag)
{
	return key_of_archive(source, image->repository, tag, &image->digest);
}

uint64_t archive_number(const struct mount_source *source,
    const struct image *image, const char *tag)
{
	return key_number(NODE_ARCHIVE, archive_key(source, image, tag));
}

int archive_content(struct mount_source *source, struct image *image,
    const char *tag, struct node **out, struct err *err)
{
	CLEANUP(save_put_p) struct save *save = NULL;
	AUTO_FREE char *key = archive_key(source, image, tag);
	int r = save_new(image, tag, &save, err);
	struct archive_node *self;

	if (r < 0)
		return r;
	/* The next one may be another: its pages are not this one's. */
	if (key && !save_is_whole(save))
		key = key_of_partial(key, save_size(save));
	self = calloc(1, sizeof(*self));
	if (!self)
		return err_nomem(err);
	self->image = image_get(image);
	self->save = steal(&save);
	node_init(&self->node, source, NODE_ARCHIVE, steal(&key), 0, 0);
	return node_made(&self->node, out, err);
}

struct save *archive_content_save(const struct node *node)
{
	if (node->kind != NODE_ARCHIVE)
		return NULL;
	return container_of(node, const struct archive_node, node)->save;
}

static void archive_free(struct node *node)
{
	struct archive_node *self = to_archive(node);

	save_put(self->save);
	image_put(self->image);
	free(self);
}

static int archive_stat(struct node *node, struct stat *out, struct err *err)
{
	struct archive_node *self = to_archive(node);

	(void)err;
	mount_stat_file(node->mount, node, save_size(self->save), out);
	image_stat_time(node, self->image, out);
	return 0;
}

static int archive_xattrs(struct node *node, struct xattrs *out,
    struct err *err)
{
	return image_add_xattrs(to_archive(node)->image, NULL, out, err);
}

static int archive_open(struct node *node, int flags, struct handle *handle,
    struct err *err)
{
	(void)flags;
	handle->keep_cache = true;
	return save_open(to_archive(node)->save, err);
}

static ssize_t archive_read(struct handle *handle, void *data, size_t len,
    uint64_t off, struct err *err)
{
	return save_read(to_archive(handle->node)->save, data, len, off, err);
}

const struct view_ops view_archive = {
    .stat = archive_stat,
    .free = archive_free,
    .xattrs = archive_xattrs,
    .open = archive_open,
    .read = archive_read,
    /* Nor is it for ever in the directory of a digest. */
    .is_fleeting = true,
};
