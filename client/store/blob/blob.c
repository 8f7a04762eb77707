/* SPDX-License-Identifier: Apache-2.0 */
/* A blob as one of its users has it. */
#include <errno.h>
#include <stdlib.h>

#include "await.h"
#include "base/file.h"
#include "partial.h"
#include "whole.h"

/* A file that is damaged again and again is not to be fetched for ever. */
enum { TRIES = 3 };

struct blob {
	struct entry *entry;

	/* In the entry's monitor. */
	bool early;     /* bytes were served before the digest was known, */
	uint64_t epoch; /* from the entry's file of that epoch */
};

static int blob_new(struct store *store, const struct digest *digest,
    uint64_t size, struct blob **out, struct err *err)
{
	AUTO_FREE struct blob *blob = calloc(1, sizeof(*blob));
	int r;

	if (!blob)
		return err_nomem(err);
	r = entry_find(store, digest, size, &blob->entry, err);
	if (r < 0)
		return err_wrap(err, "cannot open a blob of the store");
	/* Who was the last to have it open may still be about to forget it. */
	if (atomic_fetch_add(&blob->entry->opened, 1) == 0)
		entry_keep(blob->entry);
	*out = steal(&blob);
	return 0;
}

int store_get(struct store *store, const struct digest *digest, uint64_t size,
    const struct store_source *source, struct blob **out, struct err *err)
{
	int r = digest_check_size(digest, size, err);

	if (r == 0)
		r = blob_new(store, digest, size, out, err);
	if (r < 0)
		source->release(source->arg);
	else
		entry_add_source((*out)->entry, source);
	return r;
}

void blob_put(struct blob *blob)
{
	if (!blob)
		return;
	atomic_fetch_sub(&blob->entry->opened, 1);
	entry_put(blob->entry);
	free(blob);
}

uint64_t blob_size(const struct blob *blob)
{
	return blob->entry->size;
}

/* Whether bytes were served of which nobody knows yet that they are right. In
 * the monitor. */
static bool is_doubtful(const struct blob *blob)
{
	return blob->early && blob->epoch != blob->entry->right;
}

/*
 * Early bytes are served before the digest is known. When they turn out wrong
 * and another fetch succeeds, the rest must not be served as if it belonged to
 * them: a reader who had some of them gets this error, once. In the monitor.
 */
static int check_epoch(struct blob *blob, struct err *err)
{
	const struct entry *entry = blob->entry;
	bool other = is_doubtful(blob) && blob->epoch != entry->epoch;

	if (other && entry->wrong.code) {
		*err = entry->wrong;
		return -err->code;
	}
	if (other)
		return err_set(err, EBADMSG,
		    "blob %s was fetched again; bytes that were read earlier "
		    "were never verified",
		    entry->name);
	blob->early = !entry->whole;
	blob->epoch = entry->epoch;
	return 0;
}

/* A place where bytes of the blob are. */
struct blob_place {
	struct openfile *file; /* NULL: in none */
	bool whole;            /* it was right as a whole */
	struct unkept *unkept; /* where that is read from no file */
};

static void place_release(struct blob_place *place)
{
	openfile_put(place->file);
}

/* Where the bytes are that are read, once all before end are there. What is in
 * no file, and passes, is copied at once. */
static int await(struct blob *blob, void *data, size_t len, uint64_t off,
    uint64_t end, struct blob_place *out, struct err *err)
{
	struct entry *entry = blob->entry;
	int r;

	monitor_enter(&entry->monitor);
	r = entry_await(entry, off, end, err);
	if (r == 0)
		r = check_epoch(blob, err);
	if (r == 0) {
		out->whole = entry->whole;
		out->file = entry->file ? openfile_get(entry->file) : NULL;
		out->unkept = entry->file ? NULL : entry->unkept;
		if (out->unkept && !out->whole)
			unkept_copy(entry->unkept, data, len, off);
	} else if (r == -EBADMSG)
		blob->early = false; /* now its user knows */
	monitor_leave(&entry->monitor);
	return r;
}

static int read_plain(const struct openfile *file, void *data, size_t len,
    uint64_t off, struct err *err)
{
	ssize_t n = file_pread(file->fd, data, len, off, err);

	if (n < 0)
		return (int)n;
	return (size_t)n == len ? 0
				: err_set(err, EIO, "its file became shorter");
}

/* Whether the file is to be verified again, as somebody has changed it: large
 * ones block by block, as they are read. */
static int check_change(const struct entry *entry, struct openfile *file,
    struct err *err)
{
	int64_t time;
	int r = 0;

	if (!openfile_changed(file, &time))
		return 0;
	if (file->in_place)
		return err_set(err, EBADMSG, "its file was changed");
	if (file->sums)
		sums_forget(file->sums);
	else
		r = whole_check(file, entry->size, &entry->digest, err);
	if (r == 0)
		openfile_saw(file, time);
	return r;
}

static int read_place(const struct entry *entry, const struct blob_place *place,
    void *data, size_t len, uint64_t off, struct err *err)
{
	struct openfile *file = place->file;
	int r;

	if (!file)
		return place->whole
			   ? unkept_read(place->unkept, data, len, off, 0, err)
			   : 0;
	r = place->whole ? check_change(entry, file, err) : 0;
	if (r < 0)
		return r;
	return place->whole && file->sums
		   ? sums_read(file->sums, file->fd, data, len, off, err)
		   : read_plain(file, data, len, off, err);
}

/* Reads what is there before end: 1; 0 where it was damaged, as `damage` says,
 * and is to be fetched again; or an error. */
static int read_once(struct blob *blob, void *data, size_t len, uint64_t off,
    uint64_t end, struct err *damage, struct err *err)
{
	struct entry *entry = blob->entry;
	CLEANUP(place_release) struct blob_place place = {NULL, false, NULL};
	int r = await(blob, data, len, off, end, &place, err);

	if (r < 0)
		return r;
	if (place.whole && place.unkept && unkept_may_end(place.unkept)) {
		entry_keep(entry);
		return 0;
	}
	r = read_place(entry, &place, data, len, off, damage);
	if (r == 0)
		return 1;
	if (place.file && place.whole && (r == -EBADMSG || r == -EIO)) {
		entry_drop(entry, place.file, damage);
		return 0;
	}
	*err = *damage;
	return err_wrap(err, "blob %s", entry->name);
}

/* Reads at off when all before the blob's byte `end` is there. */
static ssize_t read_behind(struct blob *blob, void *data, size_t len,
    uint64_t off, uint64_t end, struct err *err)
{
	struct err damage = ERR_INIT;
	int r = 0;

	for (int i = 0; r == 0 && i < TRIES; i++)
		r = read_once(blob, data, len, off, end, &damage, err);
	if (r == 0)
		return err_set(err, EIO,
		    "blob %s was damaged each time that it was fetched: %s",
		    blob->entry->name, damage.msg);
	return r < 0 ? r : (ssize_t)len;
}

/* How many of len bytes at off are in the blob. */
static size_t clip(const struct blob *blob, size_t len, uint64_t off)
{
	uint64_t left = off < blob->entry->size ? blob->entry->size - off : 0;

	return left < len ? (size_t)left : len;
}

ssize_t blob_read(struct blob *blob, void *data, size_t len, uint64_t off,
    struct err *err)
{
	size_t clipped = clip(blob, len, off);

	/* A read that goes past the end learns whether the digest is right. */
	if (len == 0)
		return 0;
	if (off > blob->entry->size)
		off = blob->entry->size;
	return read_behind(blob, data, clipped, off, off + clipped, err);
}

ssize_t blob_read_verified(struct blob *blob, void *data, size_t len,
    uint64_t off, struct err *err)
{
	size_t clipped = clip(blob, len, off);

	return clipped == 0 ? 0
			    : read_behind(blob, data, clipped, off,
				  blob->entry->size, err);
}

uint64_t blob_cached(struct blob *blob)
{
	struct entry *entry = blob->entry;
	uint64_t have;
	bool known;

	monitor_enter(&entry->monitor);
	have = entry->unkept ? 0 : entry->have;
	known = entry->whole || entry->fetch.taken;
	monitor_leave(&entry->monitor);
	return known ? have : partial_size(entry);
}

uint64_t blob_epoch(struct blob *blob)
{
	struct entry *entry = blob->entry;
	uint64_t epoch;

	monitor_enter(&entry->monitor);
	epoch = entry->epoch;
	monitor_leave(&entry->monitor);
	return epoch;
}

uint64_t blob_unverified(struct blob *blob)
{
	struct entry *entry = blob->entry;
	uint64_t epoch = 0;

	monitor_enter(&entry->monitor);
	if (is_doubtful(blob))
		epoch = blob->epoch;
	monitor_leave(&entry->monitor);
	return epoch;
}

bool blob_verified(struct blob *blob)
{
	struct entry *entry = blob->entry;
	bool whole;

	monitor_enter(&entry->monitor);
	whole = entry->whole;
	monitor_leave(&entry->monitor);
	return whole;
}
