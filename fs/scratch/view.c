/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Scratch directories and what is in them. Only this mount changes them, and
 * the kernel knows of each change: it may keep what it knows.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "habits/caller.h"
#include "node/nodes.h"
#include "scratch.h"

enum { IO_SIZE = 128 << 10 };

static int scratch_stat(struct node *node, struct stat *out, struct err *err)
{
	const struct mount *mount = node->mount;

	(void)err;
	*out = (struct stat){.st_ino = node->ino, .st_blksize = IO_SIZE};
	local_stat(scratch_inode(node), out);
	/* Whose a file is to be in the image is recorded, but the kernel asks
	 * who removes it, or sets its mode, that it be his. */
	if (mount->squash) {
		out->st_uid = mount->uid;
		out->st_gid = mount->gid;
	}
	return 0;
}

static bool scratch_is_prompt(struct node *node)
{
	(void)node;
	return true;
}

static int add_xattr(void *arg, const char *name, const void *value, size_t len,
    struct err *err)
{
	return xattrs_add_bytes(arg, name, value, len, err);
}

static int scratch_xattrs(struct node *node, struct xattrs *out,
    struct err *err)
{
	out->no_acls = true;
	return local_xattrs(scratch_inode(node), add_xattr, out, err);
}

/* Not those that are about this machine: its labels, and ACLs, which name its
 * users and no layer has. */
static bool can_have(const char *name)
{
	return (!strncmp(name, "user.", 5) || !strncmp(name, "trusted.", 8) ||
		   !strncmp(name, "security.", 9)) &&
	       strcmp(name, "security.selinux") != 0;
}

static int scratch_setxattr(struct node *node, const char *name,
    const void *value, size_t len, int flags, struct err *err)
{
	if (!can_have(name))
		return -EOPNOTSUPP;
	return local_setxattr(scratch_inode(node), name, value, len, flags,
	    err);
}

static int scratch_setattr(struct node *node, struct handle *handle,
    const struct stat *attr, unsigned fields, struct err *err)
{
	struct local_inode *inode = scratch_inode(node);
	const struct local_change change = {.mode = fields & SETATTR_MODE
							? &attr->st_mode
							: NULL,
	    .uid = fields & SETATTR_UID ? &attr->st_uid : NULL,
	    .gid = fields & SETATTR_GID ? &attr->st_gid : NULL,
	    .atime = fields & SETATTR_ATIME ? &attr->st_atim : NULL,
	    .mtime = fields & SETATTR_TIMES ? &attr->st_mtim : NULL};
	int r = 0;

	(void)handle;
	if (fields & SETATTR_SIZE)
		r = local_truncate(inode, (uint64_t)attr->st_size, err);
	return r < 0 ? r : local_change(inode, &change, err);
}

static int lookup_name(struct node *dir, const char *name, struct node **out,
    struct err *err)
{
	CLEANUP(local_put_p) struct local_inode *inode = NULL;
	int r = local_lookup(scratch_inode(dir), name, &inode, err);

	return r < 0 ? r : scratch_node(dir->source, inode, out, err);
}

static int list_names(struct node *dir, struct dirlist *out, struct err *err)
{
	return scratch_list_inode(scratch_inode(dir), out, err);
}

static int make(struct node *dir, const char *name, struct local_making *making,
    struct node **out, struct err *err)
{
	CLEANUP(local_put_p) struct local_inode *inode = NULL;
	struct caller caller = caller_now();
	int r;

	making->uid = caller.uid;
	making->gid = caller.gid;
	r = local_make(scratch_inode(dir), name, making, &inode, err);
	return r < 0 ? r : scratch_node(dir->source, inode, out, err);
}

static int scratch_create(struct node *dir, const char *name, mode_t mode,
    struct node **out, struct err *err)
{
	struct local_making making = {.mode = S_IFREG | (mode & 07777)};

	return make(dir, name, &making, out, err);
}

static int make_directory(struct node *dir, const char *name, mode_t mode,
    struct node **out, struct err *err)
{
	struct local_making making = {.mode = S_IFDIR | (mode & 07777)};

	return make(dir, name, &making, out, err);
}

static int make_symlink(struct node *dir, const char *name, const char *target,
    struct node **out, struct err *err)
{
	struct local_making making = {.mode = S_IFLNK | 0777, .target = target};

	return make(dir, name, &making, out, err);
}

static int make_special(struct node *dir, const char *name, mode_t mode,
    dev_t device, struct node **out, struct err *err)
{
	struct local_making making = {.mode = mode, .device = device};

	return make(dir, name, &making, out, err);
}

static int make_link(struct node *dir, const char *name, struct node *node,
    struct err *err)
{
	if (node->kind != NODE_SCRATCH_FILE)
		return err_set(err, EXDEV,
		    "this cannot be linked there; copy it");
	return local_link(scratch_inode(dir), name, scratch_inode(node), err);
}

static int remove_file(struct node *dir, const char *name, struct err *err)
{
	return local_unlink(scratch_inode(dir), name, err);
}

static int remove_directory(struct node *dir, const char *name, struct err *err)
{
	return local_rmdir(scratch_inode(dir), name, err);
}

static int scratch_readlink(struct node *node, char **out, struct err *err)
{
	const char *target = local_target(scratch_inode(node));

	if (!target)
		return err_set(err, EINVAL, "not a symbolic link");
	*out = strdup(target);
	return *out ? 0 : err_nomem(err);
}

static int scratch_open(struct node *node, int flags, struct handle *handle,
    struct err *err)
{
	struct local_inode *inode = scratch_inode(node);
	int r = local_open(inode, err);

	if (r < 0)
		return r;
	if (flags & O_TRUNC)
		r = local_truncate(inode, 0, err);
	if (r < 0)
		local_close(inode);
	handle->keep_cache = true;
	return r;
}

static void scratch_close(struct handle *handle)
{
	local_close(scratch_inode(handle->node));
}

static ssize_t scratch_read(struct handle *handle, void *data, size_t len,
    uint64_t off, struct err *err)
{
	return local_read(scratch_inode(handle->node), data, len, off, err);
}

static int scratch_write(struct handle *handle, const void *data, size_t len,
    uint64_t off, struct err *err)
{
	return local_write(scratch_inode(handle->node), data, len, off, err);
}

static ssize_t scratch_copy(struct handle *from, uint64_t from_off,
    struct handle *to, uint64_t to_off, size_t len, struct err *err)
{
	if (from->node->kind != NODE_SCRATCH_FILE)
		return -EOPNOTSUPP;
	return local_copy(scratch_inode(from->node), from_off,
	    scratch_inode(to->node), to_off, len, err);
}

static int scratch_seek(struct node *node, uint64_t off, int whence,
    uint64_t *out, struct err *err)
{
	return local_seek(scratch_inode(node), off, whence, out, err);
}

const struct view_ops view_scratch = {
    .stat = scratch_stat,
    .free = scratch_node_free,
    .xattrs = scratch_xattrs,
    .all_xattrs = true,
    .is_prompt = scratch_is_prompt,
    .is_local = true,
    /* It takes the kernel's entry along when it becomes a tag. */
    .is_fleeting = true,
    .setattr = scratch_setattr,
    .setxattr = scratch_setxattr,
    .lookup = lookup_name,
    .list = list_names,
    .create = scratch_create,
    .mkdir = make_directory,
    .symlink = make_symlink,
    .mknod = make_special,
    .link = make_link,
    .unlink = remove_file,
    .rmdir = remove_directory,
    .rename = scratch_rename,
};

const struct view_ops view_scratch_file = {
    .stat = scratch_stat,
    .free = scratch_node_free,
    .xattrs = scratch_xattrs,
    .all_xattrs = true,
    .is_prompt = scratch_is_prompt,
    .is_local = true,
    .setattr = scratch_setattr,
    .setxattr = scratch_setxattr,
    .readlink = scratch_readlink,
    .open = scratch_open,
    .close = scratch_close,
    .read = scratch_read,
    .write = scratch_write,
    .copy = scratch_copy,
    .seek = scratch_seek,
};
