/* SPDX-License-Identifier: Apache-2.0 */
/* An image as one archive: the content of documents (document.h). */
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "document.h"
#include "image_info.h"
#include "nodes.h"

struct archive_node {
	struct node node;
	struct image *image;
	struct save *save;
};

static struct archive_node *to_archive(const struct node *node)
{
	return (struct archive_node *)(uintptr_t)node;
}

static char *archive_key(const struct image *image, const char *tag)
{
	char text[DIGEST_TEXT_SIZE];

	return file_path("archive:%s:%s@%s", image->repository, tag ? tag : "",
	    digest_format(&image->digest, text));
}

uint64_t archive_number(const struct image *image, const char *tag)
{
	AUTO_FREE char *key = archive_key(image, tag);

	return key ? node_number(key) : 0;
}

int archive_content(struct mount *mount, struct image *image, const char *tag,
    struct node **out, struct err *err)
{
	struct archive_node *self = calloc(1, sizeof(*self));
	int r;

	if (!self)
		return err_nomem(err);
	self->image = image_get(image);
	node_init(&self->node, mount, &view_archive, archive_key(image, tag), 0,
	    0);
	r = save_new(image, tag, &self->save, err);
	if (r < 0) {
		node_discard(&self->node);
		return r;
	}
	return node_made(&self->node, out, err);
}

struct save *archive_content_save(const struct node *node)
{
	return node->view == &view_archive ? to_archive(node)->save : NULL;
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
	image_stat_time(self->image, out);
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
	(void)node;
	(void)flags;
	(void)err;
	handle->keep_cache = true;
	return 0;
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
};
