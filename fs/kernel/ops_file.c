/* SPDX-License-Identifier: Apache-2.0 */
/* Open files: find the handle, call its view, reply once. */
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <unistd.h>

#include "borrow.h"
#include "node/lead.h"
#include "op.h"
#include "spent.h"

/* Whether a file is opened to be changed. */
static bool changes(int flags)
{
	return (flags & O_ACCMODE) != O_RDONLY || flags & O_TRUNC;
}

/* Opens the node (taken) and fills fi for the kernel; NULL: op->err says why.
 */
static struct handle *handle_open(struct op *op, struct node *node,
    struct fuse_file_info *fi)
{
	CLEANUP(handle_free_p) struct handle *handle = handle_new(op, node);
	const struct view_ops *view;

	if (!handle)
		return NULL;
	view = handle->node->view;
	if (!view->open) {
		err_set(&op->err, EISDIR, "is a directory");
		return NULL;
	}
	if (changes(fi->flags) && !view->write) {
		err_set(&op->err, EPERM, "read-only file");
		return NULL;
	}
	if (view->open(handle->node, fi->flags, handle, &op->err) < 0)
		return NULL;
	fi->fh = (uintptr_t)handle;
	fi->keep_cache = handle->keep_cache;
	fi->direct_io = handle->direct;
	/* A close has nothing to say unless something was written. */
	fi->noflush = !view->flush || (fi->flags & O_ACCMODE) == O_RDONLY;
	return steal(&handle);
}

static bool op_is_read_only(fuse_req_t req)
{
	const struct mount *mount = fuse_req_userdata(req);

	return mount->read_only;
}

static void op_open(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
	const struct mount *mount = fuse_req_userdata(req);
	struct op op;
	struct handle *handle;

	/* The kernel then opens files by itself, from now on. */
	if (op_is_read_only(req)) {
		fuse_reply_err(req, ENOSYS);
		return;
	}
	/* Of a file in a layer there is nothing to open. */
	if (node_is_located(ino) && !changes(fi->flags)) {
		spent_forget(mount->spent, fuse_req_ctx(req)->pid);
		fi->keep_cache = true;
		fi->noflush = true;
		fuse_reply_open(req, fi);
		return;
	}
	op_begin(&op, req, "open", ino);
	handle = handle_open(&op, op_node(&op, ino), fi);
	if (!handle) {
		op_fail(&op);
		return;
	}
	op_end(&op);
	/* The caller is gone: there will be no release. */
	if (fuse_reply_open(req, fi) < 0)
		handle_close(handle);
}

static int create(struct op *op, fuse_ino_t parent, const char *name,
    mode_t mode, struct fuse_file_info *fi, struct fuse_entry_param *entry,
    struct handle **handle)
{
	CLEANUP(node_put_p) struct node *dir = op_node(op, parent);
	CLEANUP(node_put_p) struct node *node = NULL;
	int r;

	if (!dir)
		return -op->err.code;
	if (!dir->view->create)
		return err_set(&op->err, EPERM,
		    "no file can be written in this directory");
	r = dir->view->create(dir, name, mode, &node, &op->err);
	if (r < 0)
		return r;
	*handle = handle_open(op, node_hold(node), fi);
	if (!*handle)
		return -op->err.code;
	r = op_entry(op, dir, node, entry);
	if (r < 0)
		handle_close(*handle);
	return r;
}

static void op_create(fuse_req_t req, fuse_ino_t parent, const char *name,
    mode_t mode, struct fuse_file_info *fi)
{
	struct op op;
	struct fuse_entry_param entry;
	struct handle *handle = NULL;

	if (op_is_refused(req))
		return;
	op_begin(&op, req, "create", parent);
	op_of_name(&op, name);
	if (create(&op, parent, name, mode, fi, &entry, &handle) < 0) {
		op_fail(&op);
		return;
	}
	op_end(&op);
	if (fuse_reply_create(req, &entry, fi) < 0) {
		handle_close(handle);
		node_forget(op.mount->nodes, entry.ino, 1);
	}
}

static void op_release(fuse_req_t req, fuse_ino_t ino,
    struct fuse_file_info *fi)
{
	struct handle *handle = op_handle(fi);

	(void)ino;
	if (handle) {
		lead_give();
		handle_close(handle);
	}
	fuse_reply_err(req, 0);
}

static ssize_t read_file(struct op *op, fuse_ino_t ino,
    struct fuse_file_info *fi, void *data, size_t size, off_t off)
{
	struct handle *handle = op_handle(fi);
	ssize_t n;

	if (handle)
		return handle->node->view->read(handle, data, size,
		    (uint64_t)off, &op->err);
	handle = borrow(op, ino);
	if (!handle)
		return -op->err.code;
	n = handle->node->view->read(handle, data, size, (uint64_t)off,
	    &op->err);
	borrow_return(op->mount, handle);
	return n;
}

/* Of a file in a layer, what is in memory; -EAGAIN. */
static ssize_t read_known(fuse_req_t req, fuse_ino_t ino, void *data,
    size_t size, off_t off)
{
	CLEANUP(node_put_p) struct node *node = NULL;
	const struct mount *mount = fuse_req_userdata(req);

	if (!node_is_located(ino))
		return -EAGAIN;
	node = node_find(mount->nodes, ino);
	return node && node->view->read_known
		   ? node->view->read_known(node, data, size, (uint64_t)off,
			 ERR_IGNORE)
		   : -EAGAIN;
}

static void op_read(fuse_req_t req, fuse_ino_t ino, size_t size, off_t off,
    struct fuse_file_info *fi)
{
	struct op op;
	AUTO_FREE char *data = malloc(size);
	ssize_t n;

	n = data ? read_known(req, ino, data, size, off) : -ENOMEM;
	if (n >= 0) {
		fuse_reply_buf(req, data, (size_t)n);
		return;
	}
	op_begin_read(&op, req, "read", ino);
	op_of_open(&op);
	n = data ? read_file(&op, ino, fi, data, size, off)
		 : err_nomem(&op.err);
	if (n < 0) {
		op_fail(&op);
		return;
	}
	op_end(&op);
	fuse_reply_buf(req, data, (size_t)n);
}

static int seek(struct op *op, struct node *node, off_t off, int whence,
    uint64_t *out)
{
	struct stat attr;
	int r;

	if (node->view->seek)
		return node->view->seek(node, (uint64_t)off, whence, out,
		    &op->err);
	r = node->view->stat(node, &attr, &op->err);
	if (r < 0)
		return r;
	if (off < 0 || off >= attr.st_size)
		return err_set(&op->err, ENXIO, "offset beyond end of file");
	*out = (uint64_t)(whence == SEEK_DATA ? off : attr.st_size);
	return 0;
}

/* SEEK_DATA and SEEK_HOLE, by which programs copy sparse files. */
static void op_lseek(fuse_req_t req, fuse_ino_t ino, off_t off, int whence,
    struct fuse_file_info *fi)
{
	struct op op;
	CLEANUP(node_put_p) struct node *node = NULL;
	uint64_t found = 0;
	int r = -ESTALE;

	(void)fi;
	op_begin_asking(&op, req, "lseek", ino);
	op_of_open(&op);
	node = op_node(&op, ino);
	if (node)
		r = seek(&op, node, off, whence, &found);
	if (r < 0) {
		op_fail(&op);
		return;
	}
	op_end(&op);
	fuse_reply_lseek(req, (off_t)found);
}

static void op_write(fuse_req_t req, fuse_ino_t ino, const char *data,
    size_t size, off_t off, struct fuse_file_info *fi)
{
	struct op op;
	struct handle *handle = op_handle(fi);

	if (op_is_refused(req))
		return;
	op_begin_push(&op, req, "write", ino);
	op_of_open(&op);
	if (handle->node->view->write(handle, data, size, (uint64_t)off,
		&op.err) < 0) {
		op_fail(&op);
		return;
	}
	op_end(&op);
	fuse_reply_write(req, size);
}

/* copy_file_range(2). The reply has 32 bits for its length. */
static void op_copy(fuse_req_t req, fuse_ino_t ino_in, off_t off_in,
    struct fuse_file_info *fi_in, fuse_ino_t ino_out, off_t off_out,
    struct fuse_file_info *fi_out, size_t len, int flags)
{
	enum { COPY_MAX = 1 << 30 };
	struct op op;
	struct handle *from = op_handle(fi_in), *to = op_handle(fi_out);
	ssize_t n = -EOPNOTSUPP;

	(void)ino_in;
	(void)flags;
	if (op_is_refused(req))
		return;
	op_begin_push(&op, req, "copy", ino_out);
	op_of_open(&op);
	if (len > COPY_MAX)
		len = COPY_MAX;
	if (from && to && to->node->view->copy)
		n = to->node->view->copy(from, (uint64_t)off_in, to,
		    (uint64_t)off_out, len, &op.err);
	if (n == -EOPNOTSUPP) {
		op_end(&op);
		fuse_reply_err(req, EOPNOTSUPP);
		return;
	}
	if (n < 0) {
		op_fail(&op);
		return;
	}
	op_end(&op);
	fuse_reply_write(req, (size_t)n);
}

static void op_flush(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
	struct op op;
	struct handle *handle = op_handle(fi);

	if (!handle) {
		/* Nor need it say so again. */
		fuse_reply_err(req, op_is_read_only(req) ? ENOSYS : 0);
		return;
	}
	op_begin_push(&op, req, "close", ino);
	op_of_open(&op);
	op_reply(&op, handle->node->view->flush
			  ? handle->node->view->flush(handle, &op.err)
			  : 0);
}

static void op_fsync(fuse_req_t req, fuse_ino_t ino, int datasync,
    struct fuse_file_info *fi)
{
	(void)datasync;
	op_flush(req, ino, fi);
}

void ops_file(struct fuse_lowlevel_ops *out)
{
	out->open = op_open;
	out->create = op_create;
	out->release = op_release;
	out->read = op_read;
	out->lseek = op_lseek;
	out->write = op_write;
	out->copy_file_range = op_copy;
	out->flush = op_flush;
	out->fsync = op_fsync;
}
