/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a program has just tried, where that says what it does next: mv and
 * install replace a file in several system calls. A note is of one thread, one
 * directory and one name; the oldest one goes when there are many.
 */
#ifndef FS_ATTEMPT_H
#define FS_ATTEMPT_H

#include <stdbool.h>

#include "base/err.h"
#include "node/node.h"

enum attempt_kind {
	/* To rename something into the directory of an image, which was told
	 * that there is one already (tags.h). */
	ATTEMPT_MOVE_INTO,
	/* To remove a file, in order to make one of that name (replace.h). */
	ATTEMPT_REPLACE,
	/* To make the directory itself, in a repository, which is to be
	 * filled; the name is "". */
	ATTEMPT_MAKE,
	/* To put the files of a layers/ into a directory; likewise
	 * (part_copy.h). */
	ATTEMPT_LAYERS,
};

struct attempts;

/* The notes of a mount. NULL: out of memory, err filled; freeing NULL does
 * nothing. */
struct attempts *attempts_new(struct err *err);
void attempts_free(struct attempts *attempts);

/* Of the caller's thread (caller.h), as all that follows. */
void attempt_note(const struct node *dir, const char *name,
    enum attempt_kind kind);
void attempt_forget(const struct node *dir, const char *name,
    enum attempt_kind kind);
bool attempt_is_noted(const struct node *dir, const char *name,
    enum attempt_kind kind);
/* The directory of the newest one; 0: no attempt. */
uint64_t attempt_last(const struct mount *mount, enum attempt_kind kind);

#endif
