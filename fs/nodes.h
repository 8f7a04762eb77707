/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Makers of nodes, one a view. Each gives a held node in *out, a new one or the
 * one that there already is; image arguments are borrowed.
 */
#ifndef FS_NODES_H
#define FS_NODES_H

#include "image/images.h"
#include "layer/tree.h"
#include "mount.h"
#include "node.h"
#include "view.h"

struct local_inode;
struct upload;

/* What all makers share: fills node; key is taken. */
void node_init(struct node *node, struct mount *mount, enum node_kind kind,
    char *key, double names_ttl, double attr_ttl);

/* A namespace or repository; "" is the top. */
int repo_node(struct mount *mount, const char *repository, struct node **out,
    struct err *err);
int repo_node_root(struct mount *mount, const char *repository,
    struct node **out, struct err *err);
const char *repo_node_repository(const struct node *node);

/* An image directory by tag: what it holds follows the tag. */
int image_node_tag(struct node *parent, const char *name,
    const char *repository, const char *tag, struct node **out,
    struct err *err);

/* The number of the node that image_node_tag() makes. */
uint64_t image_node_number(const struct node *dir, const char *name);

/* An image directory of one manifest. */
int image_node_fixed(struct node *parent, const char *name, struct image *image,
    struct node **out, struct err *err);

/* The same of a manifest that is read when somebody enters it. */
int image_node_digest(struct node *parent, const char *name,
    const char *repository, const struct digest *digest, struct node **out,
    struct err *err);

/* What an image directory is of; a rename makes it another one, but what it
 * was stays readable as long as the node. */
struct image_name {
	char *repository;
	char *tag; /* NULL: one image for ever */
	/* The directory's name is the tag alone, which a repository may have,
	 * too. */
	bool plain;
	/* What it was called before, and its key then. */
	struct image_name *before;
	char *key_before;
};

const struct image_name *image_node_name(const struct node *node);

/* What it holds now. */
int image_node_image(struct node *node, struct image **out, struct err *err);

/* A directory is called `name` in `dir` now, and is that tag's: the kernel
 * goes on with the node. */
int image_node_move(struct node *node, struct node *dir, const char *name,
    const char *repository, const char *tag, struct err *err);

/* Parts of an image directory. */
int layers_node(struct node *parent, struct image *image, struct node **out,
    struct err *err);
int files_node(struct node *parent, struct image *image, struct node **out,
    struct err *err);
int platforms_node(struct node *parent, struct image *index, struct node **out,
    struct err *err);
int referrers_node(struct node *parent, struct image *image, struct node **out,
    struct err *err);

/* A blob that the image's manifest names. */
int blob_node(struct mount *mount, struct image *image,
    const struct descriptor *descriptor, struct node **out, struct err *err);
uint64_t blob_node_number(const struct descriptor *descriptor);

/* A symbolic link that was made: it exists until it is looked up again. */
int link_node(struct mount *mount, const char *target, struct node **out,
    struct err *err);

/* A file that is being written. */
int upload_node(struct mount *mount, struct upload *upload, struct node **out,
    struct err *err);
struct upload *upload_of(const struct node *node); /* borrowed */

/* As in struct view_ops. */
void upload_node_free(struct node *node);

/* What is in a scratch directory, or is one. */
int scratch_node(struct mount *mount, struct local_inode *inode,
    struct node **out, struct err *err);
int scratch_list_inode(struct local_inode *dir, struct dirlist *out,
    struct err *err);

/* A directory of a tree: the image's root file system, and one of its layers'
 * own entries. What is in it is read when somebody enters it. */
int rootfs_node(struct node *parent, struct image *image, struct node **out,
    struct err *err);
int layer_tree_node(struct node *parent, const char *name, struct image *image,
    size_t layer, struct node **out, struct err *err);

/* The directory at a path in the tar that an artifact's part is. */
int packed_tree_node(struct node *parent, const char *name, struct image *image,
    size_t entry, const char *path, struct node **out, struct err *err);

/*
 * What is no directory in a tree. layer_file_node() gives the node of its
 * layer, which it has in all trees; but where that tree hides some of its links
 * or attributes, or has more links, one of that tree (key says which).
 */
int layer_file_node(struct mount *mount, const char *key,
    const struct tree_item *item, struct node **out, struct err *err);
uint64_t layer_file_number(struct mount *mount, const char *key,
    const struct tree_item *item);

/* The attributes of an entry as the mount shows them. links: as the tree has
 * them, or 0, as the layer has them; hides: not those that are the layer's own
 * (layer_xattr_is_hidden()). */
int entry_stat(const struct node *node, struct layer *layer, uint32_t number,
    uint32_t links, struct stat *out, struct err *err);
int entry_xattrs(struct layer *layer, uint32_t number, bool hides,
    struct xattrs *out, struct err *err);

/* .registryfs */
int control_node(struct mount *mount, struct node **out, struct err *err);

/* A file that is printed whenever somebody opens it. */
typedef int snapshot_print(struct mount *mount, struct buf *out,
    struct err *err);
int snapshot_node(struct mount *mount, const char *key, snapshot_print *print,
    struct node **out, struct err *err);

/* The journal's file of now. */
int events_node(struct mount *mount, struct node **out, struct err *err);
uint64_t events_node_number(struct mount *mount);

#endif
