/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The archive of an image, TAG.tar: read it to save the image, write it to push
 * another one in its place. It is found by name, not listed.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/lock.h"
#include "image/save.h"
#include "image_info.h"
#include "nodes.h"
#include "upload.h"

struct archive_node {
	struct node node;
	char *dir; /* the key of the directory where the name is */
	char *name;
	char *repository;
	char *tag;
	struct image *image;
	struct save *save;
	pthread_mutex_t lock;
	/* Who writes it now, whose size is then the file's: tools look whether
	 * what they write is empty. Under lock; cleared by its last close. */
	struct upload *writer;
};

static struct archive_node *to_archive(const struct node *node)
{
	return (struct archive_node *)(uintptr_t)node;
}

static int archive_save(struct archive_node *self, struct images *images,
    struct err *err)
{
	struct digest digest;
	const char *base = strrchr(self->repository, '/');
	int r =
	    images_resolve(images, self->repository, self->tag, &digest, err);

	if (r == 0)
		r = image_open(images, self->repository, &digest, &self->image,
		    err);
	if (r == 0)
		r = save_new(self->image, base ? base + 1 : self->repository,
		    self->tag, &self->save, err);
	return r;
}

int archive_node(struct mount *mount, struct node *dir, const char *name,
    const char *repository, const char *tag, struct node **out, struct err *err)
{
	struct archive_node *self = calloc(1, sizeof(*self));
	char text[DIGEST_TEXT_SIZE];
	char *key = NULL;
	int r = 0;

	if (!self)
		return err_nomem(err);
	pthread_mutex_init(&self->lock, NULL);
	self->dir = strdup(dir->key);
	self->name = strdup(name);
	self->repository = strdup(repository);
	self->tag = strdup(tag);
	if (!self->dir || !self->name || !self->repository || !self->tag)
		r = err_nomem(err);
	if (r == 0)
		r = archive_save(self, mount->images, err);
	if (r == 0)
		key = file_path("archive:%s/%s#%s", dir->key, name,
		    digest_format(&self->image->digest, text));
	node_init(&self->node, mount, &view_archive, key, 0, 0);
	if (r < 0) {
		view_archive.free(&self->node);
		return r;
	}
	*out = node_add(mount->nodes, &self->node, err);
	return *out ? 0 : -err->code;
}

static void archive_free(struct node *node)
{
	struct archive_node *self = to_archive(node);

	if (self->save)
		save_free(self->save);
	image_put(self->image);
	free(self->dir);
	pthread_mutex_destroy(&self->lock);
	free(self->name);
	free(self->repository);
	free(self->tag);
	free(self);
}

static struct upload *archive_writer(struct archive_node *self)
{
	SCOPED_LOCK(&self->lock);
	return self->writer ? upload_get(self->writer) : NULL;
}

static int archive_stat(struct node *node, struct stat *out, struct err *err)
{
	struct archive_node *self = to_archive(node);
	CLEANUP(upload_put_p) struct upload *writer = archive_writer(self);

	(void)err;
	mount_stat_file(node->mount, node, save_size(self->save), out);
	if (writer)
		upload_stat(writer, out);
	else
		image_stat_time(self->image, out);
	return 0;
}

static int archive_xattrs(struct node *node, struct xattrs *out,
    struct err *err)
{
	return image_add_xattrs(to_archive(node)->image, NULL, out, err);
}

/* What an open descriptor of the archive has. */
struct archive_file {
	struct upload *upload; /* NULL where it is read */
};

static int archive_write_open(struct archive_node *self, int flags,
    struct upload **out, struct err *err)
{
	CLEANUP(upload_put_p) struct upload *upload = archive_writer(self);
	int r;

	if (!upload) {
		r = upload_replacing(self->node.mount, self->dir, self->name,
		    self->repository, self->tag, &upload, err);
		if (r < 0)
			return r;
	}
	r = upload_open(upload, flags, err);
	if (r < 0)
		return r;
	{
		SCOPED_LOCK(&self->lock);
		self->writer = upload;
	}
	*out = steal(&upload);
	return 0;
}

static int archive_open(struct node *node, int flags, struct handle *handle,
    struct err *err)
{
	struct archive_file *file = calloc(1, sizeof(*file));
	int r = 0;

	if (!file)
		return err_nomem(err);
	if ((flags & O_ACCMODE) != O_RDONLY)
		r = archive_write_open(to_archive(node), flags, &file->upload,
		    err);
	if (r < 0) {
		free(file);
		return r;
	}
	handle->file = file;
	handle->direct = file->upload != NULL;
	handle->keep_cache = !file->upload;
	return 0;
}

static ssize_t archive_read(struct handle *handle, void *data, size_t len,
    uint64_t off, struct err *err)
{
	const struct archive_file *file = handle->file;

	if (file->upload)
		return upload_read(file->upload, data, len, off, err);
	return save_read(to_archive(handle->node)->save, data, len, off, err);
}

static int archive_write(struct handle *handle, const void *data, size_t len,
    uint64_t off, struct err *err)
{
	const struct archive_file *file = handle->file;

	return upload_write(file->upload, data, len, off, err);
}

static int archive_flush(struct handle *handle, struct err *err)
{
	const struct archive_file *file = handle->file;

	return file->upload ? upload_flush(file->upload, err) : 0;
}

static void archive_close(struct handle *handle)
{
	struct archive_node *self = to_archive(handle->node);
	struct archive_file *file = handle->file;

	if (file->upload && upload_close(file->upload)) {
		SCOPED_LOCK(&self->lock);
		if (self->writer == file->upload)
			self->writer = NULL;
	}
	upload_put(file->upload);
	free(file);
}

static int archive_setattr(struct node *node, struct handle *handle,
    const struct stat *attr, unsigned fields, struct err *err)
{
	CLEANUP(upload_put_p) struct upload *writer = NULL;

	(void)handle;
	/* Modes and times of an image are its config's: tools set them after
	 * the close, by name, and must not be told that the copy failed. */
	if (!(fields & SETATTR_SIZE))
		return 0;
	writer = archive_writer(to_archive(node));
	if (writer)
		return upload_setattr(writer, attr, fields, err);
	if ((uint64_t)attr->st_size == save_size(to_archive(node)->save))
		return 0;
	return err_set(err, EPERM, "the archive of an image cannot be cut");
}

const struct view_ops view_archive = {
    .stat = archive_stat,
    .free = archive_free,
    .xattrs = archive_xattrs,
    .open = archive_open,
    .read = archive_read,
    .write = archive_write,
    .flush = archive_flush,
    .close = archive_close,
    .setattr = archive_setattr,
};
