/* SPDX-License-Identifier: Apache-2.0 */
/* What stands in a tree and is no directory: files, links, devices. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/container.h"
#include "base/strf.h"
#include "kernel/feed.h"
#include "makers.h"
#include "node/key.h"
#include "node/layer_file.h"
#include "node/place.h"

enum {
	IO_SIZE = 128 << 10,
	STAT_BLOCK = 512,
	/* What the mounting user needs to read what is squashed to be theirs.
	 */
	MODE_READ = 0400,
	MODE_ENTER = 0500,
};

/* Whether all trees show it as its layer does. */
static bool is_shared(const struct tree_item *item)
{
	return item->own_links == item->links && !item->hides_xattrs;
}

static char *own_key(const char *key, const struct tree_item *item)
{
	return key_of_layer_file(key, layer_key(item->layer), item->entry);
}

int layer_file_node(const struct node *tree, const struct tree_item *item,
    struct node **out, struct err *err)
{
	struct mount_source *source = tree->source;
	struct node *node;
	char *own;

	if (is_shared(item)) {
		*out = place_node(source, item->layer, item->entry);
		if (!*out)
			return err_nomem(err);
		place_found_in(*out, tree);
		return 0;
	}
	own = own_key(tree->key, item);
	node =
	    own ? layer_file_new(source, item->layer, item->entry, own) : NULL;
	if (!node)
		return err_nomem(err);
	to_layer_file(node)->tree = tree->ino;
	to_layer_file(node)->links = item->links;
	to_layer_file(node)->hides_xattrs = item->hides_xattrs;
	*out = node_add(source->mount->nodes, node, err);
	return *out ? 0 : -err->code;
}

uint64_t layer_file_number(struct mount *mount, const char *key,
    const struct tree_item *item)
{
	AUTO_FREE char *own = NULL;

	if (is_shared(item))
		return place_number(mount, item->layer, item->entry);
	own = own_key(key, item);
	return own ? node_number(NODE_LAYER_FILE, own) : 0;
}

/* Squashed, all of an image is the user's: also where modes are enforced. */
static void squash(const struct mount *mount, struct stat *out)
{
	out->st_uid = mount->uid;
	out->st_gid = mount->gid;
	if (mount->shared)
		out->st_mode |= S_ISDIR(out->st_mode) ? MODE_ENTER : MODE_READ;
}

int entry_stat(const struct node *node, struct layer *layer, uint32_t number,
    uint32_t links, struct stat *out, struct err *err)
{
	struct layer_entry entry;
	uint64_t stored;
	int r = layer_entry(layer, number, &entry, err);

	if (r == 0)
		r = layer_stored(layer, &entry, &stored, err);
	if (r < 0)
		return r;
	*out = (struct stat){.st_ino = node->ino,
	    .st_mode = entry.mode,
	    .st_nlink = links ? links : entry.links,
	    .st_uid = entry.uid,
	    .st_gid = entry.gid,
	    .st_size = (off_t)entry.size,
	    .st_blksize = IO_SIZE,
	    .st_blocks = (blkcnt_t)((stored + STAT_BLOCK - 1) / STAT_BLOCK)};
	if (S_ISCHR(entry.mode) || S_ISBLK(entry.mode))
		out->st_rdev = entry.data;
	mount_stat_time(out, entry.mtime, entry.mtime_nanos);
	if (node->mount->squash)
		squash(node->mount, out);
	return 0;
}

static int file_stat(struct node *node, struct stat *out, struct err *err)
{
	const struct layer_file *file = to_layer_file(node);

	return entry_stat(node, file->layer, file->entry, file->links, out,
	    err);
}

static const char *vouching_text(enum layer_vouching vouching)
{
	return vouching == LAYER_BY_CHUNKS ? "toc" : "layer";
}

int entry_xattrs(struct layer *layer, uint32_t number, bool hides,
    struct xattrs *out, struct err *err)
{
	const struct layer_facts *facts =
	    layer_index_facts(layer_index_known(layer));
	AUTO_BUF struct buf image = BUF_INIT(SIZE_MAX / 2);
	const char *name;
	const void *value;
	size_t cursor = 0;
	uint32_t len;
	char text[DIGEST_TEXT_SIZE];
	int r = layer_xattrs(layer, number, &image, err);

	/* Where it comes from is not the image's: programs that copy files with
	 * their attributes do not see it, and an image cannot say otherwise. */
	if (r == 0)
		r = xattrs_add_hidden(out, "user.oci.layer",
		    digest_format(layer_digest(layer), text), err);
	if (r == 0)
		r = xattrs_add_hidden(out, "user.oci.verified",
		    vouching_text(facts->vouching), err);
	while (
	    r == 0 && layer_next_xattr(&image, &cursor, &name, &value, &len)) {
		if (!hides || !layer_xattr_is_hidden(name))
			r = xattrs_add_bytes(out, name, value, len, err);
	}
	out->no_acls = !facts->has_acls;
	return r;
}

static int file_xattrs(struct node *node, struct xattrs *out, struct err *err)
{
	const struct layer_file *file = to_layer_file(node);

	return entry_xattrs(file->layer, file->entry, file->hides_xattrs, out,
	    err);
}

static int file_open(struct node *node, int flags, struct handle *handle,
    struct err *err)
{
	(void)node;
	(void)flags;
	(void)err;
	handle->keep_cache = true;
	return 0;
}

static ssize_t file_read(struct handle *handle, void *data, size_t len,
    uint64_t off, struct err *err)
{
	const struct layer_file *file = to_layer_file(handle->node);

	if (off == 0)
		feed_after(handle->node->mount, file->layer, file->entry);
	return layer_read(file->layer, file->entry, data, len, off, err);
}

static ssize_t file_read_known(struct node *node, void *data, size_t len,
    uint64_t off, struct err *err)
{
	const struct layer_file *file = to_layer_file(node);
	ssize_t n =
	    layer_read_known(file->layer, file->entry, data, len, off, err);

	if (n >= 0 && off == 0)
		feed_after(node->mount, file->layer, file->entry);
	return n;
}

static int file_seek(struct node *node, uint64_t off, int whence, uint64_t *out,
    struct err *err)
{
	const struct layer_file *file = to_layer_file(node);

	return layer_seek(file->layer, file->entry, off, whence == SEEK_HOLE,
	    out, err);
}

static int file_readlink(struct node *node, char **out, struct err *err)
{
	const struct layer_file *file = to_layer_file(node);
	struct layer_entry entry;
	int r = layer_entry(file->layer, file->entry, &entry, err);

	if (r < 0)
		return r;
	if (!S_ISLNK(entry.mode))
		return err_set(err, EINVAL, "not a symbolic link");
	return layer_target(file->layer, file->entry, out, err);
}

/* The name of an entry in its directory, which has those of its children. */
static bool name_of(const struct layer_index *index, uint32_t parent,
    uint32_t entry, char name[LAYER_NAME_SIZE])
{
	struct layer_entry dir;
	uint32_t child;

	if (layer_index_entry(index, parent, &dir, ERR_IGNORE) < 0)
		return false;
	for (uint32_t i = 0; i < dir.child_count; i++)
		if (layer_index_child(index, &dir, i, &child, name,
			ERR_IGNORE) == 0 &&
		    child == entry)
			return true;
	return false;
}

/* The path of an entry in its layer, a new string or NULL. */
static char *path_in_layer(const struct layer_index *index, uint32_t number)
{
	AUTO_FREE char *path = NULL;

	while (number != 0) {
		struct layer_entry entry;
		char name[LAYER_NAME_SIZE], *longer;

		if (layer_index_entry(index, number, &entry, ERR_IGNORE) < 0 ||
		    !name_of(index, entry.parent, number, name))
			return NULL;
		longer = path ? strf("%s/%s", name, path) : strdup(name);
		free(path);
		path = longer;
		if (!path)
			return NULL;
		number = entry.parent;
	}
	return steal(&path);
}

/* In the tree in which it was found last. */
static char *file_path(const struct node *node)
{
	const struct layer_file *file =
	    container_of(node, const struct layer_file, node);
	uint64_t ino = atomic_load(&file->tree);
	CLEANUP(node_put_p)
	struct node *root = ino ? node_find(node->mount->nodes, ino) : NULL;
	AUTO_FREE char *path =
	    root ? path_in_layer(layer_index_known(file->layer), file->entry)
		 : NULL;

	return path && root->view->path_in ? root->view->path_in(root, path)
					   : NULL;
}

const struct view_ops view_layer_file = {
    .stat = file_stat,
    .free = layer_file_free,
    .xattrs = file_xattrs,
    .open = file_open,
    .read = file_read,
    .read_known = file_read_known,
    .seek = file_seek,
    .readlink = file_readlink,
    .path = file_path,
    .all_xattrs = true,
};
