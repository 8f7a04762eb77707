/* SPDX-License-Identifier: Apache-2.0 */
/* A file that is being written. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/xattr.h>

#include "base/file.h"
#include "document.h"
#include "node/nodes.h"
#include "oci/artifact.h"
#include "upload.h"

static int upload_node_stat(struct node *node, struct stat *out,
    struct err *err)
{
	(void)err;
	mount_stat_file(node->mount, node, 0, out);
	upload_stat(upload_of(node), out);
	return 0;
}

static int upload_xattrs(struct node *node, struct xattrs *out, struct err *err)
{
	char text[sizeof(err->msg)], type[ARTIFACT_TYPE_SIZE];
	int r = 0;

	upload_type(upload_of(node), type);
	if (*type)
		r = xattrs_add(out, XATTR_ARTIFACT_TYPE, type, err);
	if (r == 0 && upload_error(upload_of(node), text, sizeof(text)))
		r = xattrs_add(out, "user.registryfs.error", text, err);
	return r;
}

static int upload_node_setxattr(struct node *node, const char *name,
    const void *value, size_t len, int flags, struct err *err)
{
	return upload_setxattr(upload_of(node), name, value, len, flags, err);
}

static int upload_node_open(struct node *node, int flags, struct handle *handle,
    struct err *err)
{
	handle->direct = true;
	return upload_open(upload_of(node), flags, err);
}

static void upload_node_close(struct handle *handle)
{
	upload_close(upload_of(handle->node));
}

static ssize_t upload_node_read(struct handle *handle, void *data, size_t len,
    uint64_t off, struct err *err)
{
	return upload_read(upload_of(handle->node), data, len, off, err);
}

static int upload_node_write(struct handle *handle, const void *data,
    size_t len, uint64_t off, struct err *err)
{
	return upload_write(upload_of(handle->node), data, len, off, err);
}

static ssize_t upload_node_copy(struct handle *from, uint64_t from_off,
    struct handle *to, uint64_t to_off, size_t len, struct err *err)
{
	return upload_copy(upload_of(to->node), document_save(from), from_off,
	    to_off, len, err);
}

static int upload_node_flush(struct handle *handle, struct err *err)
{
	return upload_flush(upload_of(handle->node), handle->pid, err);
}

static int upload_node_setattr(struct node *node, struct handle *handle,
    const struct stat *attr, unsigned fields, struct err *err)
{
	(void)handle;
	return upload_setattr(upload_of(node), attr, fields, err);
}

const struct view_ops view_upload = {
    .stat = upload_node_stat,
    .free = upload_node_free,
    .xattrs = upload_xattrs,
    .open = upload_node_open,
    .close = upload_node_close,
    .read = upload_node_read,
    .write = upload_node_write,
    .copy = upload_node_copy,
    .flush = upload_node_flush,
    .setattr = upload_node_setattr,
    .is_fleeting = true,
    .setxattr = upload_node_setxattr,
};
