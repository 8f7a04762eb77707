/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Files that are printed when they are opened: a descriptor reads what was true
 * then.
 *
 * Programs ask for the size before and after they open a file, and some of them
 * read no more and no less than that. So while somebody has the file open its
 * size is that of the text which was handed out last, and else that of a new
 * one, which is kept: where the kernel opens files by itself (a mount that is
 * read-only) that is the one that is read.
 */
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/container.h"
#include "base/file.h"
#include "base/lock.h"
#include "snapshot.h"

/* More than the log keeps in memory, and some thousand pushes. */
enum { TEXT_MAX = 4 << 20 };

struct snapshot {
	atomic_uint refs;
	struct buf text;
	struct timespec made; /* the file's time: by which the kernel knows
			       * that what it has of it is old */
};

struct snapshot_node {
	struct node node;
	struct snapshot_text text;
	pthread_mutex_t lock;
	struct snapshot *latest; /* under lock, as what follows; or NULL */
	unsigned open;
};

static struct snapshot_node *to_snapshot_node(struct node *node)
{
	return container_of(node, struct snapshot_node, node);
}

static struct snapshot *snapshot_get(struct snapshot *snapshot)
{
	atomic_fetch_add(&snapshot->refs, 1);
	return snapshot;
}

static void snapshot_put(struct snapshot *snapshot)
{
	if (!snapshot || atomic_fetch_sub(&snapshot->refs, 1) > 1)
		return;
	buf_release(&snapshot->text);
	free(snapshot);
}

DEFINE_CLEANUP(struct snapshot *, snapshot_put);

static struct snapshot *snapshot_new(struct snapshot_node *self,
    struct err *err)
{
	CLEANUP(snapshot_put_p)
	struct snapshot *snapshot = calloc(1, sizeof(*snapshot));

	if (!snapshot) {
		err_nomem(err);
		return NULL;
	}
	atomic_init(&snapshot->refs, 1);
	snapshot->text = BUF_INIT(TEXT_MAX);
	clock_gettime(CLOCK_REALTIME, &snapshot->made);
	if (self->text.print(&self->node, &snapshot->text, err) < 0)
		return NULL;
	return steal(&snapshot);
}

/* The one that is handed out now; NULL: none, or a new one is to be made.
 * Counted. */
static struct snapshot *latest(struct snapshot_node *self, bool if_open)
{
	SCOPED_LOCK(&self->lock);

	if (!self->latest || (if_open && !self->open))
		return NULL;
	return snapshot_get(self->latest);
}

static void set_latest(struct snapshot_node *self, struct snapshot *snapshot,
    bool opened)
{
	CLEANUP(snapshot_put_p) struct snapshot *before = NULL;

	SCOPED_LOCK(&self->lock);
	self->open += opened;
	before = self->latest;
	self->latest = snapshot_get(snapshot);
}

int snapshot_node(struct node *dir, const char *name, const char *key,
    const struct snapshot_text *text, struct node **out, struct err *err)
{
	struct snapshot_node *self = calloc(1, sizeof(*self));

	if (!self) {
		if (text->free)
			text->free(text->arg);
		return err_nomem(err);
	}
	self->text = *text;
	pthread_mutex_init(&self->lock, NULL);
	node_init_in(&self->node, dir, name, NODE_SNAPSHOT, strdup(key), 0, 0);
	*out = node_add(dir->mount->nodes, &self->node, err);
	return *out ? 0 : -err->code;
}

void *snapshot_arg(const struct node *node)
{
	return container_of(node, const struct snapshot_node, node)->text.arg;
}

static void snapshot_node_free(struct node *node)
{
	struct snapshot_node *self = to_snapshot_node(node);

	if (self->text.free)
		self->text.free(self->text.arg);
	snapshot_put(self->latest);
	pthread_mutex_destroy(&self->lock);
	free(self);
}

static int snapshot_stat(struct node *node, struct stat *out, struct err *err)
{
	struct snapshot_node *self = to_snapshot_node(node);
	CLEANUP(snapshot_put_p) struct snapshot *snapshot = latest(self, true);

	if (!snapshot) {
		snapshot = snapshot_new(self, err);
		if (!snapshot)
			return -err->code;
		set_latest(self, snapshot, false);
	}
	mount_stat_file(node->mount, node, snapshot->text.len, out);
	mount_stat_time(out, snapshot->made.tv_sec,
	    (uint32_t)snapshot->made.tv_nsec);
	out->st_mode = S_IFREG | 0444;
	return 0;
}

static int snapshot_open(struct node *node, int flags, struct handle *handle,
    struct err *err)
{
	struct snapshot_node *self = to_snapshot_node(node);
	CLEANUP(snapshot_put_p) struct snapshot *snapshot = NULL;

	(void)flags;
	if (node->mount->read_only)
		snapshot = latest(self, false);
	if (!snapshot)
		snapshot = snapshot_new(self, err);
	if (!snapshot)
		return -err->code;
	set_latest(self, snapshot, true);
	handle->file = steal(&snapshot);
	handle->direct = true;
	return 0;
}

static ssize_t snapshot_read(struct handle *handle, void *data, size_t len,
    uint64_t off, struct err *err)
{
	const struct buf *text = &((struct snapshot *)handle->file)->text;

	(void)err;
	if (off >= text->len)
		return 0;
	if (len > text->len - off)
		len = (size_t)(text->len - off);
	memcpy(data, text->data + off, len);
	return (ssize_t)len;
}

static void snapshot_close(struct handle *handle)
{
	struct snapshot_node *self = to_snapshot_node(handle->node);

	snapshot_put(handle->file);
	SCOPED_LOCK(&self->lock);
	self->open--;
}

const struct view_ops view_snapshot = {
    .stat = snapshot_stat,
    .free = snapshot_node_free,
    .open = snapshot_open,
    .read = snapshot_read,
    .close = snapshot_close,
};
