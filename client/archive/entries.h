/* SPDX-License-Identifier: Apache-2.0 */
/* The files of an archive that can matter to an image, by name. */
#ifndef ARCHIVE_ENTRIES_H
#define ARCHIVE_ENTRIES_H

#include <stdbool.h>
#include <stddef.h>

#include "archive/reader.h"
#include "base/arena.h"
#include "base/err.h"
#include "base/map.h"
#include "tar/walker.h"

struct entries {
	struct arena arena;
	struct map by_name; /* to struct entries_item */
	size_t count;       /* also those that a later one of a name hides */
	struct map wanted;  /* other names that are taken, to themselves */
};

/* Frees what it holds; the struct is not to be used after. Zeroed, it is
 * empty. */
void entries_release(struct entries *entries);

/*
 * Takes an entry if it can matter. For a file that was taken *file is where it
 * is, valid as long as entries, else NULL. -EINVAL, -EFBIG with a sentence.
 */
int entries_add(struct entries *entries, const struct tar_entry *entry,
    const struct archive_entry **file, struct err *err);

/*
 * Of archives whose manifest names what nobody would look for: from now on
 * what it names is taken. 1 if it is not there yet, 0 if it is, or was wanted
 * before.
 */
int entries_want(struct entries *entries, const char *name, struct err *err);

/* As entries_add(), but only of what is wanted. */
int entries_add_wanted(struct entries *entries, const struct tar_entry *entry,
    struct err *err);

/* As archive_reader_find(). */
bool entries_find(const struct entries *entries, const char *name,
    struct archive_entry *out);

/* Whether a file of that name is a layer or some other blob. */
bool entries_is_blob_name(const char *name);

#endif
