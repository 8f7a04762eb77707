/* SPDX-License-Identifier: Apache-2.0 */
/* Names, attributes and directories: find the node, call its view, reply once.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>

#include "habits/habits.h"
#include "mirror/mirror.h"
#include "mirror/part_copy.h"
#include "node/lead.h"
#include "op.h"
#include "parallel.h"

/* Entries whose attributes a listing gives along with their names. Past it the
 * kernel asks for those that somebody wants: a node for each of 100,000 names
 * that nobody looks at would cost more than the list. */
enum {
	LIST_SELF = 2, /* "." and "..", which are never looked up */
	LIST_PLUS_MAX = 8192,
};

static void op_init(void *userdata, struct fuse_conn_info *conn)
{
	struct mount *mount = userdata;

	/* Reads that wait for the network must not hold up others: the kernel's
	 * default is 12. */
	conn->max_background = 128;
	conn->congestion_threshold = 96;
	/* No link of an image's ever changes. */
	conn->want |= conn->capable & FUSE_CAP_CACHE_SYMLINKS;
	/* Replies are copied: moving pages was slower in every measurement. */
	conn->want &= ~(unsigned)(FUSE_CAP_SPLICE_READ | FUSE_CAP_SPLICE_WRITE |
				  FUSE_CAP_SPLICE_MOVE);
	/* Nor must a name that waits for it hold up its directory. */
	parallel_ask(mount, conn);
	mount->ready(mount->ready_arg);
}

/* There is no such name, nor will there be one. */
static void reply_no_entry(struct op *op, const struct node *dir)
{
	const struct fuse_entry_param none = {.entry_timeout = dir->names_ttl};

	op_end(op);
	fuse_reply_entry(op->req, &none);
}

static void op_lookup(fuse_req_t req, fuse_ino_t parent, const char *name)
{
	struct op op;
	struct fuse_entry_param entry;
	CLEANUP(node_put_p) struct node *dir = NULL;
	CLEANUP(node_put_p) struct node *node = NULL;
	int r = -ENOTDIR;

	op_begin_asking(&op, req, "lookup", parent);
	op_of_name(&op, name);
	dir = op_node(&op, parent);
	if (dir && !dir->view->lookup)
		err_set(&op.err, ENOTDIR, "not a directory");
	else if (dir)
		r = dir->view->lookup(dir, name, &node, &op.err);
	if (r == 0)
		r = op_entry(&op, dir, node, &entry);
	if (r == -ENOENT && dir->view->is_constant) {
		reply_no_entry(&op, dir);
		return;
	}
	if (r < 0) {
		op_fail(&op);
		return;
	}
	op_reply_entry(&op, &entry);
}

static void op_forget(fuse_req_t req, fuse_ino_t ino, uint64_t nlookup)
{
	struct mount *mount = fuse_req_userdata(req);

	node_forget(mount->nodes, ino, nlookup);
	fuse_reply_none(req);
}

static void op_forget_multi(fuse_req_t req, size_t count,
    struct fuse_forget_data *forgets)
{
	struct mount *mount = fuse_req_userdata(req);

	for (size_t i = 0; i < count; i++)
		node_forget(mount->nodes, forgets[i].ino, forgets[i].nlookup);
	fuse_reply_none(req);
}

static void op_getattr(fuse_req_t req, fuse_ino_t ino,
    struct fuse_file_info *fi)
{
	struct op op;
	struct stat attr;
	CLEANUP(node_put_p) struct node *node = NULL;
	int r = -ESTALE;

	(void)fi;
	op_begin_asking(&op, req, "getattr", ino);
	node = op_node(&op, ino);
	if (node)
		r = op_settle(&op, node);
	if (r == 0)
		r = node->view->stat(node, &attr, &op.err);
	if (r < 0) {
		op_fail(&op);
		return;
	}
	op_end(&op);
	fuse_reply_attr(req, &attr, op_attr_ttl(node));
}

/* The two entries that every directory has. The kernel finds the parent by
 * itself; its number here is only what readdir(3) shows. */
static int list_self(struct dirlist *list, fuse_ino_t ino, struct err *err)
{
	int r = dirlist_add(list, ".", 1, S_IFDIR, ino, err);

	return r < 0 ? r : dirlist_add(list, "..", 2, S_IFDIR, ino, err);
}

/* Lists the handle's directory, unless it was listed. */
static int list_handle(struct op *op, struct handle *handle)
{
	CLEANUP(dirlist_free_p) struct dirlist *list = NULL;
	int r;

	if (handle->entries)
		return 0;
	list = dirlist_new(&op->err);
	if (!list)
		return -op->err.code;
	r = list_self(list, handle->node->ino, &op->err);
	if (r == 0 && !handle->removing && !handle->hidden)
		r = handle->node->view->list(handle->node, list, &op->err);
	if (r == 0)
		handle->entries = steal(&list);
	return r;
}

/* What never changes is listed when somebody reads it: the kernel may know it
 * already. So is the mount point: df opens it only to ask for its size. But an
 * image that is the mount point may be gone, which an open can say. */
static bool is_listed_late(const struct node *dir)
{
	return dir->view->is_constant ||
	       (dir->ino == NODE_ROOT && dir->kind != NODE_IMAGE);
}

static int opendir_handle(struct op *op, fuse_ino_t ino, struct handle **out)
{
	CLEANUP(handle_free_p)
	struct handle *handle = handle_new(op, op_node(op, ino));
	int r = 0;

	if (!handle)
		return -op->err.code;
	if (!handle->node->view->list)
		return err_set(&op->err, ENOTDIR, "not a directory");
	r = removing_check_top(handle->node, &op->err);
	if (r < 0)
		return r;
	if (removing_opened(handle) == REMOVING_REFUSED)
		return err_set(&op->err, EPERM,
		    "this is part of an image; this process was refused the "
		    "removal of "
		    "another part");
	handle->hidden = mirror_hides(handle->node);
	r = part_copy_check_list(handle->node, &op->err);
	if (r < 0)
		return r;
	if (!is_listed_late(handle->node) || handle->removing)
		r = list_handle(op, handle);
	if (r == 0)
		*out = steal(&handle);
	return r;
}

static void op_opendir(fuse_req_t req, fuse_ino_t ino,
    struct fuse_file_info *fi)
{
	struct op op;
	struct handle *handle = NULL;

	op_begin_asking(&op, req, "listing", ino);
	if (opendir_handle(&op, ino, &handle) < 0) {
		op_fail(&op);
		return;
	}
	op_end(&op);
	fi->fh = (uintptr_t)handle;
	fi->cache_readdir = handle->node->view->is_constant &&
			    !handle->removing && !handle->hidden;
	fi->keep_cache = fi->cache_readdir;
	/* Never opened: there is nobody who would release it. */
	if (fuse_reply_open(req, fi) < 0)
		handle_free(handle);
}

static void op_releasedir(fuse_req_t req, fuse_ino_t ino,
    struct fuse_file_info *fi)
{
	(void)ino;
	handle_free(op_handle(fi));
	fuse_reply_err(req, 0);
}

static size_t print_entries(fuse_req_t req, const struct dirlist *list,
    off_t off, char *out, size_t size)
{
	size_t used = 0;

	for (size_t i = (size_t)off; i < dirlist_count(list); i++) {
		const struct dirlist_slot *slot = dirlist_at(list, i);
		struct stat attr = {.st_ino = slot->ino, .st_mode = slot->mode};
		size_t n = fuse_add_direntry(req, out + used, size - used,
		    dirlist_name(list, slot), &attr, (off_t)i + 1);

		if (n > size - used)
			break;
		used += n;
	}
	return used;
}

/*
 * One entry with its attributes. An entry that cannot be looked up (it is gone,
 * or its config cannot be read) is listed by its name alone: an error now would
 * lose those that went before.
 */
static struct node *plus_entry(struct op *op, struct node *dir,
    const char *name, const struct dirlist_slot *slot, bool with_node,
    struct fuse_entry_param *out)
{
	CLEANUP(node_put_p) struct node *node = NULL;
	int r = -ENOENT;

	*out = (struct fuse_entry_param){
	    .attr = {.st_ino = slot->ino, .st_mode = slot->mode}};
	if (!with_node)
		return NULL;
	if (dir->view->child)
		r = dir->view->child(dir, name, slot->mode, &node, &op->err);
	else
		r = dir->view->lookup(dir, name, &node, &op->err);
	if (r < 0 || op_entry(op, dir, node, out) < 0) {
		*out = (struct fuse_entry_param){
		    .attr = {.st_ino = slot->ino, .st_mode = slot->mode}};
		return NULL;
	}
	return steal(&node);
}

static size_t print_entries_plus(struct op *op, const struct handle *handle,
    off_t off, char *out, size_t size)
{
	const struct dirlist *list = handle->entries;
	size_t used = 0;

	for (size_t i = (size_t)off; i < dirlist_count(list); i++) {
		const struct dirlist_slot *slot = dirlist_at(list, i);
		const char *name = dirlist_name(list, slot);
		struct fuse_entry_param entry;
		CLEANUP(node_put_p)
		struct node *node = plus_entry(op, handle->node, name, slot,
		    i >= LIST_SELF && i < LIST_PLUS_MAX, &entry);
		size_t n = fuse_add_direntry_plus(op->req, out + used,
		    size - used, name, &entry, (off_t)i + 1);

		if (n > size - used) {
			/* It does not fit, so the kernel never hears of it. */
			if (node)
				node_forget(op->mount->nodes, node->ino, 1);
			break;
		}
		used += n;
	}
	return used;
}

static void reply_entries(fuse_req_t req, fuse_ino_t ino, size_t size,
    off_t off, struct fuse_file_info *fi, bool plus)
{
	struct op op;
	struct handle *handle = op_handle(fi);
	AUTO_FREE char *out = malloc(size);
	int r;

	op_begin_asking(&op, req, "listing", ino);
	op_of_open(&op);
	/* rewinddir(3) asks for what is there now. */
	if (off == 0 && handle->listed)
		dirlist_free(steal(&handle->entries));
	r = out ? list_handle(&op, handle) : err_nomem(&op.err);
	handle->listed = r == 0;
	if (r < 0) {
		op_fail(&op);
		return;
	}
	size = plus ? print_entries_plus(&op, handle, off, out, size)
		    : print_entries(req, handle->entries, off, out, size);
	op_end(&op);
	fuse_reply_buf(req, out, size);
}

static void op_readdir(fuse_req_t req, fuse_ino_t ino, size_t size, off_t off,
    struct fuse_file_info *fi)
{
	reply_entries(req, ino, size, off, fi, false);
}

static void op_readdirplus(fuse_req_t req, fuse_ino_t ino, size_t size,
    off_t off, struct fuse_file_info *fi)
{
	reply_entries(req, ino, size, off, fi, true);
}

static void op_statfs(fuse_req_t req, fuse_ino_t ino)
{
	struct mount *mount = fuse_req_userdata(req);
	struct statvfs fs;

	(void)ino;
	lead_give();
	/* Room to write is where the bytes wait: on the cache's disk. */
	if (statvfs(mount->cache_dir, &fs) < 0)
		fuse_reply_err(req, errno);
	else
		fuse_reply_statfs(req, &fs);
}

static void op_readlink(fuse_req_t req, fuse_ino_t ino)
{
	struct op op;
	CLEANUP(node_put_p) struct node *node = NULL;
	AUTO_FREE char *target = NULL;
	int r = -ESTALE;

	op_begin_asking(&op, req, "readlink", ino);
	op_of_open(&op);
	node = op_node(&op, ino);
	if (node && !node->view->readlink)
		r = err_set(&op.err, EINVAL, "not a symbolic link");
	else if (node)
		r = node->view->readlink(node, &target, &op.err);
	if (r < 0) {
		op_fail(&op);
		return;
	}
	op_end(&op);
	fuse_reply_readlink(req, target);
}

void ops_node(struct fuse_lowlevel_ops *out)
{
	out->init = op_init;
	out->lookup = op_lookup;
	out->forget = op_forget;
	out->forget_multi = op_forget_multi;
	out->getattr = op_getattr;
	out->opendir = op_opendir;
	out->releasedir = op_releasedir;
	out->readdir = op_readdir;
	out->readdirplus = op_readdirplus;
	out->statfs = op_statfs;
	out->readlink = op_readlink;
}
