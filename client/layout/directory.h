/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Changes of a layout's directory that a crash cannot tear: a file is written
 * without a name, synced, and then named. Paths are relative to the top.
 */
#ifndef CLIENT_LAYOUT_DIRECTORY_H
#define CLIENT_LAYOUT_DIRECTORY_H

#include "state.h"

/* Makes the directories that a path goes through, and sees to it that they
 * stay. */
int directory_make_parents(struct layout_source *layouts, const char *path,
    struct err *err);

/* Makes the names in the directory of a path stay. */
int directory_sync_parent(struct layout_source *layouts, const char *path,
    struct err *err);

/* A file that is being written. */
struct new_file {
	struct layout_source *layouts;
	const char *path; /* that it will have; borrowed */
	char *temp;       /* that it has; NULL: none */
	int fd;
};

/* Begins one, in directories that are made for it. */
int new_file_begin(struct layout_source *layouts, const char *path,
    struct new_file *out, struct err *err);
/* Writes some of its bytes; an error says its path. */
int new_file_write(const struct new_file *file, const void *data, size_t len,
    uint64_t at, struct err *err);
/* Makes its bytes stay, and gives it its name. A file of the same size that has
 * that is left there; another is replaced. */
int new_file_add(struct new_file *file, struct err *err);
/* Drops what was not named. */
void new_file_release(struct new_file *file);

/* Makes the two files of a layout in dir, where they are not there. */
int directory_make_layout(struct layout_source *layouts, const char *dir,
    struct err *err);

/* Puts another index.json in the place of the one that `before` was read from,
 * with the lock: 1, or 0 where that was changed meanwhile. */
int directory_put_index(struct layout_source *layouts, const char *dir,
    const struct layout_state *before, const struct buf *text, struct err *err);

#endif
