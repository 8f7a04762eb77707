/* SPDX-License-Identifier: Apache-2.0 */
/* The job that gets a blob's bytes from a source into its file. */
#include "fetch.h"

#include <errno.h>
#include <stdlib.h>

#include "base/budget.h"
#include "base/container.h"
#include "base/file.h"
#include "base/log.h"
#include "cache/room.h"
#include "partial.h"
#include "settle.h"
#include "transfer/delivery.h"
#include "whole.h"

enum {
	/* Large enough that the calls do not show beside the hashing. */
	REHASH_CHUNK = 256 * 1024,
	/* Configs and files, and not the layers of real images. */
	SMALL_BLOB = 128 << 10,
};

struct fetch {
	/* `at` is how many bytes are in the file and in the hasher. */
	struct delivery delivery;
	struct entry *entry;
	struct hasher *hasher;
	struct sums *sums; /* of a large blob, as far as it is hashed */
	bool quiet;        /* readers have nothing before all is hashed */
	bool abandoned;

	uint64_t left;         /* bytes in the file when it was taken */
	bool diskless;         /* the disk keeps no more of it */
	struct unkept *unkept; /* then the entry's, or to become it */
	bool hurried;          /* nobody reads what passes */
};

/* What is in the file is the blob's next bytes. */
static int hash(struct fetch *fetch, const void *data, size_t len,
    struct err *err)
{
	int r = hasher_update(fetch->hasher, data, len, err);

	if (r == 0 && fetch->unkept)
		r = digests_add(fetch->unkept->digests, data, len, err);
	return r == 0 && fetch->sums ? sums_add(fetch->sums, data, len, err)
				     : r;
}

/*
 * A reader who looked at the front of a large blob and left should not cause
 * all of it to be transferred; what is half done is worth its end, where it is
 * kept. What is there stays, and the next reader continues from it.
 */
static bool unwanted(struct delivery *delivery)
{
	struct fetch *fetch = container_of(delivery, struct fetch, delivery);
	struct entry *entry = fetch->entry;

	if (atomic_load(&entry->opened) == 0 &&
	    (fetch->unkept || delivery->at < entry->size / 2))
		fetch->abandoned = true;
	return fetch->abandoned || atomic_load(&entry->store->closing);
}

static int take_bytes(struct delivery *delivery, const void *data, size_t len,
    struct err *err)
{
	struct fetch *fetch = container_of(delivery, struct fetch, delivery);
	struct entry *entry = fetch->entry;
	int r = 0;

	if (!fetch->unkept)
		r = delivery_write(delivery, entry->file->fd, data, len,
		    delivery->at, err);
	if (r == 0)
		r = hash(fetch, data, len, err);
	if (r < 0)
		return r;
	if (!fetch->unkept)
		entry_publish(entry, delivery->at + len);
	else if (!entry_pass(entry, data, len, delivery->at, !fetch->hurried))
		fetch->hurried = true;
	return 0;
}

/* Hashes what is in the file already: an earlier fetch left it. */
static int take_leftover(struct fetch *fetch, uint64_t left, struct err *err)
{
	struct delivery *delivery = &fetch->delivery;
	AUTO_FREE char *chunk = left ? malloc(REHASH_CHUNK) : NULL;

	if (left && !chunk)
		return err_nomem(err);
	while (delivery->at < left) {
		uint64_t rest = left - delivery->at;
		ssize_t n = file_pread(fetch->entry->file->fd, chunk,
		    rest < REHASH_CHUNK ? (size_t)rest : REHASH_CHUNK,
		    delivery->at, err);
		int r;

		if (n < 0)
			return (int)n;
		if (n == 0)
			return err_set(err, EIO,
			    "the file of blob %s became shorter",
			    fetch->entry->name);
		if (unwanted(delivery))
			return delivery_cancelled(delivery, err);
		r = hash(fetch, chunk, (size_t)n, err);
		if (r < 0)
			return r;
		delivery->at += (uint64_t)n;
		if (!fetch->quiet)
			entry_publish(fetch->entry, delivery->at);
	}
	return 0;
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
		    "blob %s: the received bytes have the digest %s",
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
	fetch->delivery.at = 0;
	sums_free(steal(&fetch->sums));
	if (whole_is_large(entry->size) && !fetch->unkept &&
	    !(fetch->sums = sums_new(err)))
		return -err->code;
	r = take_leftover(fetch, left, err);
	if (r == 0 && fetch->unkept)
		entry_forgo(entry, fetch->unkept, left > 0);
	if (r == 0 && fetch->delivery.at < entry->size)
		r = delivery_run(&fetch->delivery, err);
	return r < 0 ? r : verify(fetch, err);
}

/* Hashes a whole blob of which nothing else is known: 1, or 0 if it was no
 * blob, and is removed. */
static int prove(struct fetch *fetch, struct err *err)
{
	struct entry *entry = fetch->entry;
	struct err reason = ERR_INIT;
	int r;

	fetch->quiet = true;
	r = fill(fetch, entry->size, &reason);
	fetch->quiet = false;
	if (r == 0)
		return 1;
	if (r == -EBADMSG || r == -EIO)
		return whole_drop(entry->whole_path, entry->file, &reason, err);
	*err = reason;
	return r;
}

/* Where the disk has room for what is still to come. */
static int fill_file(struct fetch *fetch, struct err *err)
{
	struct entry *entry = fetch->entry;
	int r = room_check(entry->store, entry->size - fetch->left, err);

	fetch->diskless = r < 0;
	fetch->delivery.at = fetch->left;
	if (r < 0)
		return r;
	r = fill(fetch, fetch->left, err);
	fetch->diskless = r < 0 && fetch->delivery.unwritten;
	return r;
}

/* The entry's file, as partial_take() has it. */
static int take(struct fetch *fetch, struct err *err)
{
	struct entry *entry = fetch->entry;
	int r = atomic_load(&entry->unkeepable)
		    ? err_set(err, EIO, "%s could not keep blob %s before",
			  entry->store->dir, entry->name)
		    : partial_take(entry, &fetch->left, err);

	fetch->abandoned =
	    r == -ECANCELED && !atomic_load(&entry->store->closing);
	fetch->diskless = r < 0 && r != -ECANCELED;
	fetch->delivery.at = 0;
	return r;
}

/* Whether bytes that were wrong come from another server the next time. */
static bool is_elsewhere(const struct fetch *fetch)
{
	struct entry *entry = fetch->entry;

	return sources_wrong(&entry->sources, &entry->digest);
}

/* 1, or 0 where the blob is there already. */
static int keep_blob(struct fetch *fetch, struct err *err)
{
	struct entry *entry = fetch->entry;

	for (;;) {
		int r = take(fetch, err);

		if (r == 0 && !whole_is_proven(entry->file, entry->size)) {
			r = prove(fetch, err);
			if (r == 0)
				continue;
			fetch->diskless = r < 0 && r != -ECANCELED;
			fetch->delivery.at = 0;
			return r < 0 ? r : 0;
		}
		if (r <= 0)
			return r;
		log_debug(LOG_STORE, "fetch of %s, from byte %llu", entry->name,
		    (unsigned long long)fetch->left);
		r = fill_file(fetch, err);
		if (r == 0)
			return 1;
		/* Wrong bytes are of no use, nor is an empty file; a cache is
		 * no reason for a disk to be full. */
		if (r == -EBADMSG || fetch->diskless ||
		    (fetch->left == 0 && fetch->delivery.at == 0))
			partial_drop(entry);
		partial_leave(entry);
		if (r != -EBADMSG)
			return r;
		if (is_elsewhere(fetch)) {
			log_warn("%s: it is fetched from elsewhere", err->msg);
			continue;
		}
		if (fetch->left == 0)
			return r;
		/* Was it our leftover? Without it the answer is certain. */
		log_warn("the kept part of blob %s is fetched again: %s",
		    entry->name, err->msg);
	}
}

/* The blob passes, after the first bytes, which are in the entry's file. */
static int pass(struct fetch *fetch, uint64_t first, struct err *err)
{
	struct entry *entry = fetch->entry;
	const struct unkept of = {.store = entry->store,
	    .digest = &entry->digest,
	    .name = entry->name,
	    .sources = &entry->sources,
	    .size = entry->size};
	int r;

	fetch->unkept = unkept_new(&of, err);
	if (!fetch->unkept)
		return -err->code;
	r = fill(fetch, first, err);
	if (r == 0)
		r = digests_end(fetch->unkept->digests, err);
	if (entry->unkept != fetch->unkept)
		unkept_free(fetch->unkept);
	return r;
}

/* The same where the disk keeps no more of it, because of err. Was what it has
 * of it wrong, all comes again. */
static int pass_blob(struct fetch *fetch, struct err *err)
{
	struct entry *entry = fetch->entry;
	uint64_t first = entry->file ? fetch->delivery.at : 0;
	int r;

	room_lacks(entry->store, err);
	*err = (struct err)ERR_INIT;
	r = pass(fetch, first, err);
	if (r == -EBADMSG && (is_elsewhere(fetch) || first > 0)) {
		*err = (struct err)ERR_INIT;
		r = pass(fetch, 0, err);
	}
	return r;
}

/* Hashes the blob where a source has it as a file: 1, or 0 where none has. */
static int hash_in_place(struct fetch *fetch, struct err *err)
{
	struct entry *entry = fetch->entry;
	struct openfile *file;
	int64_t time;
	int r = openfile_in_place(&entry->sources, &entry->digest, entry->size,
	    &file, err);

	if (r <= 0)
		return r;
	entry_switch(entry, openfile_get(file));
	r = fill(fetch, entry->size, err);
	if (r == 0 && openfile_changed(file, &time))
		r = err_set(err, EBADMSG,
		    "the file of blob %s was changed while it was read",
		    entry->name);
	openfile_put(file);
	return r < 0 ? r : 1;
}

/* What a fetch has come to. */
enum outcome {
	OUTCOME_FOUND, /* the blob was kept already */
	OUTCOME_KEPT,
	OUTCOME_PASSED,
	OUTCOME_IN_PLACE,
};

static int fetch_blob(struct fetch *fetch, struct err *err)
{
	int r = hash_in_place(fetch, err);

	if (r != 0)
		return r < 0 ? r : OUTCOME_IN_PLACE;
	r = keep_blob(fetch, err);
	if (r >= 0 || !fetch->diskless)
		return r < 0 ? r : r == 0 ? OUTCOME_FOUND : OUTCOME_KEPT;
	r = pass_blob(fetch, err);
	return r < 0 ? r : OUTCOME_PASSED;
}

/* It is the blob. Where it was found it has its name already, though maybe not
 * the checksums that were taken now. */
static void complete(struct fetch *fetch, enum outcome outcome)
{
	const bool found = outcome == OUTCOME_FOUND;
	struct entry *entry = fetch->entry;
	CLEANUP(openfile_put_p)
	struct openfile *file = openfile_get(entry->file);
	bool was_proven = found && whole_is_proven(file, entry->size);

	if (fetch->sums && !was_proven)
		sums_note(fetch->sums);
	entry_complete(entry, was_proven ? NULL : steal(&fetch->sums));
	if (found && !was_proven)
		whole_note_sums(entry->whole_path, file);
	if (outcome == OUTCOME_KEPT)
		settle_start(entry, file);
}

static void fetch_run(void *arg)
{
	CLEANUP(entry_put_p) struct entry *entry = arg;
	struct fetch fetch = {
	    .delivery = {.store = entry->store,
		.digest = &entry->digest,
		.name = entry->name,
		.sources = &entry->sources,
		.end = entry->size,
		.to_end = true,
		.take = take_bytes,
		.unwanted = unwanted},
	    .entry = entry,
	};
	struct err err = ERR_INIT;
	int r;

	budget_be_patient();
	r = fetch_blob(&fetch, &err);

	if (r == OUTCOME_PASSED)
		entry_passed(entry);
	else if (r >= 0)
		complete(&fetch, (enum outcome)r);
	sums_free(fetch.sums);
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
		atomic_fetch_sub(&entry->shared.refs, 1);
	else
		atomic_fetch_add(&store->fetches, 1);
	return r;
}
