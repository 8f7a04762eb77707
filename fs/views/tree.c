/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Directories of trees: rootfs/ and layers/NN/, and what is in them. The root
 * of a tree is there at once; its layers are looked at when it is entered.
 */
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/container.h"
#include "base/lock.h"
#include "base/strf.h"
#include "grammar/image_parts.h"
#include "image/trees.h"
#include "makers.h"
#include "node/image_info.h"
#include "node/key.h"
#include "node/lead.h"
#include "node/walk.h"

/* All of a root file system, instead of one layer. */
#define ALL_LAYERS SIZE_MAX

/* A listing of more names takes some time. */
enum { LIST_LONG = 4096 };

struct tree_node {
	struct node node;
	char *path; /* in the tree; "" is its root, and mostly a root's path */
	/* Itself, or one of the directories that lead to it. */
	const struct tree_node *root;

	/* Below the root: constant. */
	struct tree_item item;

	/* The root's: what the tree is to be made of. */
	struct image *image;
	size_t layer;
	pthread_mutex_t lock;
	atomic_bool entered;
	/* Held. The root's is set when it is first entered, under lock. */
	struct tree *_Atomic tree;
};

static struct tree_node *to_tree(struct node *node)
{
	return container_of(node, struct tree_node, node);
}

static bool is_root(const struct tree_node *self)
{
	return self->image != NULL;
}

/* Takes key and path. */
static struct tree_node *tree_node_new(struct node *parent, const char *name,
    char *key, char *path)
{
	struct tree_node *made = path ? calloc(1, sizeof(*made)) : NULL;

	if (!made) {
		free(key);
		free(path);
		return NULL;
	}
	node_init_in(&made->node, parent, name, NODE_TREE, key, TTL_FOREVER,
	    TTL_FOREVER);
	pthread_mutex_init(&made->lock, NULL);
	made->path = path;
	return made;
}

static int add(struct tree_node *made, struct node **out, struct err *err)
{
	*out = node_add(made->node.mount->nodes, &made->node, err);
	return *out ? 0 : -err->code;
}

/* At a path of the tree, and not always its root. */
static int root_node(struct node *parent, const char *name, struct image *image,
    size_t layer, const char *path, struct node **out, struct err *err)
{
	struct tree_node *made = tree_node_new(parent, name,
	    key_of_part(parent, name, &image->digest), strdup(path));

	if (!made)
		return err_nomem(err);
	made->image = image_get(image);
	made->layer = layer;
	made->root = made;
	return add(made, out, err);
}

int rootfs_node(struct node *parent, struct image *image, struct node **out,
    struct err *err)
{
	return root_node(parent, image_parts[IMAGE_ROOTFS].name, image,
	    ALL_LAYERS, "", out, err);
}

int layer_tree_node(struct node *parent, const char *name, struct image *image,
    size_t layer, struct node **out, struct err *err)
{
	return root_node(parent, name, image, layer, "", out, err);
}

int packed_tree_node(struct node *parent, const char *name, struct image *image,
    size_t entry, const char *path, struct node **out, struct err *err)
{
	return root_node(parent, name, image, entry, path, out, err);
}

static void tree_free(struct node *node)
{
	struct tree_node *self = to_tree(node);

	image_put(self->image);
	tree_put(self->tree);
	pthread_mutex_destroy(&self->lock);
	free(self->path);
	free(self);
}

/* The tree, made if this is its root. Borrowed. */
static int get_tree(struct tree_node *self, struct tree **out, struct err *err)
{
	CLEANUP(tree_put_p) struct tree *made = NULL;
	int r;

	*out = self->tree;
	if (*out)
		return 0;
	r = self->layer == ALL_LAYERS
		? image_tree(self->image, &made, err)
		: image_layer_tree(self->image, self->layer, &made, err);
	if (r < 0)
		return r;
	SCOPED_LOCK(&self->lock);
	if (!self->tree)
		self->tree = steal(&made);
	*out = self->tree;
	return 0;
}

/* The same, by somebody who enters it. */
static int enter_tree(struct tree_node *self, struct tree **out,
    struct err *err)
{
	int r = get_tree(self, out, err);

	if (r == 0 && is_root(self) && self->node.mount->prefetch &&
	    !atomic_exchange(&self->entered, true))
		tree_prefetch(*out);
	return r;
}

/* What is known of it without waiting: 1, 0, or -EUCLEAN. */
static int known_item(struct tree_node *self, struct tree_item *out,
    struct err *err)
{
	struct tree *tree;

	if (!is_root(self)) {
		*out = self->item;
		return 1;
	}
	return get_tree(self, &tree, ERR_IGNORE) == 0
		   ? tree_known(tree, self->path, out, err)
		   : 0;
}

/* The same when what is damaged has been made again: 1, 0, or -errno. */
static int get_item(struct tree_node *self, struct tree_item *out,
    struct err *err)
{
	int r = known_item(self, out, err);

	if (r != -EUCLEAN)
		return r;
	r = tree_find(self->tree, NULL, self->path, out, err);
	return r < 0 ? r : 1;
}

static int tree_stat(struct node *node, struct stat *out, struct err *err)
{
	struct tree_node *self = to_tree(node);
	struct layer_entry entry;
	struct tree_item item;
	int r = get_item(self, &item, err);

	if (r < 0)
		return r;
	/* A listing of the image's directory must not wait for its layers, nor
	 * what goes through it to a name that some of them settle. */
	if (r == 0) {
		mount_stat_dir(node->mount, node, out);
		image_stat_time(node, self->image, out);
		return 0;
	}
	r = entry_stat(node, item.layer, item.entry, item.links, out, err);
	if (r < 0 || !is_root(self))
		return r;
	/* An image may have no entry for its root, which then has no time. */
	r = layer_entry(item.layer, item.entry, &entry, err);
	if (r == 0 && entry.flags & LAYER_IMPLIED)
		image_stat_time(node, self->image, out);
	return r;
}

/* The root is what its layers say, as everything below it. */
static int tree_settle(struct node *node, struct err *err)
{
	struct tree_node *self = to_tree(node);
	struct tree_item item;
	struct tree *tree;
	int r = get_item(self, &item, err);

	if (r != 0)
		return r < 0 ? r : 0;
	r = enter_tree(self, &tree, err);
	/* An image without layers says nothing of its root. */
	return r < 0 || tree_is_empty(tree)
		   ? r
		   : tree_find(tree, NULL, self->path, &item, err);
}

static double tree_attr_ttl(struct node *node)
{
	struct tree_item item;

	return known_item(to_tree(node), &item, ERR_IGNORE) == 1 ? TTL_FOREVER
								 : 0;
}

static bool tree_is_prompt(struct node *node)
{
	const struct tree_node *self = to_tree(node);

	/* The root's time may be that of the config, which is a request. */
	return !is_root(self) && tree_is_settled(self->tree);
}

static int tree_xattrs(struct node *node, struct xattrs *out, struct err *err)
{
	struct tree_item item;
	int r = get_item(to_tree(node), &item, err);

	return r == 1 ? entry_xattrs(item.layer, item.entry, item.hides_xattrs,
			    out, err)
		      : r;
}

static char *child_path(const struct tree_node *self, const char *name)
{
	return *self->path ? strf("%s/%s", self->path, name) : strdup(name);
}

/* The key of what belongs to the tree as a whole. */
static const char *root_key(const struct tree_node *self)
{
	return self->root->node.key;
}

static char *path_in_mount(struct node *root, const char *path)
{
	AUTO_FREE char *above = node_path(root);
	const char *before = to_tree(root)->path;
	size_t len = strlen(before);

	if (!above || strncmp(path, before, len) != 0)
		return NULL;
	return node_path_in(above, path + len + (path[len] == '/'));
}

/* Takes path. */
static int dir_node(struct tree_node *parent, struct tree *tree,
    const char *name, char *path, const struct tree_item *item,
    struct node **out, struct err *err)
{
	struct tree_node *made = tree_node_new(&parent->node, name,
	    key_of_child(&parent->node, name), path);

	if (!made)
		return err_nomem(err);
	made->tree = tree_get(tree);
	made->item = *item;
	made->root = parent->root;
	return add(made, out, err);
}

static int item_node(struct tree_node *parent, struct tree *tree,
    const char *name, const struct tree_item *item, struct node **out,
    struct err *err)
{
	AUTO_FREE char *path = child_path(parent, name);

	if (!path)
		return err_nomem(err);
	if (S_ISDIR(item->mode))
		return dir_node(parent, tree, name, steal(&path), item, out,
		    err);
	return layer_file_node(&parent->root->node, item, out, err);
}

static int tree_lookup(struct node *dir, const char *name, struct node **out,
    struct err *err)
{
	struct tree_node *self = to_tree(dir);
	AUTO_FREE char *path = child_path(self, name);
	struct tree_item item;
	struct tree *tree;
	int r = path ? enter_tree(self, &tree, err) : err_nomem(err);

	if (r == 0)
		r = tree_find(tree, is_root(self) ? NULL : &self->item, path,
		    &item, err);
	return r < 0 ? r : item_node(self, tree, name, &item, out, err);
}

struct listing_state {
	struct tree_node *dir;
	struct dirlist *out;
};

static int list_item(void *arg, const char *name, const struct tree_item *item,
    struct err *err)
{
	struct listing_state *state = arg;
	const struct node *dir = &state->dir->node;
	uint64_t ino;

	if (dirlist_count(state->out) == LIST_LONG)
		lead_give();

	ino = S_ISDIR(item->mode)
		  ? key_number(NODE_TREE, key_of_child(dir, name))
		  : layer_file_number(dir->mount, root_key(state->dir), item);
	if (ino == 0)
		return err_nomem(err);
	return dirlist_add(state->out, name, strlen(name), item->mode & S_IFMT,
	    ino, err);
}

static int tree_list_dir(struct node *dir, struct dirlist *out, struct err *err)
{
	struct tree_node *self = to_tree(dir);
	struct listing_state state = {self, out};
	struct tree *tree;
	int r = enter_tree(self, &tree, err);

	return r < 0 ? r : tree_list(tree, self->path, list_item, &state, err);
}

static const struct image *part_of(const struct node *dir, const char **name)
{
	const struct tree_node *self =
	    container_of(dir, const struct tree_node, node);

	*name = image_parts[IMAGE_ROOTFS].name;
	return self->layer == ALL_LAYERS ? self->image : NULL;
}

const struct view_ops view_tree = {
    .path_in = path_in_mount,
    .stat = tree_stat,
    .free = tree_free,
    .xattrs = tree_xattrs,
    .settle = tree_settle,
    .lookup = tree_lookup,
    .list = tree_list_dir,
    .part_of = part_of,
    .attr_ttl = tree_attr_ttl,
    .is_prompt = tree_is_prompt,
    .all_xattrs = true,
    .is_constant = true,
};
