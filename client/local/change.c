/* SPDX-License-Identifier: Apache-2.0 */
/* What changes directories. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "state.h"

/* Whether a name can be added. Under lock. */
static int check_new(const struct local_inode *dir, const char *text,
    struct err *err)
{
	if (strlen(text) > LOCAL_NAME_MAX)
		return err_set(err, ENAMETOOLONG, "%s: the name is too long",
		    text);
	if (dir->links == 0)
		return err_set(err, ENOENT, "%s: its directory was removed",
		    text);
	return inode_check(dir, err);
}

/* Gives the inode a name in a directory. Under lock. */
static void attach(struct local_name *name, struct local_inode *inode)
{
	name_insert(name, inode);
	inode->links++;
	if (S_ISDIR(inode->mode)) {
		inode->links++; /* its "." */
		name->dir->links++;
	}
	inode_touch(name->dir);
}

/* Takes it away; whether the inode is to be freed. Under lock. */
static bool detach(struct local_name *name)
{
	struct local_inode *inode = name->inode;

	name_remove(name);
	inode->links--;
	if (S_ISDIR(inode->mode)) {
		inode->links = 0;
		name->dir->links--;
	}
	inode_touch(name->dir);
	inode_touch_ctime(inode);
	name_free(name);
	return inode_unused(inode);
}

static struct local_inode *inode_make(const struct local_inode *dir,
    const struct local_making *making)
{
	struct local_inode *inode = inode_new(dir->fs, making->mode);

	if (!inode)
		return NULL;
	inode->uid = making->uid;
	inode->gid = making->gid;
	/* As in System V: the group goes down the tree. */
	if (dir->mode & S_ISGID) {
		inode->gid = dir->gid;
		if (S_ISDIR(inode->mode))
			inode->mode |= S_ISGID;
	}
	if (S_ISCHR(inode->mode) || S_ISBLK(inode->mode))
		inode->device = making->device;
	if (S_ISLNK(inode->mode) && !(inode->target = strdup(making->target))) {
		free(inode);
		return NULL;
	}
	return inode;
}

int local_make(struct local_inode *dir, const char *text,
    const struct local_making *making, struct local_inode **out,
    struct err *err)
{
	struct local_inode *inode;
	struct local_name *name;
	int r;

	SCOPED_LOCK(&dir->fs->lock);
	r = check_new(dir, text, err);
	if (r < 0)
		return r;
	if (name_find(dir, text))
		return err_set(err, EEXIST, "%s: already exists", text);
	name = name_new(dir, text);
	inode = name ? inode_make(dir, making) : NULL;
	if (!inode) {
		name_free(name);
		return err_nomem(err);
	}
	attach(name, inode);
	*out = inode;
	return 0;
}

int local_link(struct local_inode *dir, const char *text,
    struct local_inode *inode, struct err *err)
{
	struct local_name *name;
	int r;

	SCOPED_LOCK(&dir->fs->lock);
	r = check_new(dir, text, err);
	if (r == 0)
		r = inode_check(inode, err);
	if (r < 0)
		return r;
	if (S_ISDIR(inode->mode))
		return err_set(err, EPERM,
		    "%s: a directory cannot have a hard link", text);
	if (inode->links == 0)
		return err_set(err, ENOENT, "%s: the file was removed", text);
	if (name_find(dir, text))
		return err_set(err, EEXIST, "%s: already exists", text);
	name = name_new(dir, text);
	if (!name)
		return err_nomem(err);
	attach(name, inode);
	inode_touch_ctime(inode);
	return 0;
}

/* The name, if it can be removed. Under lock. */
static int find_changing(const struct local_inode *dir, const char *text,
    struct local_name **out, struct err *err)
{
	int r = inode_check(dir, err);

	if (r < 0)
		return r;
	*out = name_find(dir, text);
	if (!*out)
		return err_set(err, ENOENT, "%s: no such name", text);
	return inode_check((*out)->inode, err);
}

static int remove_name(struct local_inode *dir, const char *text,
    bool directory, struct local_inode **unused, struct err *err)
{
	struct local_inode *inode;
	struct local_name *name;
	int r;

	SCOPED_LOCK(&dir->fs->lock);
	r = find_changing(dir, text, &name, err);
	if (r < 0)
		return r;
	inode = name->inode;
	if (directory && !S_ISDIR(inode->mode))
		return err_set(err, ENOTDIR, "%s: not a directory", text);
	if (!directory && S_ISDIR(inode->mode))
		return err_set(err, EISDIR, "%s: is a directory", text);
	if (directory && inode->names)
		return err_set(err, ENOTEMPTY, "%s: not empty", text);
	if (detach(name))
		*unused = inode;
	return 0;
}

static int remove_and_free(struct local_inode *dir, const char *text,
    bool directory, struct err *err)
{
	struct local_inode *unused = NULL;
	int r = remove_name(dir, text, directory, &unused, err);

	if (unused)
		inode_free(unused);
	return r;
}

int local_unlink(struct local_inode *dir, const char *text, struct err *err)
{
	return remove_and_free(dir, text, false, err);
}

int local_rmdir(struct local_inode *dir, const char *text, struct err *err)
{
	return remove_and_free(dir, text, true, err);
}

/* Both keep their links; a directory's ".." moves. Under lock. */
static void exchange_names(struct local_name *one, struct local_name *two)
{
	struct local_inode *inode = one->inode;

	one->dir->links += S_ISDIR(two->inode->mode);
	one->dir->links -= S_ISDIR(one->inode->mode);
	two->dir->links += S_ISDIR(one->inode->mode);
	two->dir->links -= S_ISDIR(two->inode->mode);
	one->inode = two->inode;
	two->inode = inode;
	inode_touch(one->dir);
	inode_touch(two->dir);
	inode_touch_ctime(one->inode);
	inode_touch_ctime(two->inode);
}

static int check_replaced(const struct local_name *from,
    const struct local_name *to, struct err *err)
{
	bool from_dir = S_ISDIR(from->inode->mode);
	bool to_dir = S_ISDIR(to->inode->mode);

	if (from_dir && !to_dir)
		return err_set(err, ENOTDIR, "%s: not a directory", to->text);
	if (!from_dir && to_dir)
		return err_set(err, EISDIR, "%s: is a directory", to->text);
	if (to_dir && to->inode->names)
		return err_set(err, ENOTEMPTY, "%s: not empty", to->text);
	return inode_check(to->inode, err);
}

/* Under lock. */
static int move_name(struct local_name *from, struct local_inode *to_dir,
    const char *text, struct local_inode **unused, struct err *err)
{
	struct local_name *to = name_find(to_dir, text);
	struct local_inode *inode = from->inode;
	struct local_name *name;
	int r;

	/* Two names of one file stay. */
	if (to && to->inode == inode)
		return 0;
	r = to ? check_replaced(from, to, err) : 0;
	if (r < 0)
		return r;
	name = name_new(to_dir, text);
	if (!name)
		return err_nomem(err);
	if (to) {
		struct local_inode *replaced = to->inode;

		if (detach(to))
			*unused = replaced;
	}
	from->dir->links -= S_ISDIR(inode->mode);
	to_dir->links += S_ISDIR(inode->mode);
	inode_touch(from->dir);
	inode_touch(to_dir);
	inode_touch_ctime(inode);
	name_remove(from);
	name_free(from);
	name_insert(name, inode);
	return 0;
}

static int rename_locked(struct local_inode *dir, const char *text,
    struct local_inode *to_dir, const char *to_text, bool exchange,
    struct local_inode **unused, struct err *err)
{
	struct local_name *from, *to = NULL;
	int r;

	SCOPED_LOCK(&dir->fs->lock);
	r = find_changing(dir, text, &from, err);
	if (r == 0)
		r = check_new(to_dir, to_text, err);
	if (r == 0 && exchange)
		r = find_changing(to_dir, to_text, &to, err);
	if (r < 0)
		return r;
	if (!exchange)
		return move_name(from, to_dir, to_text, unused, err);
	exchange_names(from, to);
	return 0;
}

int local_rename(struct local_inode *dir, const char *text,
    struct local_inode *to_dir, const char *to_text, bool exchange,
    struct err *err)
{
	struct local_inode *unused = NULL;
	int r =
	    rename_locked(dir, text, to_dir, to_text, exchange, &unused, err);

	if (unused)
		inode_free(unused);
	return r;
}
