/* SPDX-License-Identifier: Apache-2.0 */
/* Paths to images. */
#include "walk.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/strf.h"
#include "nodes.h"
#include "view.h"

/* The path from the mount point, of what it says and where it says it. */
static char *from_top(const struct mount_source *source, const char *repository,
    const char *path)
{
	const char *mountpoint = source->mount->mountpoint;
	size_t top = strlen(mountpoint);
	AUTO_FREE char *from = NULL;

	if (*path == '/') {
		if (strncmp(path, mountpoint, top) != 0 ||
		    (path[top] != '/' && path[top] != '\0'))
			return strdup("..");
		return strdup(path + top);
	}
	from = source_path(source, repository);
	return from ? strf("%s/%s", from, path) : NULL;
}

/* Takes out "." and "..": there is nothing in the mount that a link leads
 * through. False where it leaves the mount. */
static bool normalise(char *path)
{
	char *out = path, *cursor = path, *part;

	while ((part = strsep(&cursor, "/"))) {
		size_t len = strlen(part);

		if (!*part || !strcmp(part, "."))
			continue;
		if (strcmp(part, "..") != 0) {
			memmove(out, part, len);
			out += len;
			*out++ = '/';
			continue;
		}
		if (out == path)
			return false;
		for (out--; out > path && out[-1] != '/'; out--)
			;
	}
	if (out > path)
		out--;
	*out = '\0';
	return true;
}

static int descend(struct mount *mount, char *path, struct node **out,
    struct err *err)
{
	CLEANUP(node_put_p)
	struct node *node = node_find(mount->nodes, NODE_ROOT);
	char *part;

	while ((part = strsep(&path, "/"))) {
		struct node *next = NULL;
		int r = node->view->lookup
			    ? node->view->lookup(node, part, &next, err)
			    : err_set(err, ENOTDIR,
				  "%s: its parent is not a directory", part);

		if (r < 0)
			return r;
		node_put(node);
		node = next;
	}
	*out = steal(&node);
	return 0;
}

int walk_image(struct mount_source *source, const char *repository,
    const char *path, struct image **out, struct err *err)
{
	AUTO_FREE char *full = from_top(source, repository, path);
	CLEANUP(node_put_p) struct node *node = NULL;
	int r;

	if (!full)
		return err_nomem(err);
	if (!normalise(full))
		/* Not EXDEV, at which mv would begin to copy. */
		return err_set(err, EINVAL, "the link leads out of the mount");
	r = *full ? descend(source->mount, full, &node, err) : 0;
	if (r < 0)
		return r;
	if (node && node->view->image)
		r = node->view->image(node, out, err);
	if (r != 0)
		return r < 0 ? r : 0;
	return err_set(err, EINVAL, "the link does not lead to an image");
}

char *node_path_in(const char *path, const char *name)
{
	return *path ? strf("%s/%s", path, name) : strdup(name);
}

char *node_path(const struct node *node)
{
	CLEANUP(node_put_p) struct node *parent = NULL;
	AUTO_FREE char *above = NULL, *name = NULL;

	if (node->ino == NODE_ROOT)
		return strdup("");
	if (node->view->path)
		return node->view->path(node);
	parent = node_parent_and_name(node, &name);
	above = parent ? node_path(parent) : NULL;
	return above && name ? node_path_in(above, name) : NULL;
}
