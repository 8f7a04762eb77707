/* SPDX-License-Identifier: Apache-2.0 */
/* Files whose content is named by a digest: blobs and manifests. */
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "document.h"
#include "image_info.h"
#include "nodes.h"

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
};

/*
 * An open blob. The kernel asks again for what it could not read ahead, and
 * might get it from a better transfer, behind a front that was wrong: whoever
 * had it open when it was found out never gets to its end.
 */
struct blob_file {
	struct blob *blob;
	unsigned poisoned; /* of the node, at the open */
};

struct manifest_node {
	struct node node;
	struct image *image;
};

static struct blob_node *to_blob(const struct node *node)
{
	return (struct blob_node *)(uintptr_t)node;
}

static struct image *manifest_image(const struct node *node)
{
	return ((const struct manifest_node *)(const void *)node)->image;
}

static char *blob_key(const struct descriptor *descriptor)
{
	char text[DIGEST_TEXT_SIZE];

	/* Size and type are the manifest's word, and another's may differ. */
	return file_path("blob:%s:%llu:%s",
	    digest_format(&descriptor->digest, text),
	    (unsigned long long)descriptor->size, descriptor->media_type);
}

uint64_t blob_node_number(const struct descriptor *descriptor)
{
	AUTO_FREE char *key = blob_key(descriptor);

	return key ? node_number(key) : 0;
}

int blob_content(struct mount *mount, struct image *image,
    const struct descriptor *descriptor, struct node **out, struct err *err)
{
	struct blob_node *blob = calloc(1, sizeof(*blob));

	if (!blob)
		return err_nomem(err);
	blob->image = image_get(image);
	blob->descriptor = descriptor;
	node_init(&blob->node, mount, &view_blob, blob_key(descriptor), 0,
	    TTL_FOREVER);
	return node_made(&blob->node, out, err);
}

int blob_node(struct mount *mount, struct image *image,
    const struct descriptor *descriptor, struct node **out, struct err *err)
{
	struct node *node = NULL;
	int r = blob_content(mount, image, descriptor, &node, err);

	if (r < 0)
		return r;
	*out = node_add(mount->nodes, node, err);
	return *out ? 0 : -err->code;
}

static void blob_node_free(struct node *node)
{
	image_put(to_blob(node)->image);
	free(to_blob(node));
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

static int blob_xattrs(struct node *node, struct xattrs *out, struct err *err)
{
	const struct blob_node *self = to_blob(node);
	CLEANUP(blob_put_p) struct blob *blob = NULL;
	int r = image_blob(self->image, self->descriptor, &blob, err);

	if (r == 0)
		r = xattrs_add_descriptor(out, self->descriptor, err);
	if (r == 0)
		r = xattrs_add_number(out, "user.oci.cached", blob_cached(blob),
		    err);
	if (r == 0)
		r = xattrs_add(out, "user.oci.verified",
		    blob_verified(blob) ? "yes" : "pending", err);
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
 * another one, which nobody verified.
 */
static bool keeps_pages(struct blob_node *self, struct blob *blob)
{
	uint64_t doubtful;

	settle_doubt(self, blob);
	doubtful = atomic_load(&self->doubtful);
	if (!doubtful || doubtful == blob_epoch(blob))
		return true;
	atomic_store(&self->doubtful, 0);
	return false;
}

static int blob_open(struct node *node, int flags, struct handle *handle,
    struct err *err)
{
	struct blob_node *self = to_blob(node);
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
	handle->file = file;
	handle->keep_cache = keeps_pages(self, file->blob);
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

/*
 * Where the kernel opens files by itself it cannot be told to forget what it
 * has of one: it gets nothing before the digest came out right.
 */
static ssize_t read_blob(const struct node *node, struct blob *blob, void *data,
    size_t len, uint64_t off, struct err *err)
{
	return node->mount->read_only
		   ? blob_read_verified(blob, data, len, off, err)
		   : blob_read(blob, data, len, off, err);
}

static ssize_t blob_node_read(struct handle *handle, void *data, size_t len,
    uint64_t off, struct err *err)
{
	struct blob_node *self = to_blob(handle->node);
	struct blob_file *file = handle->file;
	ssize_t n = read_blob(handle->node, file->blob, data, len, off, err);
	char text[DIGEST_TEXT_SIZE];
	uint64_t unverified;

	unverified = blob_unverified(file->blob);
	doubt(self, n == -EBADMSG ? EPOCH_MIXED : unverified);
	if (n == -EBADMSG)
		atomic_fetch_add(&self->poisoned, 1);
	else if (n >= 0 && atomic_load(&self->poisoned) != file->poisoned)
		n = err_set(err, EBADMSG,
		    "blob %s: what was read of it before was wrong",
		    digest_format(&self->descriptor->digest, text));
	return n;
}

static void blob_close(struct handle *handle)
{
	struct blob_file *file = handle->file;

	settle_doubt(to_blob(handle->node), file->blob);
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

int manifest_content(struct mount *mount, struct image *image,
    struct node **out, struct err *err)
{
	struct manifest_node *manifest = calloc(1, sizeof(*manifest));
	char text[DIGEST_TEXT_SIZE];

	if (!manifest)
		return err_nomem(err);
	manifest->image = image_get(image);
	node_init(&manifest->node, mount, &view_manifest,
	    file_path("manifest:%s", digest_format(&image->digest, text)), 0,
	    TTL_FOREVER);
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
