/* SPDX-License-Identifier: Apache-2.0 */
/* References to inodes, and the end of an inode that nothing refers to. */
#include <stdlib.h>

#include "state.h"

void inode_free(struct local_inode *inode)
{
	content_remove(inode);
	while (inode->xattrs) {
		struct local_xattr *xattr = inode->xattrs;

		inode->xattrs = xattr->after;
		free(xattr);
	}
	if (S_ISLNK(inode->mode))
		free(inode->target);
	free(inode);
}

struct local_inode *local_get(struct local_inode *inode)
{
	SCOPED_LOCK(&inode->fs->lock);
	inode->refs++;
	return inode;
}

static bool drop(struct local_inode *inode)
{
	SCOPED_LOCK(&inode->fs->lock);
	inode->refs--;
	return inode_unused(inode);
}

void local_put(struct local_inode *inode)
{
	if (drop(inode))
		inode_free(inode);
}
