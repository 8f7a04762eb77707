/* SPDX-License-Identifier: Apache-2.0 */
/* Directories in which files are being written. */
#include "written_dir.h"

#include <stdlib.h>
#include <string.h>

#include "base/lock.h"
#include "node/view.h"
#include "node/walk.h"
#include "written.h"

static void dir_free(struct written_dir *dir)
{
	map_release(&dir->parts);
	map_release(&dir->files);
	map_release(&dir->pushed);
	free(dir->part);
	free(dir);
}

struct written_dir *written_dir_get(struct written_dir *dir)
{
	SCOPED_LOCK(&dir->table->lock);
	dir->refs++;
	return dir;
}

/* One count less: whether it is to be freed, as nobody finds it any more. */
static bool drop(struct written_dir *dir)
{
	SCOPED_LOCK(&dir->table->lock);
	if (--dir->refs > 0)
		return false;
	if (dir->whole)
		map_del(&dir->whole->parts, dir->part);
	else
		dir->node->written = NULL;
	return true;
}

void written_dir_put(struct written_dir *dir)
{
	while (dir && drop(dir)) {
		struct written_dir *whole = dir->whole;
		struct node *node = dir->node;

		dir_free(dir);
		node_put(node);
		dir = whole;
	}
}

static struct written_dir *dir_new(struct node *node, struct written_dir *whole)
{
	struct written_dir *dir = calloc(1, sizeof(*dir));

	if (!dir)
		return NULL;
	if (whole) {
		dir->part = strdup(node->name);
		if (!dir->part || map_put(&whole->parts, dir->part, dir) < 0) {
			dir_free(dir);
			return NULL;
		}
		dir->whole = whole;
		whole->refs++;
		node = whole->node;
	} else {
		node->written = dir;
	}
	dir->table = node->mount->written;
	dir->node = node_hold(node);
	return dir;
}

/* Counted. whole: of what the node is a part. */
static struct written_dir *find(struct node *node, struct written_dir *whole,
    bool make)
{
	struct written_dir *dir;

	SCOPED_LOCK(&node->mount->written->lock);
	dir = whole ? map_get(&whole->parts, node->name) : node->written;
	if (!dir && make)
		dir = dir_new(node, whole);
	if (dir)
		dir->refs++;
	return dir;
}

static struct written_dir *dir_of(struct node *node, bool make)
{
	CLEANUP(node_put_p) struct node *above = NULL;
	CLEANUP(written_dir_put_p) struct written_dir *whole = NULL;

	if (!node->view->is_part)
		return find(node, NULL, make);
	above = node_parent(node);
	whole = find(above, NULL, make);
	return whole ? find(node, whole, make) : NULL;
}

struct written_dir *written_dir_find(struct node *dir)
{
	return dir_of(dir, false);
}

struct written_dir *written_dir_of(struct node *dir, struct err *err)
{
	struct written_dir *out = dir_of(dir, true);

	if (!out)
		err_nomem(err);
	return out;
}

char *written_dir_path(const struct written_dir *dir, const char *name)
{
	AUTO_FREE char *whole = node_path(dir->node);
	AUTO_FREE char *path =
	    whole && dir->part ? node_path_in(whole, dir->part) : steal(&whole);

	return path ? node_path_in(path, name) : NULL;
}
