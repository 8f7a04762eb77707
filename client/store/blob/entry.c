/* SPDX-License-Identifier: Apache-2.0 */
/* The table of blobs in use, and how they change. */
#include "entry.h"

#include <errno.h>
#include <stdlib.h>

#include "base/container.h"
#include "base/strf.h"
#include "cache/path.h"
#include "cache/use.h"
#include "whole.h"

enum {
	SECOND_NANOSECONDS = 1000 * 1000 * 1000,
	/* A blob that is not kept waits so long for a reader who does not go
	 * on, and looks that often whether there is one. */
	MOMENT_NANOSECONDS = SECOND_NANOSECONDS / 10,
	PATIENCE_MOMENTS = 50,
};

static void entry_free(struct entry *entry)
{
	unkept_free(entry->unkept);
	unkept_free(entry->retired);
	sources_release(&entry->sources);
	openfile_put(entry->file);
	monitor_release(&entry->monitor);
	free(entry->shared.key);
	free(entry->whole_path);
	free(entry->partial_path);
	free(entry);
}

DEFINE_CLEANUP(struct entry *, entry_free);

/* The size is in the key: a manifest that lies about it must not be in the way
 * of one that does not. */
static char *make_key(const struct digest *digest, uint64_t size)
{
	char text[DIGEST_TEXT_SIZE];

	return strf("%s/%llu", digest_format(digest, text),
	    (unsigned long long)size);
}

static struct entry *entry_new(struct store *store, const struct digest *digest,
    uint64_t size, struct err *err)
{
	struct entry *entry = calloc(1, sizeof(*entry));

	if (!entry) {
		err_nomem(err);
		return NULL;
	}
	entry->store = store;
	entry->digest = *digest;
	entry->size = size;
	digest_format(digest, entry->name);
	shared_init(&entry->shared, make_key(digest, size));
	entry->whole_path = path_whole(store->dir, digest);
	entry->partial_path = path_partial(store->dir, digest);
	entry->wanted = UINT64_MAX;
	sources_init(&entry->sources);
	atomic_init(&entry->opened, 0);
	atomic_init(&entry->unkeepable, false);
	monitor_init(&entry->monitor);
	if (!entry->shared.key || !entry->whole_path || !entry->partial_path) {
		entry_free(entry);
		err_nomem(err);
		return NULL;
	}
	return entry;
}

int entry_find(struct store *store, const struct digest *digest, uint64_t size,
    struct entry **out, struct err *err)
{
	AUTO_FREE char *key = make_key(digest, size);
	CLEANUP(entry_free_p) struct entry *fresh = NULL;
	struct shared *found;
	int r;

	if (!key)
		return err_nomem(err);
	found = shared_find(store, key);
	if (found) {
		*out = container_of(found, struct entry, shared);
		return 0;
	}
	fresh = entry_new(store, digest, size, err);
	if (!fresh)
		return -err->code;
	r = whole_open(fresh->whole_path, digest, size, &fresh->file, err);
	if (r < 0)
		return r;
	if (r == 1 && !whole_is_proven(fresh->file, size))
		openfile_put(steal(&fresh->file));
	if (fresh->file) {
		fresh->whole = true;
		fresh->have = size;
		atomic_fetch_add(&store->hits, 1);
	}
	r = shared_add(store, &fresh->shared, &found, err);
	if (r < 0)
		return r;
	if (found == &fresh->shared)
		steal(&fresh);
	*out = container_of(found, struct entry, shared);
	return 0;
}

/* In the monitor. Before it has its name: afterwards the name says whether it
 * still is the blob. */
static bool is_settling(const struct entry *entry)
{
	return entry->whole && entry->file &&
	       openfile_at(entry->file, entry->partial_path);
}

int entry_settling(struct store *store, const struct digest *digest,
    uint64_t size, struct openfile **out, struct err *err)
{
	AUTO_FREE char *key = make_key(digest, size);
	CLEANUP(entry_put_p) struct entry *entry = NULL;
	struct shared *found;
	int r = 0;

	if (!key)
		return err_nomem(err);
	found = shared_find(store, key);
	if (!found)
		return 0;
	entry = container_of(found, struct entry, shared);
	monitor_enter(&entry->monitor);
	if (is_settling(entry)) {
		*out = openfile_get(entry->file);
		r = 1;
	}
	monitor_leave(&entry->monitor);
	return r;
}

struct entry *entry_get(struct entry *entry)
{
	shared_get(&entry->shared);
	return entry;
}

void entry_put(struct entry *entry)
{
	struct store *store = entry->store;

	if (!shared_put(store, &entry->shared))
		return;
	if (entry->whole && entry->file && !entry->file->in_place)
		use_note(entry->file->fd);
	entry_free(entry);
	store_eased(store);
}

void entry_add_source(struct entry *entry, const struct store_source *source)
{
	/* Also where the blob is there: it may turn out damaged. */
	sources_add(&entry->sources, source);
}

void entry_switch(struct entry *entry, struct openfile *file)
{
	CLEANUP(openfile_put_p) struct openfile *old = NULL;

	monitor_enter(&entry->monitor);
	old = entry->file;
	/* It stayed open until here, so no other file can have its number;
	 * but what is not ours may have got other bytes. */
	if (!old || file->in_place || !openfile_same(old, file)) {
		entry->epoch = atomic_fetch_add(&entry->store->epochs, 1) + 1;
		entry->have = 0;
	}
	entry->file = file;
	monitor_leave(&entry->monitor);
}

void entry_publish(struct entry *entry, uint64_t have)
{
	monitor_enter(&entry->monitor);
	if (have > entry->have)
		entry->have = have;
	/* Who waits for more need not be woken for less. */
	if (entry->have >= entry->wanted) {
		entry->wanted = UINT64_MAX;
		monitor_notify(&entry->monitor);
	}
	monitor_leave(&entry->monitor);
}

void entry_forgo(struct entry *entry, struct unkept *unkept, bool same)
{
	CLEANUP(openfile_put_p) struct openfile *file = NULL;
	struct unkept *before;

	monitor_enter(&entry->monitor);
	file = steal(&entry->file);
	before = entry->unkept;
	entry->unkept = unkept;
	entry->hurried = false;
	entry->have = 0;
	if (!same)
		entry->epoch = atomic_fetch_add(&entry->store->epochs, 1) + 1;
	monitor_leave(&entry->monitor);
	unkept_free(before);
}

/* In the monitor, which it leaves for a moment. */
static void wait_moment(struct entry *entry)
{
	struct timespec end;

	clock_gettime(CLOCK_MONOTONIC, &end);
	end.tv_nsec += MOMENT_NANOSECONDS;
	if (end.tv_nsec >= SECOND_NANOSECONDS) {
		end.tv_nsec -= SECOND_NANOSECONDS;
		end.tv_sec++;
	}
	monitor_wait_until(&entry->monitor, &end);
}

/* In the monitor: waits for who reads what passes. Whether one does. */
static bool await_readers(struct entry *entry, size_t len)
{
	uint64_t asked = entry->asked;
	int moments = 0;

	while (!unkept_may_pass(entry->unkept, len, entry->asked)) {
		if (entry->asked != asked)
			moments = 0;
		asked = entry->asked;
		if (moments++ == PATIENCE_MOMENTS || entry->hurried ||
		    atomic_load(&entry->store->closing) ||
		    atomic_load(&entry->opened) == 0)
			return false;
		wait_moment(entry);
	}
	return true;
}

bool entry_pass(struct entry *entry, const void *data, size_t len, uint64_t off,
    bool wait)
{
	bool followed;

	monitor_enter(&entry->monitor);
	followed = wait && await_readers(entry, len);
	unkept_pass(entry->unkept, data, len, off);
	if (off + len >= entry->wanted) {
		entry->wanted = UINT64_MAX;
		monitor_notify(&entry->monitor);
	}
	monitor_leave(&entry->monitor);
	return followed;
}

/* In the monitor. */
static void end_fetch(struct entry *entry, const struct err *failure)
{
	entry->wanted = UINT64_MAX;
	turn_end(&entry->fetch, &entry->monitor, failure);
}

void entry_complete(struct entry *entry, struct sums *sums)
{
	monitor_enter(&entry->monitor);
	if (sums)
		entry->file->sums = sums;
	entry->whole = true;
	entry->right = entry->epoch;
	entry->have = entry->size;
	end_fetch(entry, NULL);
	monitor_leave(&entry->monitor);
}

void entry_passed(struct entry *entry)
{
	struct piece *window;

	monitor_enter(&entry->monitor);
	window = unkept_take_window(entry->unkept);
	monitor_leave(&entry->monitor);
	unkept_list_window(entry->unkept, window);
	entry_complete(entry, NULL);
}

void entry_keep(struct entry *entry)
{
	monitor_enter(&entry->monitor);
	if (entry->whole && entry->unkept) {
		entry->unkept->before = entry->retired;
		entry->retired = steal(&entry->unkept);
		entry->whole = false;
		entry->have = 0;
		atomic_store(&entry->unkeepable, false);
	}
	monitor_leave(&entry->monitor);
}

void entry_fail(struct entry *entry, const struct err *err)
{
	struct unkept *unused;

	monitor_enter(&entry->monitor);
	unused = steal(&entry->unkept);
	entry->whole = false;
	entry->have = 0;
	if (err && err->code == EBADMSG)
		entry->wrong = *err;
	end_fetch(entry, err);
	monitor_leave(&entry->monitor);
	unkept_free(unused);
}

/* The file is the blob no more, if it is still the entry's. */
static void lose(struct entry *entry, const struct openfile *file)
{
	monitor_enter(&entry->monitor);
	if (entry->whole && entry->file == file) {
		entry->whole = false;
		entry->have = 0;
	}
	monitor_leave(&entry->monitor);
}

void entry_drop(struct entry *entry, struct openfile *file,
    const struct err *why)
{
	/* First the name, so that no fetch finds it again. */
	if (whole_drop(entry->whole_path, file, why, ERR_IGNORE) < 0)
		atomic_store(&entry->unkeepable, true);
	lose(entry, file);
}

void entry_lost(struct entry *entry, const struct openfile *file)
{
	atomic_store(&entry->unkeepable, true);
	lose(entry, file);
}
