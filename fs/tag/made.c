/* SPDX-License-Identifier: Apache-2.0 */
/* The set of directories that exist only here. */
#include "made.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/lock.h"
#include "base/map.h"

/* Those of one directory. */
struct made_names {
	struct map names;
};

struct made {
	pthread_mutex_t lock;
	/* The directory's path → its struct made_names, never empty; under
	 * lock. */
	struct map parents;
};

/* A path taken apart: the last component, and what leads to it. */
struct split {
	char *parent; /* "" at the top */
	const char *name;
};

static void split_release(struct split *split)
{
	free(split->parent);
}

static int split_path(const char *path, struct split *out)
{
	const char *slash = strrchr(path, '/');

	out->name = slash ? slash + 1 : path;
	out->parent = strndup(path, slash ? (size_t)(slash - path) : 0);
	return out->parent ? 0 : -1;
}

struct made *made_new(struct err *err)
{
	struct made *made = calloc(1, sizeof(*made));

	if (!made) {
		err_nomem(err);
		return NULL;
	}
	pthread_mutex_init(&made->lock, NULL);
	return made;
}

static void children_free(struct made_names *children)
{
	map_release(&children->names);
	free(children);
}

void made_free(struct made *made)
{
	map_foreach (&made->parents, slot)
		children_free(slot->value);
	map_release(&made->parents);
	pthread_mutex_destroy(&made->lock);
	free(made);
}

/* Under lock; NULL: out of memory. */
static struct made_names *children_of(struct made *made, const char *parent)
{
	struct made_names *children = map_get(&made->parents, parent);

	if (children)
		return children;
	children = calloc(1, sizeof(*children));
	if (children && map_put(&made->parents, parent, children) < 0) {
		free(children);
		return NULL;
	}
	return children;
}

/* Forgets the directory where it has no children. Under lock. */
static void drop_if_empty(struct made *made, const char *parent)
{
	const struct made_names *children = map_get(&made->parents, parent);

	if (children && children->names.count == 0)
		children_free(map_del(&made->parents, parent));
}

int made_add(struct made *made, const char *repository, struct err *err)
{
	CLEANUP(split_release) struct split split = {0};
	struct made_names *children;
	int r = split_path(repository, &split);

	if (r < 0)
		return err_nomem(err);
	SCOPED_LOCK(&made->lock);
	children = children_of(made, split.parent);
	if (!children || map_put(&children->names, split.name, made) < 0)
		r = err_nomem(err);
	drop_if_empty(made, split.parent);
	return r;
}

bool made_has(struct made *made, const char *repository)
{
	CLEANUP(split_release) struct split split = {0};
	const struct made_names *children;

	if (split_path(repository, &split) < 0)
		return false;
	SCOPED_LOCK(&made->lock);
	children = map_get(&made->parents, split.parent);
	return children && map_get(&children->names, split.name);
}

bool made_remove(struct made *made, const char *repository)
{
	CLEANUP(split_release) struct split split = {0};
	struct made_names *children;
	bool removed;

	if (split_path(repository, &split) < 0)
		return false;
	SCOPED_LOCK(&made->lock);
	children = map_get(&made->parents, split.parent);
	removed = children && map_del(&children->names, split.name);
	drop_if_empty(made, split.parent);
	return removed;
}

int made_children(struct made *made, const char *parent,
    int (*each)(void *arg, const char *name, struct err *err), void *arg,
    struct err *err)
{
	const struct made_names *children;

	SCOPED_LOCK(&made->lock);
	children = map_get(&made->parents, parent);
	if (!children)
		return 0;
	map_foreach (&children->names, slot) {
		int r = each(arg, slot->key, err);

		if (r < 0)
			return r;
	}
	return 0;
}
