/* SPDX-License-Identifier: Apache-2.0 */
/* Changes of names and attributes: find the node, call its view, reply once. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "op.h"

static unsigned setattr_fields(int to_set)
{
	unsigned fields = 0;

	if (to_set & FUSE_SET_ATTR_MODE)
		fields |= SETATTR_MODE;
	if (to_set & FUSE_SET_ATTR_SIZE)
		fields |= SETATTR_SIZE;
	if (to_set & FUSE_SET_ATTR_MTIME)
		fields |= SETATTR_TIMES;
	if (to_set & FUSE_SET_ATTR_UID)
		fields |= SETATTR_UID;
	if (to_set & FUSE_SET_ATTR_GID)
		fields |= SETATTR_GID;
	if (to_set & FUSE_SET_ATTR_ATIME)
		fields |= SETATTR_ATIME;
	return fields;
}

static int setattr(struct op *op, fuse_ino_t ino, struct stat *attr, int to_set,
    struct fuse_file_info *fi, struct stat *out, double *ttl)
{
	CLEANUP(node_put_p) struct node *node = op_node(op, ino);
	unsigned fields = setattr_fields(to_set);
	int r = 0;

	if (!node)
		return -op->err.code;
	if (to_set & FUSE_SET_ATTR_MTIME_NOW)
		clock_gettime(CLOCK_REALTIME, &attr->st_mtim);
	if (to_set & FUSE_SET_ATTR_ATIME_NOW)
		clock_gettime(CLOCK_REALTIME, &attr->st_atim);
	if (node->view->setattr)
		r = node->view->setattr(node, fi ? op_handle(fi) : NULL, attr,
		    fields, &op->err);
	else if (fields & SETATTR_SIZE)
		r = err_set(&op->err, EPERM,
		    "read-only file; its size cannot be changed");
	/* Everything else succeeds and changes nothing: tools set mode, owner
	 * and times by name after a copy, when the name is an image's. */
	if (r < 0)
		return r;
	*ttl = op_attr_ttl(node);
	return node->view->stat(node, out, &op->err);
}

static void op_setattr(fuse_req_t req, fuse_ino_t ino, struct stat *attr,
    int to_set, struct fuse_file_info *fi)
{
	struct op op;
	struct stat out;
	double ttl = 0;

	if (op_is_refused(req))
		return;
	op_begin(&op, req, "setattr", ino);
	if (setattr(&op, ino, attr, to_set, fi, &out, &ttl) < 0) {
		op_fail(&op);
		return;
	}
	op_end(&op);
	fuse_reply_attr(req, &out, ttl);
}

/* What is to be made, and of it what its kind needs. */
struct node_making {
	const char *name;
	mode_t mode;        /* of a directory or a special file */
	dev_t device;       /* of a special file */
	const char *target; /* of a symbolic link */
};

static int make(struct node *dir, const struct node_making *making,
    struct node **out, struct err *err)
{
	const struct view_ops *view = dir->view;

	if (making->target && view->symlink)
		return view->symlink(dir, making->name, making->target, out,
		    err);
	if (!making->target && S_ISDIR(making->mode) && view->mkdir)
		return view->mkdir(dir, making->name, making->mode, out, err);
	if (!making->target && !S_ISDIR(making->mode) && view->mknod)
		return view->mknod(dir, making->name, making->mode,
		    making->device, out, err);
	return err_set(err, EPERM,
	    "nothing of this type can be created in this directory");
}

static int make_entry(struct op *op, fuse_ino_t parent,
    const struct node_making *making, struct fuse_entry_param *entry)
{
	CLEANUP(node_put_p) struct node *dir = op_node(op, parent);
	CLEANUP(node_put_p) struct node *node = NULL;
	int r = dir ? make(dir, making, &node, &op->err) : -op->err.code;

	return r < 0 ? r : op_entry(op, dir, node, entry);
}

static void reply_made(fuse_req_t req, const char *what, fuse_ino_t parent,
    const struct node_making *making)
{
	struct op op;
	struct fuse_entry_param entry;

	if (op_is_refused(req))
		return;
	op_begin_push(&op, req, what, parent);
	op_of_name(&op, making->name);
	if (making->target)
		op_and_name(&op, 0, making->target);
	if (make_entry(&op, parent, making, &entry) < 0)
		op_fail(&op);
	else
		op_reply_entry(&op, &entry);
}

static void op_mkdir(fuse_req_t req, fuse_ino_t parent, const char *name,
    mode_t mode)
{
	reply_made(req, "mkdir", parent,
	    &(struct node_making){.name = name, .mode = S_IFDIR | mode});
}

static void op_symlink(fuse_req_t req, const char *target, fuse_ino_t parent,
    const char *name)
{
	reply_made(req, "symlink", parent,
	    &(struct node_making){.name = name, .target = target});
}

static void op_mknod(fuse_req_t req, fuse_ino_t parent, const char *name,
    mode_t mode, dev_t device)
{
	reply_made(req, "mknod", parent,
	    &(struct node_making){.name = name,
		.mode = mode,
		.device = device});
}

static int link_entry(struct op *op, fuse_ino_t ino, fuse_ino_t parent,
    const char *name, struct fuse_entry_param *entry)
{
	CLEANUP(node_put_p) struct node *dir = op_node(op, parent);
	CLEANUP(node_put_p) struct node *node = op_node(op, ino);
	int r;

	if (!dir || !node)
		return -op->err.code;
	if (!dir->view->link)
		return err_set(&op->err, EPERM,
		    "no hard link can be created in this directory");
	r = dir->view->link(dir, name, node, &op->err);
	return r < 0 ? r : op_entry(op, dir, node, entry);
}

static void op_link(fuse_req_t req, fuse_ino_t ino, fuse_ino_t parent,
    const char *name)
{
	struct op op;
	struct fuse_entry_param entry;

	if (op_is_refused(req))
		return;
	op_begin(&op, req, "link", ino);
	op_and_name(&op, parent, name);
	if (link_entry(&op, ino, parent, name, &entry) < 0)
		op_fail(&op);
	else
		op_reply_entry(&op, &entry);
}

static void remove_entry(fuse_req_t req, fuse_ino_t parent, const char *name,
    bool directory)
{
	struct op op;
	CLEANUP(node_put_p) struct node *dir = NULL;
	int (*remove)(struct node *, const char *, struct err *) = NULL;
	int r = -ESTALE;

	if (op_is_refused(req))
		return;
	op_begin_push(&op, req, "remove", parent);
	op_of_name(&op, name);
	dir = op_node(&op, parent);
	if (dir)
		remove = directory ? dir->view->rmdir : dir->view->unlink;
	if (remove)
		r = remove(dir, name, &op.err);
	else if (dir)
		r = err_set(&op.err, EPERM,
		    "this is part of an image, and cannot be removed");
	op_reply(&op, r);
}

static void op_unlink(fuse_req_t req, fuse_ino_t parent, const char *name)
{
	remove_entry(req, parent, name, false);
}

static void op_rmdir(fuse_req_t req, fuse_ino_t parent, const char *name)
{
	remove_entry(req, parent, name, true);
}

static int rename_entry(struct op *op, fuse_ino_t from, const char *name,
    fuse_ino_t to, const char *to_name, unsigned flags)
{
	CLEANUP(node_put_p) struct node *dir = op_node(op, from);
	CLEANUP(node_put_p) struct node *to_dir = op_node(op, to);
	int r;

	if (!dir || !to_dir)
		return -op->err.code;
	/* EPERM and never EXDEV, on which mv would copy a whole image and then
	 * remove it. */
	if (!dir->view->rename || !to_dir->view->create)
		return err_set(&op->err, EPERM,
		    "this is part of an image, and cannot be renamed");
	r = dir->view->rename(dir, name, to_dir, to_name, flags, &op->err);
	/* Which mv would call a move of a directory into itself. */
	if (r == -EINVAL && !flags)
		op->err.code = EIO;
	return r < 0 ? -op->err.code : r;
}

static void op_rename(fuse_req_t req, fuse_ino_t parent, const char *name,
    fuse_ino_t newparent, const char *newname, unsigned int flags)
{
	struct op op;

	if (op_is_refused(req))
		return;
	op_begin_push(&op, req, "rename", parent);
	op_of_name(&op, name);
	op_and_name(&op, newparent, newname);
	op_reply(&op,
	    rename_entry(&op, parent, name, newparent, newname, flags));
}

void ops_tree(struct fuse_lowlevel_ops *out)
{
	out->setattr = op_setattr;
	out->mkdir = op_mkdir;
	out->unlink = op_unlink;
	out->rmdir = op_rmdir;
	out->rename = op_rename;
	out->symlink = op_symlink;
	out->link = op_link;
	out->mknod = op_mknod;
}
