/* SPDX-License-Identifier: Apache-2.0 */
/* The job that gets a blob's bytes from a source into its file. */
#include "fetch.h"

#include <errno.h>
#include <stdlib.h>

#include "base/file.h"
#include "base/log.h"
#include "evict.h"
#include "partial.h"
#include "settle.h"

enum {
	/* A connection may break now and then, but not for ever. */
	STALLS_MAX = 3,
	/* Large enough that the calls do not show beside the hashing. */
	REHASH_CHUNK = 256 * 1024,
	/* Configs and files, and not the layers of real images. */
	SMALL_BLOB = 128 << 10,
};

struct fetch {
	struct sink sink;
	struct entry *entry;
	struct hasher *hasher;
	uint64_t got; /* bytes in the file and in the hasher */
	bool made_room;
	bool abandoned;
	/* Why no more bytes are taken; code 0 while they are. */
	struct err stop;
};

/*
 * Whoever looked at the front of a large blob and went away should not cause
 * all of it to be transferred; what is half done is worth its end. What is
 * there stays, and the next reader continues from it.
 */
static bool unwanted(struct fetch *fetch)
{
	struct entry *entry = fetch->entry;

	if (atomic_load(&entry->opened) == 0 && fetch->got < entry->size / 2)
		fetch->abandoned = true;
	return fetch->abandoned || atomic_load(&entry->store->closing);
}

static int cancelled(struct fetch *fetch, struct err *err)
{
	return err_set(err, ECANCELED, "the fetch of blob %s was cancelled",
	    fetch->entry->name);
}

static int write_at(struct fetch *fetch, const void *data, size_t len,
    struct err *err)
{
	struct entry *entry = fetch->entry;

	if (file_pwrite(entry->file->fd, data, len, fetch->got, err) < 0)
		return err_wrap(err, "cannot keep blob %s in %s", entry->name,
		    entry->store->dir);
	return 0;
}

/* Once, what nobody uses makes room on a full disk. */
static int write_out(struct fetch *fetch, const void *data, size_t len,
    struct err *err)
{
	struct err full = ERR_INIT;
	int r = write_at(fetch, data, len, &full);

	if ((r == -ENOSPC || r == -EDQUOT) && !fetch->made_room) {
		fetch->made_room = true;
		evict(fetch->entry->store, fetch->entry->size - fetch->got);
		return write_at(fetch, data, len, err);
	}
	if (r < 0)
		*err = full;
	return r;
}

static int take_bytes(struct fetch *fetch, const void *data, size_t len,
    struct err *err)
{
	struct entry *entry = fetch->entry;
	int r;

	if (unwanted(fetch))
		return cancelled(fetch, err);
	if (len > entry->size - fetch->got)
		return err_set(err, EBADMSG,
		    "blob %s is longer than the %llu bytes it should have",
		    entry->name, (unsigned long long)entry->size);
	r = write_out(fetch, data, len, err);
	if (r == 0)
		r = hasher_update(fetch->hasher, data, len, err);
	if (r < 0)
		return r;
	fetch->got += len;
	entry_publish(entry, fetch->got);
	atomic_fetch_add(&entry->store->fetched, len);
	store_grew(entry->store, len);
	return 0;
}

static int sink_take(struct sink *sink, const void *data, size_t len,
    struct err *err)
{
	struct fetch *fetch = (struct fetch *)sink;

	if (fetch->stop.code == 0 &&
	    take_bytes(fetch, data, len, &fetch->stop) == 0)
		return 0;
	*err = fetch->stop;
	return -err->code;
}

/* Hashes what an earlier fetch left in the file. */
static int take_leftover(struct fetch *fetch, uint64_t left, struct err *err)
{
	AUTO_FREE char *chunk = left ? malloc(REHASH_CHUNK) : NULL;

	if (left && !chunk)
		return err_nomem(err);
	while (fetch->got < left) {
		ssize_t n = file_pread(fetch->entry->file->fd, chunk,
		    REHASH_CHUNK, fetch->got, err);
		int r;

		if (n < 0)
			return (int)n;
		if (n == 0)
			return err_set(err, EIO, "%s became shorter",
			    fetch->entry->partial_path);
		if (unwanted(fetch))
			return cancelled(fetch, err);
		r = hasher_update(fetch->hasher, chunk, (size_t)n, err);
		if (r < 0)
			return r;
		fetch->got += (uint64_t)n;
		entry_publish(fetch->entry, fetch->got);
	}
	return 0;
}

/* Asking again would only get the same answer. */
static bool is_final(int r)
{
	return r == -ENOENT || r == -EACCES || r == -EPERM;
}

static int transfer_from(struct fetch *fetch, const struct store_source *source,
    struct err *err)
{
	struct entry *entry = fetch->entry;
	unsigned stalls = 0;

	for (;;) {
		uint64_t before = fetch->got;
		int r = source->fetch(source->arg, &entry->digest, before, 0,
		    &fetch->sink, err);

		if (fetch->stop.code) {
			*err = fetch->stop;
			return -err->code;
		}
		if (fetch->got == entry->size)
			return 0;
		if (unwanted(fetch))
			return cancelled(fetch, err);
		if (r == 0)
			r = err_set(err, EBADMSG,
			    "blob %s ends after %llu of %llu bytes",
			    entry->name, (unsigned long long)fetch->got,
			    (unsigned long long)entry->size);
		stalls = fetch->got > before ? 0 : stalls + 1;
		if (is_final(r) || stalls == STALLS_MAX)
			return r;
	}
}

static int transfer(struct fetch *fetch, struct err *err)
{
	struct store_source source;
	int r = err_set(err, EIO, "blob %s has no source any more",
	    fetch->entry->name);

	for (unsigned i = 0; entry_source(fetch->entry, i, &source); i++) {
		r = transfer_from(fetch, &source, err);
		if (r == 0 || fetch->stop.code || unwanted(fetch))
			break;
	}
	return r;
}

static int verify(struct fetch *fetch, struct err *err)
{
	struct digest found;
	char text[DIGEST_TEXT_SIZE];
	int r = hasher_finish(fetch->hasher, &found, err);

	if (r < 0)
		return r;
	if (!digest_equal(&found, &fetch->entry->digest))
		return err_set(err, EBADMSG,
		    "blob %s: the bytes that came have the digest %s",
		    fetch->entry->name, digest_format(&found, text));
	return 0;
}

/* Fills the entry's file, of which there are `left` bytes, and checks it. */
static int fill(struct fetch *fetch, uint64_t left, struct err *err)
{
	struct entry *entry = fetch->entry;
	CLEANUP(hasher_free_p)
	struct hasher *hasher = hasher_new(entry->digest.algorithm, err);
	int r;

	if (!hasher)
		return -err->code;
	fetch->hasher = hasher;
	fetch->got = 0;
	fetch->stop.code = 0;
	r = take_leftover(fetch, left, err);
	if (r == 0 && fetch->got < entry->size)
		r = transfer(fetch, err);
	return r < 0 ? r : verify(fetch, err);
}

static int fetch_blob(struct fetch *fetch, struct err *err)
{
	struct entry *entry = fetch->entry;

	for (;;) {
		uint64_t left;
		int r = partial_take(entry, &left, err);

		fetch->abandoned =
		    r == -ECANCELED && !atomic_load(&entry->store->closing);
		if (r <= 0)
			return r;
		log_debug(LOG_STORE, "fetch of %s, from byte %llu", entry->name,
		    (unsigned long long)left);
		r = fill(fetch, left, err);
		if (r == 0)
			return 1;
		/* Wrong bytes are of no use, and a cache is no reason for a
		 * disk to be full. */
		if (r == -EBADMSG || r == -ENOSPC || r == -EDQUOT)
			partial_drop(entry);
		partial_leave(entry);
		if (r != -EBADMSG || left == 0)
			return r;
		/* Was it our leftover? Without it the answer is certain. */
	}
}

static void fetch_run(void *arg)
{
	CLEANUP(entry_put_p) struct entry *entry = arg;
	struct fetch fetch = {.sink = {sink_take}, .entry = entry};
	struct err err = ERR_INIT;
	int r = fetch_blob(&fetch, &err);

	if (r >= 0)
		entry_complete(entry);
	if (r == 1)
		settle_start(entry);
	if (r == -EBADMSG)
		atomic_fetch_add(&entry->store->mismatches, 1);
	if (r < 0)
		entry_fail(entry, fetch.abandoned ? NULL : &err);
}

int fetch_start(struct entry *entry, struct err *err)
{
	struct store *store = entry->store;
	int r;

	entry_get(entry);
	r = pool_submit(entry->size <= SMALL_BLOB ? store->small_fetchers
						  : store->fetchers,
	    fetch_run, entry, err);
	if (r < 0)
		/* The caller has another one. */
		atomic_fetch_sub(&entry->refs, 1);
	else
		atomic_fetch_add(&store->fetches, 1);
	return r;
}
