/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Makers of nodes. Each gives a held node in *out, a new one or the one that
 * there already is; image arguments are borrowed. Here are what all makers
 * share, and those of the directories that lead to images; the others stand
 * beside what they are about (views/makers.h, upload/written_file.h, …).
 */
#ifndef FS_NODES_H
#define FS_NODES_H

#include "image/images.h"
#include "mount.h"
#include "node.h"
#include "view.h"

/* What all makers share: fills node; key is taken. */
void node_init(struct node *node, struct mount_source *source,
    enum node_kind kind, char *key, double names_ttl, double attr_ttl);

/* The same of a node that a directory of the mount has under a name. */
void node_init_in(struct node *node, struct node *parent, const char *name,
    enum node_kind kind, char *key, double names_ttl, double attr_ttl);

/* A namespace or repository; "" is the top. */
int repo_node(struct mount_source *source, const char *repository,
    struct node **out, struct err *err);
int repo_node_root(struct mount_source *source, const char *repository,
    struct node **out, struct err *err);
const char *repo_node_repository(const struct node *node);

/* As in struct view_ops. */
void repo_node_free(struct node *node);

/* An image directory by tag: what it holds follows the tag. */
int image_node_tag(struct node *parent, const char *name,
    const char *repository, const char *tag, struct node **out,
    struct err *err);

/* The image that is the mount point: a tag's, or (tag NULL) a digest's. */
int image_node_root(struct mount_source *source, const char *repository,
    const char *tag, const struct digest *digest, struct node **out,
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
struct image_node_name {
	struct mount_source *source;
	char *repository;
	char *tag; /* NULL: one image for ever */
	/* The directory's name is the tag alone, which a repository may have,
	 * too. */
	bool plain;
	/* What it was before, and was called then. */
	struct image_node_name *before;
	struct node_names names_before;
};

/* Of a NODE_IMAGE: what it is of now. Borrowed, as long as the node lives. */
const struct image_node_name *image_node_name(const struct node *node);

/* What it holds now. */
int image_node_image(struct node *node, struct image **out, struct err *err);

/* A directory is called `name` in `dir` now, and is that tag's: the kernel
 * goes on with the node. */
int image_node_move(struct node *node, struct node *dir, const char *name,
    const char *repository, const char *tag, struct err *err);

#endif
