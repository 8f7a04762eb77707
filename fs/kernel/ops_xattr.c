/* SPDX-License-Identifier: Apache-2.0 */
/* Extended attributes: find the node, call its view, reply once. */
#include <errno.h>
#include <string.h>

#include "op.h"

static int node_xattrs(struct op *op, fuse_ino_t ino, const char *name,
    struct xattrs *out)
{
	CLEANUP(node_put_p) struct node *node = op_node(op, ino);
	int r;

	if (!node)
		return -op->err.code;
	out->wanted = name;
	/* `ls -l` asks each file for these; told so, it asks only once. */
	out->no_acls = !node->view->all_xattrs;
	if (!node->view->xattrs)
		return 0;
	/* The kernel asks for security.capability before every write. */
	if (name && !node->view->all_xattrs &&
	    strncmp(name, "user.", strlen("user.")) != 0)
		return 0;
	r = op_settle(op, node);
	return r < 0 ? r : node->view->xattrs(node, out, &op->err);
}

/* Replies as getxattr(2) and listxattr(2) do: size 0 asks for the length. */
static void reply_xattr(fuse_req_t req, const char *data, size_t len,
    size_t size)
{
	if (size == 0)
		fuse_reply_xattr(req, len);
	else if (len > size)
		fuse_reply_err(req, ERANGE);
	else
		fuse_reply_buf(req, data, len);
}

/* Why an attribute is not there: its kind never is, or only this one is not. */
static int missing(const struct xattrs *xattrs, const char *name)
{
	bool acl = !strncmp(name, "system.", strlen("system."));

	return (acl && xattrs->no_acls) || !strcmp(name, "security.selinux")
		   ? EOPNOTSUPP
		   : ENODATA;
}

static void op_getxattr(fuse_req_t req, fuse_ino_t ino, const char *name,
    size_t size)
{
	struct op op;
	CLEANUP(xattrs_release) struct xattrs xattrs = XATTRS_INIT;
	const char *value;
	size_t len = 0;
	int r;

	op_begin_asking(&op, req, "getxattr", ino);
	r = node_xattrs(&op, ino, name, &xattrs);
	if (r < 0) {
		op_fail(&op);
		return;
	}
	op_end(&op);
	value = xattrs_find(&xattrs, name, &len);
	if (value)
		reply_xattr(req, value, len, size);
	else
		fuse_reply_err(req, missing(&xattrs, name));
}

static void op_listxattr(fuse_req_t req, fuse_ino_t ino, size_t size)
{
	struct op op;
	CLEANUP(xattrs_release) struct xattrs xattrs = XATTRS_INIT;
	AUTO_BUF struct buf names = BUF_INIT(64 << 10);
	int r;

	op_begin_asking(&op, req, "listxattr", ino);
	r = node_xattrs(&op, ino, NULL, &xattrs);
	if (r == 0)
		r = xattrs_names(&xattrs, &names, &op.err);
	if (r < 0) {
		op_fail(&op);
		return;
	}
	op_end(&op);
	reply_xattr(req, buf_str(&names), names.len, size);
}

static void set_xattr(fuse_req_t req, fuse_ino_t ino, const char *name,
    const char *value, size_t size, int flags)
{
	struct op op;
	CLEANUP(node_put_p) struct node *node = NULL;
	int r = -ESTALE;

	if (op_is_refused(req))
		return;
	op_begin_push(&op, req, "setxattr", ino);
	node = op_node(&op, ino);
	/* Programs that copy files set their attributes, which an image does
	 * not have: on EOPNOTSUPP they go on without a message. */
	if (node && !node->view->setxattr) {
		op_end(&op);
		fuse_reply_err(req, EOPNOTSUPP);
		return;
	}
	if (node)
		r = node->view->setxattr(node, name, value, size, flags,
		    &op.err);
	if (r == -EOPNOTSUPP) {
		op_end(&op);
		fuse_reply_err(req, EOPNOTSUPP);
		return;
	}
	op_reply(&op, r);
}

static void op_setxattr(fuse_req_t req, fuse_ino_t ino, const char *name,
    const char *value, size_t size, int flags)
{
	set_xattr(req, ino, name, value, size, flags);
}

static void op_removexattr(fuse_req_t req, fuse_ino_t ino, const char *name)
{
	set_xattr(req, ino, name, NULL, 0, 0);
}

void ops_xattr(struct fuse_lowlevel_ops *out)
{
	out->getxattr = op_getxattr;
	out->listxattr = op_listxattr;
	out->setxattr = op_setxattr;
	out->removexattr = op_removexattr;
}
