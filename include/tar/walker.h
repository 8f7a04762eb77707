/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reads a tar that is pushed at it: POSIX ustar and pax (size, path, linkpath,
 * mtime, uid, gid, extended attributes), GNU long names, base-256 numbers and
 * sparse files (the old ones, and pax 0.0, 0.1 and 1.0), old v7. What an entry
 * means follows Go's archive/tar, because that is what container engines unpack
 * with: links, devices and directories have no body whatever their size says,
 * and global pax headers have no effect. Where Go's users refuse a type, POSIX
 * and GNU tar are followed: a type that nobody knows is a file, GNU's dumpdirs
 * are directories, and what is no entry (volume labels) is left out.
 */
#ifndef TAR_WALKER_H
#define TAR_WALKER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "tar/format.h"

/* What the walker calls; each returns 0, or -errno, which ends the walk. The
 * entry is valid during the call. */
struct tar_handler {
	int (*entry)(void *arg, const struct tar_entry *entry, struct err *err);
	/* Pieces of the last entry's data, in order; NULL: bodies are
	 * skipped. */
	int (*data)(void *arg, const void *data, size_t len, struct err *err);
	void *arg;
};

struct tar_walker;

/* The handler is copied, its arg borrowed. *out is for one thread at a time.
 * -ENOMEM. */
int tar_walker_new(const struct tar_handler *handler, struct tar_walker **out,
    struct err *err);

/*
 * Takes the next bytes. 1 when the archive's end (two blocks of zeros) has been
 * seen, then *used (may be NULL) says how many of these bytes belong to it;
 * else 0. -EINVAL with a sentence that says what is wrong at which offset.
 */
int tar_walker_feed(struct tar_walker *walker, const void *data, size_t len,
    size_t *used, struct err *err);

/* Bytes taken so far; after the end, the archive's size with its two blocks. */
uint64_t tar_walker_offset(const struct tar_walker *walker);

/* Whether it stands between two entries, so that an archive without an end
 * marker could end here. */
bool tar_walker_between(const struct tar_walker *walker);

/* Whether all that came so far was plain, as entries are (struct tar_entry).
 */
bool tar_walker_is_plain(const struct tar_walker *walker);

/* What a tar lacks that ends where the walker stands. */
enum tar_lack {
	/* Nothing that is missed: its end marker or its padding perhaps, or the
	 * entry that headers were for. Go takes that for an end. */
	TAR_LACKS_NOTHING,
	TAR_LACKS_DATA,   /* the rest of the last entry's data */
	TAR_LACKS_HEADER, /* a part of what comes in front of data */
};

/* To be asked before the archive's end has been seen; never fails. It is freed
 * at any time, NULL too. */
enum tar_lack tar_walker_lacks(const struct tar_walker *walker);
void tar_walker_free(struct tar_walker *walker);

DEFINE_CLEANUP(struct tar_walker *, tar_walker_free);

#endif
