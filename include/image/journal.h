/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What happens to the images of all registries of a mount, as far as this
 * process does or sees it: one JSON object a line, in the order in which it
 * happens.
 *
 * It is kept in a file that only grows, an unnamed one of the store: what was
 * read at an offset stays there. Before that becomes too large another one is
 * begun, as logs are rotated, and the last line of the old one says so; who
 * still reads that one keeps it.
 *
 * Usable from any thread.
 */
#ifndef IMAGE_JOURNAL_H
#define IMAGE_JOURNAL_H

#include <stdint.h>
#include <sys/types.h>
#include <time.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "oci/digest.h"
#include "store/store.h"

struct journal;
struct journal_file;

/* Fifty thousand events or so. */
enum { JOURNAL_FILE_MAX = 16 << 20 };

/* What is NULL is left out. */
struct image_event {
	const char *name;     /* "push-begun", "tag-moved", … */
	const char *registry; /* the source's name */
	const char *repository;
	const char *tag;
	const struct digest *digest; /* what the tag names now */
	const struct digest *before; /* and named before */
	const char *by;              /* "this mount" or "another client" */
	const struct push_sum *push; /* what it has come to */
	const char *error;
};

struct push_sum {
	uint64_t received; /* bytes of the archive */
	uint64_t sent;     /* bytes of blobs */
	double seconds;
};

/* store is borrowed and outlives it; max: bytes of a file. */
struct journal *journal_new(struct store *store, uint64_t max, struct err *err);
void journal_free(struct journal *journal);

DEFINE_CLEANUP(struct journal *, journal_free);

/*
 * Adds an event, in memory alone: it may be called under a lock, by which the
 * order of events is that of what they are about. The caller then calls
 * journal_flush() when the lock is released.
 */
void journal_add(struct journal *journal, const struct image_event *event);

/* Shows fn each event from now on with its line, as it is added: it may be
 * called under a lock, and does nothing that waits. One at most; NULL: nobody.
 * Before there are events, and after. */
typedef void journal_fn(void *arg, const struct image_event *event,
    const char *line);
void journal_listen(struct journal *journal, journal_fn *fn, void *arg);

/* Writes to the file what was added. What cannot be written is dropped, and a
 * line says how much that was once it works again. */
void journal_flush(struct journal *journal);

/* The file that is written to now; counted. */
struct journal_file *journal_file_get(struct journal *journal);
struct journal_file *journal_file_hold(struct journal_file *file);
void journal_file_put(struct journal_file *file);

DEFINE_CLEANUP(struct journal_file *, journal_file_put);

/* The file's number, from 1 on: a new file has the next one. Its bytes so far,
 * and when the last were written, in seconds since 1970. */
unsigned journal_file_number(const struct journal_file *file);
uint64_t journal_file_size(struct journal_file *file);
time_t journal_file_changed(struct journal_file *file);

/* Short only at the end of what is there. */
ssize_t journal_file_read(struct journal_file *file, void *data, size_t len,
    uint64_t off, struct err *err);

#endif
