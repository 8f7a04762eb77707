/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A file that several read from at the same time; the last one closes it.
 * Files of the store only grow: a byte that is in one never changes, so a
 * reader needs no lock. What somebody else does to one can be seen by its time
 * of change, which no program can set.
 */
#ifndef STORE_OPENFILE_H
#define STORE_OPENFILE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "sums.h"
#include "transfer/sources.h"

struct openfile {
	atomic_uint refs;
	int fd;
	/* It belongs to a source, and not to the store: the store only reads
	 * it, and other programs may change it at any time. */
	bool in_place;
	dev_t dev;
	ino_t ino;
	atomic_int_least64_t changed; /* ns: as it was seen last */
	/* Of a large whole blob (whole.h); constant once somebody else knows
	 * that it is one. */
	struct sums *sums;
};

/* Takes fd, also on failure. NULL on failure, err filled. */
struct openfile *openfile_new(int fd, struct err *err);
/* The same of a blob that a source has as a file: 1, or 0 where none has. */
int openfile_in_place(struct sources *sources, const struct digest *digest,
    uint64_t size, struct openfile **out, struct err *err);
struct openfile *openfile_get(struct openfile *file);
void openfile_put(struct openfile *file);

DEFINE_CLEANUP(struct openfile *, openfile_put);

/* Whether both are of one file: its name may lead to another one by now. */
bool openfile_same(const struct openfile *a, const struct openfile *b);

/* Whether the file has another time of change than the one that was seen last,
 * and that time: its name and its use change it as well. What was verified
 * before is to be forgotten before others are told with openfile_saw(). */
bool openfile_changed(const struct openfile *file, int64_t *time);
void openfile_saw(struct openfile *file, int64_t time);

/* Whether path still is that file. */
bool openfile_at(const struct openfile *file, const char *path);

#endif
