/* SPDX-License-Identifier: Apache-2.0 */
/* Files of an image that are written to change it. */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/lock.h"
#include "caller.h"
#include "document.h"
#include "image_parts.h"
#include "replace.h"
#include "upload.h"

enum {
	WRITERS_MAX = 16, /* of one document that are told apart */
	READERS_MAX = 16, /* the last ones are remembered */
};

struct document_node {
	struct node node;
	char *place;
	char *name;
	struct upload_target target;
	struct node *content;
	uint64_t size; /* where there is no content */
	pthread_mutex_t lock;
	/* What is being written into it now, whose size is the file's for those
	 * who write: tools look whether that is empty. Under lock; cleared by
	 * its last close. */
	struct upload *writer;
	struct document_file *writing; /* those who do; under lock */
	/* Threads that opened it to read it; under lock. */
	pid_t readers[READERS_MAX];
	unsigned reads;
};

/* What an open descriptor has: one or the other. */
struct document_file {
	struct upload *upload;
	struct handle content;
	pid_t pid;                  /* that opened it to write */
	struct document_file *next; /* in the document's list of those */
};

static struct document_node *to_document(const struct node *node)
{
	return (struct document_node *)(uintptr_t)node;
}

static char *document_key(const struct document *document)
{
	return file_path("document:%s//%s#%s:%llu", target_place(document->dir),
	    document->name, document->content ? document->content->key : "",
	    (unsigned long long)document->size);
}

int document_node(const struct document *document, struct node **out,
    struct err *err)
{
	struct document_node *self = calloc(1, sizeof(*self));
	struct mount *mount = document->dir->mount;

	if (!self) {
		struct upload_target target = document->target;

		target_release(&target);
		node_discard(document->content);
		return err_nomem(err);
	}
	pthread_mutex_init(&self->lock, NULL);
	self->place = strdup(target_place(document->dir));
	self->name = strdup(document->name);
	self->target = document->target;
	self->content = document->content;
	self->size = document->size;
	node_init(&self->node, mount, NODE_DOCUMENT, document_key(document), 0,
	    0);
	if (!self->place || !self->name) {
		node_discard(&self->node);
		return err_nomem(err);
	}
	*out = node_add(mount->nodes, &self->node, err);
	return *out ? 0 : -err->code;
}

uint64_t document_number(const struct node *node)
{
	const struct document_node *self = to_document(node);

	return self->content ? node_number(self->content->key) : node->ino;
}

struct save *document_save(const struct handle *handle)
{
	const struct document_file *file = handle->file;

	if (handle->node->kind != NODE_DOCUMENT || file->upload)
		return NULL;
	return archive_content_save(file->content.node);
}

int document_image(const struct node *node, struct image **out)
{
	const struct document_node *self = to_document(node);
	struct save *save =
	    self->content ? archive_content_save(self->content) : NULL;

	if (!save)
		return 0;
	*out = image_get(save_image(save));
	return 1;
}

const struct upload_target *document_target(const struct node *node)
{
	return &to_document(node)->target;
}

static int written(struct node *dir, struct document *document,
    struct node **out, struct err *err)
{
	struct upload_target *target = &document->target;
	CLEANUP(image_put_p) struct image *image = NULL;
	int r = 0;

	if (target->kind == &upload_archive) {
		r = image_open_tag(dir->mount->images, target->repository,
		    target->tag, &image, err);
		if (r == 0)
			r = archive_content(dir->mount, image, target->tag,
			    &document->content, err);
	}
	if (r < 0) {
		target_release(target);
		return r;
	}
	r = document_node(document, out, err);
	return r < 0 ? r : 1;
}

int document_written(struct node *dir, const char *name, struct node **out,
    struct err *err)
{
	struct document document = {.dir = dir, .name = name};
	int r;

	if (!uploads_pushed(dir->mount->uploads, dir, name, &document.size))
		return 0;
	r = target_find(dir, name, &document.target, err);
	return r < 0 ? r : written(dir, &document, out, err);
}

static void document_free(struct node *node)
{
	struct document_node *self = to_document(node);

	node_discard(self->content);
	target_release(&self->target);
	pthread_mutex_destroy(&self->lock);
	free(self->place);
	free(self->name);
	free(self);
}

static struct upload *document_writer(struct document_node *self)
{
	SCOPED_LOCK(&self->lock);
	return self->writer ? upload_get(self->writer) : NULL;
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
	time_t since = images_tag_since(mount->images, self->target.repository,
	    self->target.tag);

	out->st_ctim = (struct timespec){mount->started.tv_sec, 0};
	if (since > out->st_ctim.tv_sec)
		out->st_ctim.tv_sec = since;
}

static int document_stat(struct node *node, struct stat *out, struct err *err)
{
	struct document_node *self = to_document(node);
	CLEANUP(upload_put_p) struct upload *writer = document_writer(self);
	int r = 0;

	if (self->content)
		r = self->content->view->stat(self->content, out, err);
	else
		mount_stat_file(node->mount, node, self->size, out);
	out->st_ino = document_number(node);
	if (self->content && self->target.tag)
		stat_change(self, out);
	if (r == 0 && writer && caller_writes(self))
		upload_stat(writer, out);
	return r;
}

static int document_xattrs(struct node *node, struct xattrs *out,
    struct err *err)
{
	const struct document_node *self = to_document(node);
	const struct upload_target *target = &self->target;
	struct node *content = self->content;
	int r = 0;

	if (content && content->view->xattrs)
		r = content->view->xattrs(content, out, err);
	if (r < 0 || !content || !target->tag)
		return r;
	return xattrs_add_stale(out,
	    images_stale(node->mount->images, target->repository, target->tag),
	    err);
}

/* Reads all of what is no archive: manifests and configs. */
static int start_from_content(struct node *content, struct upload *upload,
    struct err *err)
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
		     : upload_start_from_bytes(upload, data, (size_t)n, err);
}

/*
 * Somebody who opens it and does not cut it to nothing finds what it has. But
 * not who only writes an archive from its start, as skopeo and podman do: they
 * refuse to go on unless the file is empty.
 */
static int start_writing(const struct document_node *self, int flags,
    struct upload *upload, struct err *err)
{
	struct node *content = self->content;
	struct save *save = content ? archive_content_save(content) : NULL;

	if (!content || flags & O_TRUNC)
		return 0;
	if (!save)
		return start_from_content(content, upload, err);
	if ((flags & O_ACCMODE) == O_RDWR || flags & O_APPEND)
		upload_start_from_archive(upload, save);
	return 0;
}

static int check_writing(const struct document_node *self, struct err *err)
{
	const struct upload_target *target = &self->target;

	if (!target->kind)
		return err_set(err, EPERM,
		    "%s: an image named by its digest never changes",
		    self->name);
	if (!target->in_image || !image_part_find(self->name))
		return 0;
	return replace_check_part(self->name, target->repository, target->tag,
	    err);
}

static int open_to_write(struct document_node *self, int flags,
    struct upload **out, struct err *err)
{
	CLEANUP(upload_put_p) struct upload *upload = document_writer(self);
	int r = check_writing(self, err);

	if (r < 0)
		return r;
	if (!upload) {
		r = upload_replacing(self->node.mount, self->place, self->name,
		    &self->target, &upload, err);
		if (r == 0)
			r = start_writing(self, flags, upload, err);
	}
	if (r == 0)
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

static void note_reader(struct document_node *self)
{
	SCOPED_LOCK(&self->lock);
	self->readers[self->reads++ % READERS_MAX] = caller_now().pid;
}

bool document_was_read(const struct node *node)
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
	if (!self->content)
		return err_set(err, EIO,
		    "%s has become part of the image, where it has another "
		    "name",
		    self->name);
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
		: open_to_write(to_document(node), flags, &file->upload, err);
	if (r < 0)
		return r;
	if (file->upload)
		note_writer(to_document(node), file);
	handle->direct = file->upload != NULL;
	handle->keep_cache = file->content.keep_cache;
	handle->file = steal(&file);
	return 0;
}

static ssize_t document_read(struct handle *handle, void *data, size_t len,
    uint64_t off, struct err *err)
{
	struct document_file *file = handle->file;

	if (file->upload)
		return upload_read(file->upload, data, len, off, err);
	return file->content.node->view->read(&file->content, data, len, off,
	    err);
}

static int document_write(struct handle *handle, const void *data, size_t len,
    uint64_t off, struct err *err)
{
	const struct document_file *file = handle->file;

	return upload_write(file->upload, data, len, off, err);
}

static ssize_t document_copy(struct handle *from, uint64_t from_off,
    struct handle *to, uint64_t to_off, size_t len, struct err *err)
{
	const struct document_file *file = to->file;

	return upload_copy(file->upload, document_save(from), from_off, to_off,
	    len, err);
}

static int document_flush(struct handle *handle, struct err *err)
{
	const struct document_file *file = handle->file;

	return file->upload ? upload_flush(file->upload, handle->pid, err) : 0;
}

static void document_close(struct handle *handle)
{
	struct document_node *self = to_document(handle->node);
	struct document_file *file = handle->file;
	const struct node *content = file->content.node;

	if (content && content->view->close)
		content->view->close(&file->content);
	if (file->upload)
		forget_writer(self, file);
	if (file->upload && upload_close(file->upload)) {
		SCOPED_LOCK(&self->lock);
		/* Somebody may have opened it again. */
		if (self->writer == file->upload &&
		    !upload_is_open(file->upload))
			self->writer = NULL;
	}
	upload_put(file->upload);
	free(file);
}

static int document_setattr(struct node *node, struct handle *handle,
    const struct stat *attr, unsigned fields, struct err *err)
{
	struct document_node *self = to_document(node);
	CLEANUP(upload_put_p) struct upload *writer = NULL;
	struct stat now;
	int r;

	(void)handle;
	/* Modes and times of an image are its config's: tools set them after
	 * the close, by name, and must not be told that the copy failed. */
	if (!(fields & SETATTR_SIZE))
		return 0;
	writer = document_writer(self);
	if (writer)
		return upload_setattr(writer, attr, fields, err);
	r = document_stat(node, &now, err);
	if (r < 0 || attr->st_size == now.st_size)
		return r;
	return err_set(err, EPERM, "%s: part of an image, which cannot be cut",
	    self->name);
}

static int document_setxattr(struct node *node, const char *name,
    const void *value, size_t len, int flags, struct err *err)
{
	CLEANUP(upload_put_p)
	struct upload *writer = document_writer(to_document(node));

	return writer ? upload_setxattr(writer, name, value, len, flags, err)
		      : -EOPNOTSUPP;
}

const struct view_ops view_document = {
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
