/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A directory's entries as they were when it was opened: compact, because a
 * registry can have 100,000 repositories.
 */
#ifndef FS_DIRLIST_H
#define FS_DIRLIST_H

#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/err.h"

struct dirlist {
	struct buf names;   /* each with its NUL */
	struct buf entries; /* struct dirlist_slot each */
};

struct dirlist_slot {
	uint64_t ino;
	uint32_t name; /* offset */
	uint32_t mode; /* the file type's bits */
};

/* An empty list. NULL: out of memory, err filled. It is freed once, by the one
 * who opened the directory. */
struct dirlist *dirlist_new(struct err *err);
void dirlist_free(struct dirlist *list);

DEFINE_CLEANUP(struct dirlist *, dirlist_free);

/* Adds an entry of that name (len bytes, copied), of which only the type in
 * mode counts. -EFBIG past the limit of a list's text, -ENOMEM. */
int dirlist_add(struct dirlist *list, const char *name, size_t len, mode_t mode,
    uint64_t ino, struct err *err);

/* The entries in the order in which they were added; index is below the count.
 * Names are borrowed from the list, and end with a NUL. */
size_t dirlist_count(const struct dirlist *list);
const struct dirlist_slot *dirlist_at(const struct dirlist *list, size_t index);
const char *dirlist_name(const struct dirlist *list,
    const struct dirlist_slot *slot);

#endif
