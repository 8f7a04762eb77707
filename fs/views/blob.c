/* SPDX-License-Identifier: Apache-2.0 */
/* Files whose content is named by a digest: blobs and manifests. */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/container.h"
#include "base/file.h"
#include "base/lock.h"
#include "image/trees.h"
#include "makers.h"
#include "node/image_info.h"
#include "node/key.h"
#include "upload/document.h"

/* No epoch of any file. */
#define EPOCH_MIXED UINT64_MAX

struct blob_node {
	struct node node;
	struct image *image; /* one that names it, to fetch it by */
	const struct descriptor *descriptor; /* in image's manifest */
	/* How often the digest turned out wrong after the kernel had been
	 * given some of the bytes. */
	atomic_uint poisoned;
	/* The epoch (store/store.h) of unverified bytes that the kernel may
	 * have; 0: none; EPOCH_MIXED: wrong ones, or of several. */
	atomic_uint_least64_t doubtful;

	pthread_mutex_t lock;
	/* Under lock. */
	unsigned opened; /* struct blob_file there are of it */
	/* Held: the layer that it is, whose index vouches for each piece of
	 * it. While there is one nobody is given anything else that is not
	 * verified: who had some of it would never learn what it was. */
	struct layer *layer;
	/* Some of those who have it open may have been given such bytes. */
	bool early;
};

/*
 * An open blob. The kernel asks again for what it could not read ahead, and
 * could get a correct tail from a second transfer after a wrong head from the
 * first: a program that had it open when that was found never gets to its end.
 */
struct blob_file {
	struct blob *blob;
	unsigned poisoned; /* of the node, at the open */
};

struct manifest_node {
	struct node node;
	struct image *image;
};

static struct blob_node *to_blob(struct node *node)
{
	return container_of(node, struct blob_node, node);
}

static struct image *manifest_image(const struct node *node)
{
	return container_of(node, const struct manifest_node, node)->image;
}

uint64_t blob_node_number(const struct descriptor *descriptor)
{
	return key_number(NODE_BLOB, key_of_blob(descriptor));
}

static struct blob_node *blob_new(struct image *image,
    const struct descriptor *descriptor)
{
	struct blob_node *blob = calloc(1, sizeof(*blob));

	if (!blob)
		return NULL;
	blob->image = image_get(image);
	blob->descriptor = descriptor;
	pthread_mutex_init(&blob->lock, NULL);
	return blob;
}

int blob_content(struct mount_source *source, struct image *image,
    const struct descriptor *descriptor, struct node **out, struct err *err)
{
	struct blob_node *blob = blob_new(image, descriptor);

	if (!blob)
		return err_nomem(err);
	node_init(&blob->node, source, NODE_BLOB, key_of_blob(descriptor), 0,
	    TTL_FOREVER);
	return node_made(&blob->node, out, err);
}

int blob_node(struct node *parent, const char *name, struct image *image,
    const struct descriptor *descriptor, struct node **out, struct err *err)
{
	struct blob_node *blob = blob_new(image, descriptor);

	if (!blob)
		return err_nomem(err);
	node_init_in(&blob->node, parent, name, NODE_BLOB,
	    key_of_blob(descriptor), 0, TTL_FOREVER);
	*out = node_add(parent->mount->nodes, &blob->node, err);
	return *out ? 0 : -err->code;
}

static void blob_node_free(struct node *node)
{
	struct blob_node *self = to_blob(node);

	image_put(self->image);
	pthread_mutex_destroy(&self->lock);
	free(self);
}

/* A file of which the kernel knows that it is empty is never asked for, and
 * where the kernel opens files by itself nor is its open: what cannot be empty
 * is refused here. */
static int blob_stat(struct node *node, struct stat *out, struct err *err)
{
	const struct descriptor *descriptor = to_blob(node)->descriptor;
	int r = digest_check_size(&descriptor->digest, descriptor->size, err);

	mount_stat_file(node->mount, node, descriptor->size, out);
	image_stat_time(node, to_blob(node)->image, out);
	return r;
}

/* The entry of the manifest that the blob is, or their count. */
static size_t entry_of(const struct blob_node *self)
{
	const struct manifest *manifest = self->image->manifest;
	size_t i = 0;

	while (i < manifest->entry_count &&
	       self->descriptor != &manifest->entries[i])
		i++;
	return i;
}

/* The blob as a layer, if its index vouches for each piece of it; else NULL. */
static struct layer *vouched_layer(const struct blob_node *self)
{
	const struct manifest *manifest = self->image->manifest;
	CLEANUP(layer_put_p) struct layer *layer = NULL;
	size_t number = entry_of(self);

	if (!manifest_is_image(manifest) || number == manifest->entry_count ||
	    image_layer(self->image, number, &layer, ERR_IGNORE) < 0 ||
	    !layer_is_vouched(layer))
		return NULL;
	return steal(&layer);
}

static bool is_early(struct blob_node *self)
{
	SCOPED_LOCK(&self->lock);
	return self->early;
}

static int blob_xattrs(struct node *node, struct xattrs *out, struct err *err)
{
	struct blob_node *self = to_blob(node);
	CLEANUP(blob_put_p) struct blob *blob = NULL;
	CLEANUP(layer_put_p) struct layer *layer = NULL;
	uint64_t cached, parts;
	bool verified;
	int r = image_blob(self->image, self->descriptor, &blob, err);

	if (r < 0)
		return r;
	cached = blob_cached(blob);
	verified = blob_verified(blob);
	layer = verified || is_early(self) ? NULL : vouched_layer(self);
	parts = layer ? layer_cached(layer) : 0;
	r = xattrs_add_descriptor(out, self->descriptor, err);
	if (r == 0)
		r = xattrs_add_number(out, "user.oci.cached",
		    parts > cached ? parts : cached, err);
	if (r == 0)
		r = xattrs_add(out, "user.oci.verified",
		    verified || layer ? "yes" : "pending", err);
	return r;
}

/* What was doubtful is right if it is of the file that turned out right. */
static void settle_doubt(struct blob_node *self, struct blob *blob)
{
	uint64_t doubtful = blob_epoch(blob);

	if (doubtful && blob_verified(blob))
		atomic_compare_exchange_strong(&self->doubtful, &doubtful, 0);
}

/*
 * Whether what the kernel has of it is right, or of the very transfer that is
 * to be read: a reader that went away early may have left it the front of
 * another one, which nobody verified. Under lock.
 */
static bool keeps_pages(struct blob_node *self, struct blob *blob)
{
	uint64_t doubtful;

	settle_doubt(self, blob);
	doubtful = atomic_load(&self->doubtful);
	if (!doubtful)
		return true;
	if (!self->layer && doubtful == blob_epoch(blob)) {
		self->early = true;
		return true;
	}
	atomic_store(&self->doubtful, 0);
	return false;
}

/* One more has it open: whether the kernel's pages stay. Takes layer, which may
 * be NULL. */
static bool note_open(struct blob_node *self, struct blob *blob,
    struct layer *layer)
{
	CLEANUP(layer_put_p) struct layer *unused = layer;
	SCOPED_LOCK(&self->lock);

	self->opened++;
	if (!self->early && !self->layer)
		self->layer = steal(&unused);
	return keeps_pages(self, blob);
}

static void note_close(struct blob_node *self, struct blob *blob)
{
	CLEANUP(layer_put_p) struct layer *unused = NULL;
	SCOPED_LOCK(&self->lock);

	settle_doubt(self, blob);
	if (--self->opened > 0)
		return;
	unused = steal(&self->layer);
	self->early = false;
}

static int blob_open(struct node *node, int flags, struct handle *handle,
    struct err *err)
{
	struct blob_node *self = to_blob(node);
	struct layer *layer = NULL;
	struct blob_file *file;
	int r;

	(void)flags;
	file = calloc(1, sizeof(*file));
	if (!file)
		return err_nomem(err);
	file->poisoned = atomic_load(&self->poisoned);
	r = image_blob(self->image, self->descriptor, &file->blob, err);
	if (r < 0) {
		free(file);
		return r;
	}
	if (!blob_verified(file->blob))
		layer = vouched_layer(self);
	handle->file = file;
	handle->keep_cache = note_open(self, file->blob, layer);
	return 0;
}

/* Notes what the kernel is given now: nothing to be noted if it is 0. */
static void doubt(struct blob_node *self, uint64_t epoch)
{
	uint64_t before = 0;

	if (epoch &&
	    !atomic_compare_exchange_strong(&self->doubtful, &before, epoch) &&
	    before != epoch)
		atomic_store(&self->doubtful, EPOCH_MIXED);
}

/* The layer whose pieces are to be read. NULL: the bytes of a transfer are, of
 * which nobody knows yet whether they are right. */
static struct layer *pieces_of(struct blob_node *self)
{
	SCOPED_LOCK(&self->lock);
	if (!self->layer && !self->node.mount->read_only)
		self->early = true;
	return self->layer;
}

/* Reads from the blob, and notes what the kernel is given. */
static ssize_t read_noted(struct blob_node *self, struct blob *blob, void *data,
    size_t len, uint64_t off, bool verified, struct err *err)
{
	ssize_t n = verified ? blob_read_verified(blob, data, len, off, err)
			     : blob_read(blob, data, len, off, err);
	uint64_t unverified = blob_unverified(blob);

	doubt(self, n == -EBADMSG ? EPOCH_MIXED : unverified);
	if (n == -EBADMSG)
		atomic_fetch_add(&self->poisoned, 1);
	return n;
}

/*
 * A reader that was given bytes of a transfer goes on with it, and learns at
 * its end whether they were right. Where the kernel opens files by itself it
 * cannot be told to forget what it has of one: it gets nothing before it is
 * verified.
 */
static ssize_t read_way(struct blob_node *self, struct blob *blob, void *data,
    size_t len, uint64_t off, struct err *err)
{
	bool whole = blob_verified(blob);
	bool waits = whole || self->node.mount->read_only;
	struct layer *layer = whole ? NULL : pieces_of(self);

	return layer ? layer_read_stored(layer, data, len, off, err)
		     : read_noted(self, blob, data, len, off, waits, err);
}

static ssize_t blob_node_read(struct handle *handle, void *data, size_t len,
    uint64_t off, struct err *err)
{
	struct blob_node *self = to_blob(handle->node);
	struct blob_file *file = handle->file;
	ssize_t n = read_way(self, file->blob, data, len, off, err);
	char text[DIGEST_TEXT_SIZE];

	if (n >= 0 && atomic_load(&self->poisoned) != file->poisoned)
		n = err_set(err, EBADMSG,
		    "blob %s: bytes read earlier were wrong",
		    digest_format(&self->descriptor->digest, text));
	return n;
}

static void blob_close(struct handle *handle)
{
	struct blob_file *file = handle->file;

	note_close(to_blob(handle->node), file->blob);
	blob_put(file->blob);
	free(file);
}

const struct view_ops view_blob = {
    .stat = blob_stat,
    .free = blob_node_free,
    .xattrs = blob_xattrs,
    .open = blob_open,
    .read = blob_node_read,
    .close = blob_close,
};

int manifest_content(struct mount_source *source, struct image *image,
    struct node **out, struct err *err)
{
	struct manifest_node *manifest = calloc(1, sizeof(*manifest));

	if (!manifest)
		return err_nomem(err);
	manifest->image = image_get(image);
	node_init(&manifest->node, source, NODE_MANIFEST,
	    key_of_manifest(&image->digest), 0, TTL_FOREVER);
	return node_made(&manifest->node, out, err);
}

static void manifest_node_free(struct node *node)
{
	image_put(manifest_image(node));
	free(node);
}

static int manifest_stat(struct node *node, struct stat *out, struct err *err)
{
	struct image *image = manifest_image(node);

	(void)err;
	mount_stat_file(node->mount, node, image->len, out);
	image_stat_time(node, image, out);
	return 0;
}

static int manifest_xattrs(struct node *node, struct xattrs *out,
    struct err *err)
{
	return image_add_xattrs(manifest_image(node), NULL, out, err);
}

static int manifest_open(struct node *node, int flags, struct handle *handle,
    struct err *err)
{
	(void)node;
	(void)flags;
	(void)err;
	handle->keep_cache = true;
	return 0;
}

static ssize_t manifest_read(struct handle *handle, void *data, size_t len,
    uint64_t off, struct err *err)
{
	const struct image *image = manifest_image(handle->node);

	(void)err;
	if (off >= image->len)
		return 0;
	if (len > image->len - off)
		len = (size_t)(image->len - off);
	memcpy(data, image->data + off, len);
	return (ssize_t)len;
}

const struct view_ops view_manifest = {
    .stat = manifest_stat,
    .free = manifest_node_free,
    .xattrs = manifest_xattrs,
    .open = manifest_open,
    .read = manifest_read,
};
