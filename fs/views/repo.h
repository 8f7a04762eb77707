/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of the repository view share. */
#ifndef FS_VIEW_REPO_H
#define FS_VIEW_REPO_H

#include "node/view.h"

/* repo_list.c */
int repo_list(struct node *dir, struct dirlist *out, struct err *err);

/* repo_write.c */
int repo_write_place(struct node *dir, const char *name,
    struct write_place *out, struct err *err);
int repo_mkdir(struct node *dir, const char *name, mode_t mode,
    struct node **out, struct err *err);
int repo_create(struct node *dir, const char *name, mode_t mode,
    struct node **out, struct err *err);
int repo_unlink(struct node *dir, const char *name, struct err *err);
int repo_rmdir(struct node *dir, const char *name, struct err *err);
int repo_rename(struct node *dir, const char *name, struct node *to_dir,
    const char *to_name, unsigned flags, struct err *err);

#endif
