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
#include "written_file.h"

static int written_node_stat(struct node *node, struct stat *out,
    struct err *err)
{
	(void)err;
	mount_stat_file(node->mount, node, 0, out);
	written_file_stat(written_file_of(node), out);
	return 0;
}

static int written_file_xattrs(struct node *node, struct xattrs *out,
    struct err *err)
{
	char text[sizeof(err->msg)], type[ARTIFACT_TYPE_SIZE];
	int r = 0;

	written_file_type(written_file_of(node), type);
	if (*type)
		r = xattrs_add(out, XATTR_ARTIFACT_TYPE, type, err);
	if (r == 0 &&
	    written_file_error(written_file_of(node), text, sizeof(text)))
		r = xattrs_add(out, "user.registryfs.error", text, err);
	return r;
}

static int written_node_setxattr(struct node *node, const char *name,
    const void *value, size_t len, int flags, struct err *err)
{
	return written_file_setxattr(written_file_of(node), name, value, len,
	    flags, err);
}

static int written_node_open(struct node *node, int flags,
    struct handle *handle, struct err *err)
{
	handle->direct = true;
	return written_file_open(written_file_of(node), flags, err);
}

static void written_node_close(struct handle *handle)
{
	written_file_close(written_file_of(handle->node));
}

static ssize_t written_node_read(struct handle *handle, void *data, size_t len,
    uint64_t off, struct err *err)
{
	return written_file_read(written_file_of(handle->node), data, len, off,
	    err);
}

static int written_node_write(struct handle *handle, const void *data,
    size_t len, uint64_t off, struct err *err)
{
	return written_file_write(written_file_of(handle->node), data, len, off,
	    err);
}

static ssize_t written_node_copy(struct handle *from, uint64_t from_off,
    struct handle *to, uint64_t to_off, size_t len, struct err *err)
{
	return written_file_copy(written_file_of(to->node), document_save(from),
	    from_off, to_off, len, err);
}

static int written_node_flush(struct handle *handle, struct err *err)
{
	return written_file_flush(written_file_of(handle->node), handle->pid,
	    err);
}

static int written_node_setattr(struct node *node, struct handle *handle,
    const struct stat *attr, unsigned fields, struct err *err)
{
	(void)handle;
	return written_file_setattr(written_file_of(node), attr, fields, err);
}

static char *written_node_path(const struct node *node)
{
	return written_names_path(written_file_of(node));
}

const struct view_ops view_written = {
    .stat = written_node_stat,
    .free = written_node_free,
    .path = written_node_path,
    .xattrs = written_file_xattrs,
    .open = written_node_open,
    .close = written_node_close,
    .read = written_node_read,
    .write = written_node_write,
    .copy = written_node_copy,
    .flush = written_node_flush,
    .setattr = written_node_setattr,
    .is_fleeting = true,
    .setxattr = written_node_setxattr,
};
