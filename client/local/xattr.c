/* SPDX-License-Identifier: Apache-2.0 */
/* Extended attributes: a short list for each inode, sorted. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/xattr.h>

#include "state.h"

/* Where the attribute is, or would be. */
static struct local_xattr **find(struct local_inode *inode, const char *name,
    bool *found)
{
	struct local_xattr **at = &inode->xattrs;
	int order = 1;

	while (*at && (order = strcmp((*at)->data, name)) < 0)
		at = &(*at)->after;
	*found = *at && order == 0;
	return at;
}

static size_t total(const struct local_inode *inode)
{
	size_t sum = 0;

	for (const struct local_xattr *x = inode->xattrs; x; x = x->after)
		sum += x->name_size + x->len;
	return sum;
}

static struct local_xattr *xattr_new(const char *name, const void *value,
    size_t len)
{
	size_t name_size = strlen(name) + 1;
	struct local_xattr *xattr = malloc(sizeof(*xattr) + name_size + len);

	if (!xattr)
		return NULL;
	*xattr = (struct local_xattr){NULL, (uint32_t)name_size, (uint32_t)len};
	memcpy(xattr->data, name, name_size);
	memcpy(xattr->data + name_size, value, len);
	return xattr;
}

static void take_out(struct local_xattr **at)
{
	struct local_xattr *xattr = *at;

	*at = xattr->after;
	free(xattr);
}

int local_setxattr(struct local_inode *inode, const char *name,
    const void *value, size_t len, int flags, struct err *err)
{
	struct local_xattr **at, *xattr;
	bool found;
	int r;

	SCOPED_LOCK(&inode->fs->lock);
	r = inode_check(inode, err);
	if (r < 0)
		return r;
	at = find(inode, name, &found);
	if (!found && (!value || flags & XATTR_REPLACE))
		return err_set(err, ENODATA, "%s: no such attribute", name);
	if (found && flags & XATTR_CREATE)
		return err_set(err, EEXIST, "%s: already exists", name);
	if (value) {
		if (total(inode) + strlen(name) + len > LOCAL_XATTRS_MAX)
			return err_set(err, ENOSPC,
			    "%s: the attributes would be too large", name);
		xattr = xattr_new(name, value, len);
		if (!xattr)
			return err_nomem(err);
		xattr->after = *at;
		*at = xattr;
		at = &xattr->after;
	}
	if (found)
		take_out(at);
	inode_touch_ctime(inode);
	return 0;
}

int local_xattrs(struct local_inode *inode,
    int (*each)(void *arg, const char *name, const void *value, size_t len,
	struct err *err),
    void *arg, struct err *err)
{
	int r = 0;

	SCOPED_LOCK(&inode->fs->lock);
	for (const struct local_xattr *x = inode->xattrs; x && r == 0;
	     x = x->after)
		r = each(arg, x->data, x->data + x->name_size, x->len, err);
	return r;
}
