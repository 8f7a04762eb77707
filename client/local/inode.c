/* SPDX-License-Identifier: Apache-2.0 */
/* What holds of every inode, whatever it is. */
#include <errno.h>
#include <stdlib.h>

#include "state.h"

struct local_inode *inode_new(struct localfs *fs, mode_t mode)
{
	struct local_inode *inode = calloc(1, sizeof(*inode));

	if (!inode)
		return NULL;
	inode->fs = fs;
	inode->number = ++fs->numbers;
	inode->refs = 1;
	inode->mode = mode;
	inode->fd = -1;
	inode_touch(inode);
	inode->atime = inode->mtime;
	return inode;
}

bool inode_unused(const struct local_inode *inode)
{
	return inode->refs == 0 && inode->links == 0;
}

void inode_touch_ctime(struct local_inode *inode)
{
	clock_gettime(CLOCK_REALTIME, &inode->ctime);
}

void inode_touch(struct local_inode *inode)
{
	inode_touch_ctime(inode);
	inode->mtime = inode->ctime;
}

int inode_check(const struct local_inode *inode, struct err *err)
{
	return inode->frozen ? err_set(err, EBUSY,
				   "part of a directory that is being pushed")
			     : 0;
}
