/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Texts about an image that are as long as its tree is large. Each is written
 * to the disk when it is first asked for, for its size is to be known, and is
 * kept as long as the kernel knows of the node: it belongs to a digest, and
 * never changes.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/container.h"
#include "base/turn.h"
#include "image/inspect.h"
#include "image/spool.h"
#include "makers.h"
#include "node/key.h"

enum {
	LISTING_FILES = -1, /* all; else the changes of that layer */
	WRITE_BYTES = 64 << 10,
};

struct listing_node {
	struct node node;
	struct image *image;
	int layer; /* counted from 0, or LISTING_FILES */
	struct monitor monitor;
	/* In the monitor: who writes it; what was written, or NULL. */
	struct turn turn;
	struct spool *spool;
};

/* Rows that become larger pieces of the spool. */
struct rows_sink {
	struct sink sink;
	struct spool *spool;
	struct buf rows;
};

static struct listing_node *to_listing(struct node *node)
{
	return container_of(node, struct listing_node, node);
}

static int listing_node(struct node *dir, const char *name, struct image *image,
    int layer, struct node **out, struct err *err)
{
	struct listing_node *self = calloc(1, sizeof(*self));

	if (!self)
		return err_nomem(err);
	self->image = image_get(image);
	self->layer = layer;
	monitor_init(&self->monitor);
	node_init_in(&self->node, dir, name, NODE_LISTING,
	    key_of_part(dir, name, &image->digest), 0, TTL_FOREVER);
	*out = node_add(dir->mount->nodes, &self->node, err);
	return *out ? 0 : -err->code;
}

int files_listing_node(struct node *dir, const char *name, struct image *image,
    struct node **out, struct err *err)
{
	return listing_node(dir, name, image, LISTING_FILES, out, err);
}

int changes_listing_node(struct node *dir, const char *name,
    struct image *image, size_t layer, struct node **out, struct err *err)
{
	return listing_node(dir, name, image, (int)layer, out, err);
}

static void listing_free(struct node *node)
{
	struct listing_node *self = to_listing(node);

	spool_free(self->spool);
	monitor_release(&self->monitor);
	image_put(self->image);
	free(self);
}

static int flush(struct rows_sink *self, struct err *err)
{
	int r = spool_write(self->spool, self->rows.data, self->rows.len,
	    spool_size(self->spool), err);

	buf_reset(&self->rows);
	return r;
}

static int take_row(struct sink *sink, const void *data, size_t len,
    struct err *err)
{
	struct rows_sink *self = container_of(sink, struct rows_sink, sink);
	int r = buf_add(&self->rows, data, len, err);

	return r < 0 || self->rows.len < WRITE_BYTES ? r : flush(self, err);
}

static int write_listing(struct listing_node *self, struct spool **out,
    struct err *err)
{
	CLEANUP(spool_free_p) struct spool *spool = NULL;
	struct rows_sink sink = {.sink = {take_row},
	    .rows = BUF_INIT(SIZE_MAX / 2)};
	int r = spool_new(self->node.mount->store, &spool, err);

	sink.spool = spool;
	if (r == 0 && self->layer == LISTING_FILES)
		r = inspect_files(self->image, &sink.sink, err);
	else if (r == 0)
		r = inspect_changes(self->image, (size_t)self->layer,
		    &sink.sink, err);
	if (r == 0 && sink.rows.len)
		r = flush(&sink, err);
	buf_release(&sink.rows);
	if (r == 0)
		*out = steal(&spool);
	return r;
}

/* Waits until it is written: *out lives as long as the node. */
static int listing_get(struct listing_node *self, struct spool **out,
    struct err *err)
{
	struct spool *written = NULL;
	int r;

	monitor_enter(&self->monitor);
	r = turn_wait(&self->turn, &self->monitor, err);
	if (r == 0 && !self->spool) {
		turn_take(&self->turn, 0);
		monitor_leave(&self->monitor);
		r = write_listing(self, &written, err);
		monitor_enter(&self->monitor);
		self->spool = written;
		turn_end(&self->turn, &self->monitor, r < 0 ? err : NULL);
	}
	*out = self->spool;
	monitor_leave(&self->monitor);
	return r;
}

static int listing_stat(struct node *node, struct stat *out, struct err *err)
{
	struct spool *spool;
	int r = listing_get(to_listing(node), &spool, err);

	if (r < 0)
		return r;
	mount_stat_file(node->mount, node, spool_size(spool), out);
	out->st_mode = S_IFREG | 0444;
	return 0;
}

static int listing_open(struct node *node, int flags, struct handle *handle,
    struct err *err)
{
	struct spool *spool;

	(void)flags;
	handle->keep_cache = true;
	return listing_get(to_listing(node), &spool, err);
}

static ssize_t listing_read(struct handle *handle, void *data, size_t len,
    uint64_t off, struct err *err)
{
	struct spool *spool;
	int r = listing_get(to_listing(handle->node), &spool, err);

	return r < 0 ? r : spool_read(spool, data, len, off, err);
}

const struct view_ops view_listing = {
    .stat = listing_stat,
    .free = listing_free,
    .open = listing_open,
    .read = listing_read,
};
