/* SPDX-License-Identifier: Apache-2.0 */
/* Makers of the nodes of what is in an image; as node/nodes.h. */
#ifndef FS_VIEWS_MAKERS_H
#define FS_VIEWS_MAKERS_H

#include "grammar/image_parts.h"
#include "image/inspect.h"
#include "layer/tree.h"
#include "node/nodes.h"

/* The mount point above several sources; top: mount_sources_top(). */
int hosts_node_root(struct mount_source *top, struct node **out,
    struct err *err);

/* Parts of an image directory. */
int layers_node(struct node *parent, struct image *image, struct node **out,
    struct err *err);
int files_node(struct node *parent, struct image *image, struct node **out,
    struct err *err);
int platforms_node(struct node *parent, struct image *index, struct node **out,
    struct err *err);
int referrers_node(struct node *parent, struct image *image, struct node **out,
    struct err *err);

/* A text about an image; what is looked at is copied. */
int image_text_node(struct node *dir, enum image_text_id id,
    const struct inspection *of, struct node **out, struct err *err);

/* A table of all files of the image, and lines of what one of its layers
 * changes. */
int files_listing_node(struct node *dir, const char *name, struct image *image,
    struct node **out, struct err *err);
int changes_listing_node(struct node *dir, const char *name,
    struct image *image, size_t layer, struct node **out, struct err *err);

/* A blob that the image's manifest names, as `name` in a directory. */
int blob_node(struct node *parent, const char *name, struct image *image,
    const struct descriptor *descriptor, struct node **out, struct err *err);
uint64_t blob_node_number(const struct descriptor *descriptor);

/* The content of a document (upload/document.h): such a blob, and the image's
 * manifest. */
int blob_content(struct mount_source *source, struct image *image,
    const struct descriptor *descriptor, struct node **out, struct err *err);
int manifest_content(struct mount_source *source, struct image *image,
    struct node **out, struct err *err);

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
 * or attributes, or has more links, one of that tree (key says which). tree:
 * the root of the tree, of that key.
 */
int layer_file_node(const struct node *tree, const struct tree_item *item,
    struct node **out, struct err *err);
uint64_t layer_file_number(struct mount *mount, const char *key,
    const struct tree_item *item);

/* The attributes of an entry as the mount shows them. links: as the tree has
 * them, or 0, as the layer has them; hides: not those that are the layer's own
 * (layer_xattr_is_hidden()). */
int entry_stat(const struct node *node, struct layer *layer, uint32_t number,
    uint32_t links, struct stat *out, struct err *err);
int entry_xattrs(struct layer *layer, uint32_t number, bool hides,
    struct xattrs *out, struct err *err);

#endif
