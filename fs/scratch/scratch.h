/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Scratch directories: trees on the local disk that become images. One is a
 * directory in a repository whose name can be neither a repository's nor a
 * tag's (.new); renamed to a tag, it is pushed. In it everything can be made
 * that a file system has, with any owner.
 */
#ifndef FS_SCRATCH_H
#define FS_SCRATCH_H

#include "base/buf.h"
#include "local/local.h"
#include "node/dirlist.h"
#include "node/intent.h"
#include "node/node.h"

struct mount_source;
struct scratches;

/* Those of a mount. NULL: out of memory, err filled. */
struct scratches *scratches_new(struct err *err);

/* Logs what is lost with the mount, and frees. No node has an inode any more.
 */
void scratches_free(struct scratches *scratches);

/* The node of a scratch directory in a repository: 1, 0. */
int scratch_lookup(struct node *dir, const char *name, struct node **out,
    struct err *err);
int scratch_list(struct node *dir, struct dirlist *out, struct err *err);

/* Makes one, of a name that is temporary (grammar/intent.h). */
int scratch_mkdir(struct node *dir, const char *name, mode_t mode,
    struct node **out, struct err *err);

/* unlink() of a file in a repository's directory: 1, or 0 if there is none that
 * is kept there (mirror.h). */
int scratch_unlink(struct node *dir, const char *name, struct err *err);

/* A file beside a repository's scratch directories: writes it, replacing what
 * there is; appends it to out (1, or 0 if there is none). */
int scratch_save(struct mount_source *source, const char *repository,
    const char *name, const struct buf *bytes, struct err *err);
int scratch_load(struct mount_source *source, const char *repository,
    const char *name, struct buf *out, struct err *err);

/* Removes all that there is of a repository, without a word. */
void scratch_forget(struct mount_source *source, const char *repository);

/* Whether there are any in a repository of a source. */
bool scratch_in(struct mount_source *source, const char *repository);

/* 1, or 0 if there is no scratch directory of that name. */
int scratch_rmdir(struct node *dir, const char *name, struct err *err);

/*
 * view rename() of what is in a scratch directory, and of one itself, which is
 * in a repository: to a tag's name, or into an image's directory, this is the
 * push. 1, or 0 if there is no scratch directory of that name.
 */
int scratch_rename(struct node *dir, const char *name, struct node *to_dir,
    const char *to_name, unsigned flags, struct err *err);

/* The inode of a node of view_scratch or view_scratch_file; borrowed. */
struct local_inode *scratch_inode(const struct node *node);

/* As in struct view_ops. */
void scratch_node_free(struct node *node);

/* Pushes the scratch directory of that name, which is in a repository, and in
 * `above`: it is then gone. Where that fails, it stays as it is.
 * push.c */
int scratch_push(struct node *repository, struct local_inode *above,
    const char *name, const struct write_intent *intent, struct err *err);

/* What is in a scratch directory, or is one. */
int scratch_node(struct mount_source *source, struct local_inode *inode,
    struct node **out, struct err *err);
int scratch_list_inode(struct local_inode *dir, struct dirlist *out,
    struct err *err);

#endif
