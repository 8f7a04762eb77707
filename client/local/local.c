/* SPDX-License-Identifier: Apache-2.0 */
/* The file system, and its inodes. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysmacros.h>

#include "state.h"

enum { BUCKETS_FIRST = 64, DIRECTORY_SIZE = 4096 };

struct localfs *localfs_new(const char *dir, struct err *err)
{
	struct localfs *fs = calloc(1, sizeof(*fs));

	if (fs) {
		fs->dir = strdup(dir);
		fs->buckets = calloc(BUCKETS_FIRST, sizeof(*fs->buckets));
		fs->bucket_count = BUCKETS_FIRST;
		fs->root = inode_new(fs, S_IFDIR | 0755);
	}
	if (!fs || !fs->dir || !fs->buckets || !fs->root) {
		if (fs) {
			free(fs->root);
			free(fs->buckets);
			free(fs->dir);
		}
		free(fs);
		err_nomem(err);
		return NULL;
	}
	pthread_mutex_init(&fs->lock, NULL);
	pthread_cond_init(&fs->settled, NULL);
	fs->root->links = 2;
	return fs;
}

void localfs_free(struct localfs *fs)
{
	while (fs->root->names)
		local_remove_all(fs->root, fs->root->names->text, ERR_IGNORE);
	inode_free(fs->root);
	pthread_cond_destroy(&fs->settled);
	pthread_mutex_destroy(&fs->lock);
	free(fs->buckets);
	free(fs->dir);
	free(fs);
}

struct local_inode *localfs_root(struct localfs *fs)
{
	return fs->root;
}

uint64_t local_number(const struct local_inode *inode)
{
	return inode->number;
}

const char *local_target(struct local_inode *inode)
{
	SCOPED_LOCK(&inode->fs->lock);
	return S_ISLNK(inode->mode) ? inode->target : NULL;
}

void local_stat(struct local_inode *inode, struct stat *out)
{
	SCOPED_LOCK(&inode->fs->lock);
	out->st_mode = inode->mode;
	out->st_nlink = inode->links;
	out->st_uid = inode->uid;
	out->st_gid = inode->gid;
	out->st_rdev = inode->device;
	out->st_size = (off_t)inode->size;
	if (S_ISDIR(inode->mode))
		out->st_size = DIRECTORY_SIZE;
	else if (S_ISLNK(inode->mode))
		out->st_size = (off_t)strlen(inode->target);
	out->st_blocks = (blkcnt_t)content_blocks(inode);
	out->st_atim = inode->atime;
	out->st_mtim = inode->mtime;
	out->st_ctim = inode->ctime;
}

int local_change(struct local_inode *inode, const struct local_change *change,
    struct err *err)
{
	int r;

	SCOPED_LOCK(&inode->fs->lock);
	r = inode_check(inode, err);
	if (r < 0)
		return r;
	if (change->mode)
		inode->mode = (inode->mode & S_IFMT) | (*change->mode & 07777);
	if (change->uid)
		inode->uid = *change->uid;
	if (change->gid)
		inode->gid = *change->gid;
	if (change->atime)
		inode->atime = *change->atime;
	if (change->mtime)
		inode->mtime = *change->mtime;
	inode_touch_ctime(inode);
	return 0;
}
