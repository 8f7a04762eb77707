/* SPDX-License-Identifier: Apache-2.0 */
/* A blob as one of its users has it. */
#include <errno.h>
#include <stdlib.h>

#include "base/file.h"
#include "entry.h"
#include "partial.h"

struct blob {
	struct entry *entry;

	/* In the entry's monitor. */
	bool served;    /* bytes of it were read */
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
	atomic_fetch_add(&blob->entry->opened, 1);
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

/*
 * Early bytes are served before the digest is known. When they turn out wrong
 * and another fetch succeeds, the rest must not be served as if it belonged to
 * them: whoever had some of them gets this error, once. In the monitor.
 */
static int check_epoch(struct blob *blob, struct err *err)
{
	const struct entry *entry = blob->entry;

	if (blob->served && blob->epoch != entry->epoch &&
	    entry->failure.code == EBADMSG) {
		*err = entry->failure; /* says what was wrong with them */
		return -err->code;
	}
	if (blob->served && blob->epoch != entry->epoch)
		return err_set(err, EBADMSG,
		    "blob %s came anew, and what was read of it before was "
		    "never verified",
		    entry->name);
	blob->served = true;
	blob->epoch = entry->epoch;
	return 0;
}

/* The file where the bytes before end are, once they are there. */
static int await(struct blob *blob, uint64_t end, struct openfile **file,
    struct err *err)
{
	struct entry *entry = blob->entry;
	int r;

	monitor_enter(&entry->monitor);
	r = entry_await(entry, end, err);
	if (r == 0)
		r = check_epoch(blob, err);
	if (r == 0)
		*file = openfile_get(entry->file);
	else if (r == -EBADMSG)
		blob->served = false; /* now its user knows */
	monitor_leave(&entry->monitor);
	return r;
}

ssize_t blob_read(struct blob *blob, void *data, size_t len, uint64_t off,
    struct err *err)
{
	const struct entry *entry = blob->entry;
	CLEANUP(openfile_put_p) struct openfile *file = NULL;
	ssize_t n;
	int r;

	if (len == 0)
		return 0;
	if (off > entry->size)
		off = entry->size;
	if (len > entry->size - off)
		len = (size_t)(entry->size - off);
	r = await(blob, off + len, &file, err);
	if (r < 0)
		return r;
	n = file_pread(file->fd, data, len, off, err);
	if (n < 0)
		return err_wrap(err, "blob %s", entry->name);
	if ((size_t)n < len)
		return err_set(err, EIO, "the file of blob %s became shorter",
		    entry->name);
	return n;
}

uint64_t blob_cached(struct blob *blob)
{
	struct entry *entry = blob->entry;
	uint64_t have;
	bool known;

	monitor_enter(&entry->monitor);
	have = entry->have;
	known = entry->whole || entry->fetching;
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
	if (blob->served && !(entry->whole && blob->epoch == entry->epoch))
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
