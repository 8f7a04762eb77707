/* SPDX-License-Identifier: Apache-2.0 */
/* The files of blobs that are not whole. */
#include "partial.h"

#include <errno.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>

#include "base/log.h"
#include "cache/path.h"
#include "whole.h"

enum {
	/* Another process cannot wake us. Looking that often costs nothing to
	 * speak of, and its bytes reach our readers at most so much later. */
	POLL_NANOSECONDS = 20 * 1000 * 1000,
};

static int file_size(const struct openfile *file, uint64_t *size,
    struct err *err)
{
	struct stat st;

	if (fstat(file->fd, &st) < 0)
		return err_sys(err, "cannot examine a partial blob");
	*size = (uint64_t)st.st_size;
	return 0;
}

/* What another process wrote can be read; the end, only when it is verified. */
static int publish_foreign(struct entry *entry, struct openfile *file,
    struct err *err)
{
	uint64_t size = 0;
	int r = file_size(file, &size, err);

	if (r < 0 || size == 0 || entry->size == 0)
		return r;
	entry_switch(entry, openfile_get(file));
	entry_publish(entry, size < entry->size ? size : entry->size - 1);
	return 0;
}

/*
 * Waits for the file's lock. 1, or 0 if the file lost its name meanwhile: it
 * became the blob, or was dropped.
 */
static int lock(struct entry *entry, struct openfile *file, struct err *err)
{
	const struct timespec poll = {0, POLL_NANOSECONDS};

	while (flock(file->fd, LOCK_EX | LOCK_NB) < 0) {
		int r;

		if (errno != EWOULDBLOCK)
			return err_sys(err, "cannot lock %s",
			    entry->partial_path);
		if (!openfile_at(file, entry->partial_path))
			return 0;
		if (atomic_load(&entry->store->closing) ||
		    atomic_load(&entry->opened) == 0)
			return err_set(err, ECANCELED,
			    "the fetch of blob %s was cancelled", entry->name);
		r = publish_foreign(entry, file, err);
		if (r < 0)
			return r;
		nanosleep(&poll, NULL);
	}
	return openfile_at(file, entry->partial_path);
}

static struct openfile *open_partial(struct entry *entry, struct err *err)
{
	int fd = path_open(entry->partial_path, err);

	return fd < 0 ? NULL : openfile_new(fd, err);
}

/* With the partial file locked: whether the blob is whole after all. */
static int take_whole(struct entry *entry, struct err *err)
{
	struct openfile *whole;
	int r = whole_open(entry->whole_path, &entry->digest, entry->size,
	    &whole, err);

	if (r == 1) {
		partial_drop(entry);
		entry_switch(entry, whole);
	}
	return r;
}

int partial_take(struct entry *entry, uint64_t *left, struct err *err)
{
	for (;;) {
		CLEANUP(openfile_put_p)
		struct openfile *file = open_partial(entry, err);
		int r = file ? lock(entry, file, err) : -err->code;

		if (r < 0)
			return r;
		if (r == 0)
			continue;
		r = take_whole(entry, err);
		if (r != 0)
			return r < 0 ? r : 0;
		r = file_size(file, left, err);
		if (r < 0)
			return r;
		/* All of it, and some checksums: it was about to be named. */
		if (*left > entry->size && whole_is_large(entry->size) &&
		    *left - entry->size <= sums_room(entry->size))
			*left = entry->size;
		if (*left <= entry->size) {
			entry_switch(entry, steal(&file));
			return 1;
		}
		log_debug(LOG_STORE, "%s is too long: removed",
		    entry->partial_path);
		partial_drop(entry);
	}
}

void partial_leave(struct entry *entry)
{
	flock(entry->file->fd, LOCK_UN);
}

void partial_drop(struct entry *entry)
{
	unlink(entry->partial_path);
}

uint64_t partial_size(const struct entry *entry)
{
	struct stat st;

	if (stat(entry->partial_path, &st) < 0)
		return 0;
	return (uint64_t)st.st_size < entry->size ? (uint64_t)st.st_size
						  : entry->size;
}
