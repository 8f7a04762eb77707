/* SPDX-License-Identifier: Apache-2.0 */
/* Files of an image that are written to change it. */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/lock.h"
#include "document_node.h"
#include "grammar/image_parts.h"
#include "habits/caller.h"
#include "habits/habits.h"
#include "written_file.h"

enum {
	WRITERS_MAX = 16, /* of one document that are told apart */
};

static struct written_file *document_writer(struct document_node *self)
{
	SCOPED_LOCK(&self->lock);
	return self->writer ? written_file_get(self->writer) : NULL;
}

/* Whether the caller has it open to write. All others have what the file is
 * until that has changed. */
static bool caller_writes(struct document_node *self)
{
	pid_t pids[WRITERS_MAX];
	size_t count = 0;

	{
		SCOPED_LOCK(&self->lock);
		for (const struct document_file *at = self->writing;
		     at && count < WRITERS_MAX; at = at->next)
			pids[count++] = at->pid;
	}
	for (size_t i = 0; i < count; i++)
		if (caller_is_of(pids[i]))
			return true;
	return false;
}

/*
 * When the tag began to name what it names, as this mount knows: programs that
 * compare size and times can tell by it that a tag has moved to an image of the
 * same time.
 */
static void stat_change(const struct document_node *self, struct stat *out)
{
	const struct mount *mount = self->node.mount;
	time_t since = images_tag_since(self->node.source->images,
	    self->intent.repository, self->intent.tag);

	out->st_ctim = (struct timespec){mount->started.tv_sec, 0};
	if (since > out->st_ctim.tv_sec)
		out->st_ctim.tv_sec = since;
}

static int document_stat(struct node *node, struct stat *out, struct err *err)
{
	struct document_node *self = to_document(node);
	CLEANUP(written_file_put_p)
	struct written_file *writer = document_writer(self);
	int r = 0;

	if (self->content)
		r = self->content->view->stat(self->content, out, err);
	else
		mount_stat_file(node->mount, node, self->size, out);
	out->st_ino = document_number(node);
	if (self->content && self->intent.tag)
		stat_change(self, out);
	if (r == 0 && writer && caller_writes(self))
		written_file_stat(writer, out);
	return r;
}

static int document_xattrs(struct node *node, struct xattrs *out,
    struct err *err)
{
	const struct document_node *self = to_document(node);
	const struct write_intent *intent = &self->intent;
	struct node *content = self->content;
	int r = 0;

	if (content && content->view->xattrs)
		r = content->view->xattrs(content, out, err);
	if (r < 0 || !content || !intent->tag)
		return r;
	return xattrs_add_stale(out,
	    images_stale(node->source->images, intent->repository, intent->tag),
	    err);
}

/* Reads all of what is no archive: manifests and configs. */
static int start_from_content(struct node *content,
    struct written_file *written, struct err *err)
{
	struct handle handle = {.node = content};
	struct stat status;
	AUTO_FREE char *data = NULL;
	ssize_t n = content->view->stat(content, &status, err);

	if (n == 0 && !(data = malloc((size_t)status.st_size + 1)))
		n = err_nomem(err);
	if (n == 0)
		n = content->view->open(content, O_RDONLY, &handle, err);
	if (n < 0)
		return (int)n;
	n = content->view->read(&handle, data, (size_t)status.st_size, 0, err);
	if (content->view->close)
		content->view->close(&handle);
	return n < 0 ? (int)n
		     : written_file_start_from_bytes(written, data, (size_t)n,
			   err);
}

/*
 * Somebody who opens it and does not cut it to nothing finds what it has. But
 * not who only writes an archive from its start, as skopeo and podman do: they
 * refuse to go on unless the file is empty.
 */
static int start_writing(const struct document_node *self, int flags,
    struct written_file *written, struct err *err)
{
	struct node *content = self->content;
	struct save *save = content ? archive_content_save(content) : NULL;

	if (!content || flags & O_TRUNC)
		return 0;
	if (!save)
		return start_from_content(content, written, err);
	if ((flags & O_ACCMODE) == O_RDWR || flags & O_APPEND)
		written_file_start_from_archive(written, save);
	return 0;
}

static int check_writing(const struct document_node *self, struct err *err)
{
	const struct write_intent *intent = &self->intent;

	if (intent->effect == WRITE_NOTHING)
		return err_set(err, EPERM,
		    "an image named by its digest cannot be changed");
	if (intent->where != WRITE_IN_IMAGE ||
	    !image_part_find(self->node.name))
		return 0;
	return replace_check_part(intent->tag, err);
}

static int open_to_write(struct document_node *self, int flags,
    struct written_file **out, struct err *err)
{
	CLEANUP(written_file_put_p)
	struct written_file *written = document_writer(self);
	CLEANUP(node_put_p) struct node *parent = node_parent(&self->node);
	int r = check_writing(self, err);

	if (r < 0)
		return r;
	if (!written) {
		r = written_file_replacing(parent, self->node.name,
		    &self->intent, &written, err);
		if (r == 0)
			r = start_writing(self, flags, written, err);
	}
	if (r == 0)
		r = written_file_open(written, flags, err);
	if (r < 0)
		return r;
	{
		SCOPED_LOCK(&self->lock);
		self->writer = written;
	}
	*out = steal(&written);
	return 0;
}

static void note_reader(struct document_node *self)
{
	SCOPED_LOCK(&self->lock);
	self->readers[self->reads++ % READERS_MAX] = caller_now().pid;
}

bool document_was_read(struct node *node)
{
	struct document_node *self = to_document(node);
	pid_t pid = caller_now().pid;
	bool found = false;

	SCOPED_LOCK(&self->lock);
	for (size_t i = 0; i < READERS_MAX; i++)
		found |= self->readers[i] == pid;
	return found;
}

static int open_to_read(struct document_node *self, int flags,
    struct handle *content, struct err *err)
{
	note_reader(self);
	if (self->lost.code) {
		*err = self->lost;
		return -err->code;
	}
	if (!self->content)
		return err_set(err, EIO,
		    "the file is now part of the image, under another name");
	content->node = self->content;
	return self->content->view->open(self->content, flags, content, err);
}

static void note_writer(struct document_node *self, struct document_file *file)
{
	file->pid = caller_now().pid;
	SCOPED_LOCK(&self->lock);
	file->next = self->writing;
	self->writing = file;
}

static void forget_writer(struct document_node *self,
    const struct document_file *file)
{
	struct document_file **at = &self->writing;

	SCOPED_LOCK(&self->lock);
	while (*at != file)
		at = &(*at)->next;
	*at = file->next;
}

static int document_open(struct node *node, int flags, struct handle *handle,
    struct err *err)
{
	AUTO_FREE struct document_file *file = calloc(1, sizeof(*file));
	int r;

	if (!file)
		return err_nomem(err);
	r = (flags & O_ACCMODE) == O_RDONLY
		? open_to_read(to_document(node), flags, &file->content, err)
		: open_to_write(to_document(node), flags, &file->written, err);
	if (r < 0)
		return r;
	if (file->written)
		note_writer(to_document(node), file);
	handle->direct = file->written != NULL;
	handle->keep_cache = file->content.keep_cache;
	handle->file = steal(&file);
	return 0;
}

static ssize_t document_read(struct handle *handle, void *data, size_t len,
    uint64_t off, struct err *err)
{
	struct document_file *file = handle->file;

	if (file->written)
		return written_file_read(file->written, data, len, off, err);
	return file->content.node->view->read(&file->content, data, len, off,
	    err);
}

static int document_write(struct handle *handle, const void *data, size_t len,
    uint64_t off, struct err *err)
{
	const struct document_file *file = handle->file;

	return written_file_write(file->written, data, len, off, err);
}

static ssize_t document_copy(struct handle *from, uint64_t from_off,
    struct handle *to, uint64_t to_off, size_t len, struct err *err)
{
	const struct document_file *file = to->file;

	return written_file_copy(file->written, document_save(from), from_off,
	    to_off, len, err);
}

static int document_flush(struct handle *handle, struct err *err)
{
	const struct document_file *file = handle->file;

	return file->written
		   ? written_file_flush(file->written, handle->pid, err)
		   : 0;
}

static void document_close(struct handle *handle)
{
	struct document_node *self = to_document(handle->node);
	struct document_file *file = handle->file;
	const struct node *content = file->content.node;

	if (content && content->view->close)
		content->view->close(&file->content);
	if (file->written)
		forget_writer(self, file);
	if (file->written && written_file_close(file->written)) {
		SCOPED_LOCK(&self->lock);
		/* Somebody may have opened it again. */
		if (self->writer == file->written &&
		    !written_file_is_open(file->written))
			self->writer = NULL;
	}
	written_file_put(file->written);
	free(file);
}

static int document_setattr(struct node *node, struct handle *handle,
    const struct stat *attr, unsigned fields, struct err *err)
{
	struct document_node *self = to_document(node);
	CLEANUP(written_file_put_p) struct written_file *writer = NULL;
	struct stat now;
	int r;

	(void)handle;
	/* Modes and times of an image are its config's: tools set them after
	 * the close, by name, and must not be told that the copy failed. */
	if (!(fields & SETATTR_SIZE))
		return 0;
	writer = document_writer(self);
	if (writer)
		return written_file_setattr(writer, attr, fields, err);
	r = document_stat(node, &now, err);
	if (r < 0 || attr->st_size == now.st_size)
		return r;
	return err_set(err, EPERM,
	    "this is part of an image, and cannot be truncated");
}

static int document_setxattr(struct node *node, const char *name,
    const void *value, size_t len, int flags, struct err *err)
{
	CLEANUP(written_file_put_p)
	struct written_file *writer = document_writer(to_document(node));

	return writer
		   ? written_file_setxattr(writer, name, value, len, flags, err)
		   : -EOPNOTSUPP;
}

const struct view_ops view_document = {
    .image = document_image,
    .stat = document_stat,
    .free = document_free,
    .xattrs = document_xattrs,
    .open = document_open,
    .read = document_read,
    .write = document_write,
    .copy = document_copy,
    .flush = document_flush,
    .close = document_close,
    .setattr = document_setattr,
    .is_fleeting = true,
    .setxattr = document_setxattr,
};
