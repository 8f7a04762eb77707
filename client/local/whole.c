/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is done to a directory with all that is in it. Trees can be deeper than
 * a stack: what is still to be visited is a list through the inodes.
 */
#include <errno.h>

#include "state.h"

/* The directories that are to be visited. */
struct pending_dirs {
	struct local_inode *first;
};

static void push(struct pending_dirs *pending, struct local_inode *dir)
{
	dir->list = pending->first;
	pending->first = dir;
}

static struct local_inode *pop(struct pending_dirs *pending)
{
	struct local_inode *dir = pending->first;

	if (dir)
		pending->first = dir->list;
	return dir;
}

/* Calls each() for the directory and then for all names below it, a directory
 * before what is in it. Under lock. */
static void visit(struct local_inode *dir,
    void (*each)(void *arg, struct local_inode *inode), void *arg)
{
	struct pending_dirs pending = {NULL};

	each(arg, dir);
	push(&pending, dir);
	while ((dir = pop(&pending))) {
		for (struct local_name *n = dir->names; n; n = n->after) {
			each(arg, n->inode);
			if (S_ISDIR(n->inode->mode))
				push(&pending, n->inode);
		}
	}
}

static void look(void *arg, struct local_inode *inode)
{
	*(bool *)arg |= inode->frozen;
}

static void set_frozen(void *arg, struct local_inode *inode)
{
	inode->frozen = *(const bool *)arg;
}

static void add_writers(void *arg, struct local_inode *inode)
{
	*(uint64_t *)arg += inode->writers;
}

/* Changes that began before take no longer than the disk. Under lock. */
static void wait_for_writers(struct local_inode *dir)
{
	uint64_t writers = 0;

	visit(dir, add_writers, &writers);
	while (writers > 0) {
		pthread_cond_wait(&dir->fs->settled, &dir->fs->lock);
		writers = 0;
		visit(dir, add_writers, &writers);
	}
}

int local_freeze(struct local_inode *dir, struct err *err)
{
	bool frozen = false, yes = true;

	SCOPED_LOCK(&dir->fs->lock);
	visit(dir, look, &frozen);
	if (frozen)
		return err_set(err, EBUSY, "the directory is being pushed");
	visit(dir, set_frozen, &yes);
	wait_for_writers(dir);
	return 0;
}

void local_thaw(struct local_inode *dir)
{
	bool no = false;

	SCOPED_LOCK(&dir->fs->lock);
	visit(dir, set_frozen, &no);
}

/* What is to be freed, or only loses its content. */
struct unreachable {
	struct local_inode *first;
};

/* The inode has lost a name. Under lock. */
static void lost_name(struct unreachable *gone, struct local_inode *inode)
{
	inode->frozen = false;
	inode_touch_ctime(inode);
	if (inode->links > 0)
		return;
	/* The kernel may know it for long, but it is not opened any more. */
	inode->removed = true;
	if (inode->openers > 0 || (inode->refs > 0 && !inode->on_disk))
		return;
	inode->refs++;
	inode->list = gone->first;
	gone->first = inode;
}

/* Directories wait until what is in them is taken away. Under lock. */
static void take_away(struct local_name *name, struct pending_dirs *pending,
    struct unreachable *gone)
{
	struct local_inode *inode = name->inode;

	name_remove(name);
	name_free(name);
	if (S_ISDIR(inode->mode)) {
		push(pending, inode);
		return;
	}
	inode->links--;
	lost_name(gone, inode);
}

/* Under lock. */
static void take_all_away(struct local_name *name, struct unreachable *gone)
{
	struct pending_dirs pending = {NULL};
	struct local_inode *dir;

	take_away(name, &pending, gone);
	while ((dir = pop(&pending))) {
		while (dir->names)
			take_away(dir->names, &pending, gone);
		dir->links = 0;
		lost_name(gone, dir);
	}
}

static int remove_locked(struct local_inode *parent, const char *text,
    struct unreachable *gone, struct err *err)
{
	struct local_name *name;

	SCOPED_LOCK(&parent->fs->lock);
	name = name_find(parent, text);
	if (!name)
		return err_set(err, ENOENT, "%s: no such name", text);
	parent->links -= S_ISDIR(name->inode->mode);
	inode_touch(parent);
	take_all_away(name, gone);
	return 0;
}

int local_remove_all(struct local_inode *parent, const char *text,
    struct err *err)
{
	struct unreachable gone = {NULL};
	int r = remove_locked(parent, text, &gone, err);

	while (gone.first) {
		struct local_inode *inode = gone.first;

		gone.first = inode->list;
		content_remove(inode);
		local_put(inode);
	}
	return r;
}

static void count(void *arg, struct local_inode *inode)
{
	(void)inode;
	++*(uint64_t *)arg;
}

uint64_t local_count(struct local_inode *dir)
{
	uint64_t with_itself = 0;

	SCOPED_LOCK(&dir->fs->lock);
	visit(dir, count, &with_itself);
	return with_itself - 1;
}
