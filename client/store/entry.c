/* SPDX-License-Identifier: Apache-2.0 */
/* The table of blobs in use, and how they change. */
#include "entry.h"

#include <errno.h>
#include <stdlib.h>

#include "base/file.h"
#include "base/lock.h"
#include "fetch.h"
#include "path.h"
#include "whole.h"

static void release_sources(const struct store_source *sources, unsigned count)
{
	for (unsigned i = 0; i < count; i++)
		sources[i].release(sources[i].arg);
}

static void entry_free(struct entry *entry)
{
	release_sources(entry->sources, entry->sources_count);
	openfile_put(entry->file);
	monitor_release(&entry->monitor);
	free(entry->key);
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

	return file_path("%s/%llu", digest_format(digest, text),
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
	entry->key = make_key(digest, size);
	entry->whole_path = path_whole(store->dir, digest);
	entry->partial_path = path_partial(store->dir, digest);
	entry->wanted = UINT64_MAX;
	atomic_init(&entry->refs, 1);
	atomic_init(&entry->opened, 0);
	monitor_init(&entry->monitor);
	if (!entry->key || !entry->whole_path || !entry->partial_path) {
		entry_free(entry);
		err_nomem(err);
		return NULL;
	}
	return entry;
}

static struct entry *table_get(struct store *store, const char *key)
{
	SCOPED_LOCK(&store->lock);
	struct entry *entry = map_get(&store->entries, key);

	return entry ? entry_get(entry) : NULL;
}

/* Adds *fresh, or sets it to what another thread has added meanwhile. */
static int table_add(struct store *store, struct entry **fresh,
    struct entry **out, struct err *err)
{
	SCOPED_LOCK(&store->lock);
	struct entry *entry = map_get(&store->entries, (*fresh)->key);

	if (entry) {
		*out = entry_get(entry);
		return 0;
	}
	if (map_put(&store->entries, (*fresh)->key, *fresh) < 0)
		return err_nomem(err);
	*out = steal(fresh);
	return 0;
}

int entry_find(struct store *store, const struct digest *digest, uint64_t size,
    struct entry **out, struct err *err)
{
	AUTO_FREE char *key = make_key(digest, size);
	CLEANUP(entry_free_p) struct entry *fresh = NULL;
	int r;

	if (!key)
		return err_nomem(err);
	*out = table_get(store, key);
	if (*out)
		return 0;
	fresh = entry_new(store, digest, size, err);
	if (!fresh)
		return -err->code;
	r = whole_open(fresh->whole_path, digest, size, &fresh->file, err);
	if (r < 0)
		return r;
	if (r == 1) {
		fresh->whole = true;
		fresh->have = size;
		atomic_fetch_add(&store->hits, 1);
	}
	return table_add(store, &fresh, out, err);
}

struct entry *entry_get(struct entry *entry)
{
	atomic_fetch_add(&entry->refs, 1);
	return entry;
}

/* Whether that was the last one; then nobody can find it any more. */
static bool drop_ref(struct entry *entry)
{
	SCOPED_LOCK(&entry->store->lock);

	if (atomic_fetch_sub(&entry->refs, 1) > 1)
		return false;
	map_del(&entry->store->entries, entry->key);
	return true;
}

void entry_put(struct entry *entry)
{
	struct store *store = entry->store;

	if (!drop_ref(entry))
		return;
	if (entry->whole)
		whole_used(entry->file->fd);
	entry_free(entry);
	store_eased(store);
}

void entry_add_source(struct entry *entry, const struct store_source *source)
{
	struct store_source unused = *source;
	bool full;

	monitor_enter(&entry->monitor);
	full = entry->sources_count == SOURCES_MAX;
	if (!entry->whole && !full) {
		entry->sources[entry->sources_count++] = *source;
		unused.release = NULL;
	} else if (!entry->whole && !entry->fetching) {
		/* The oldest is the likeliest to be of no use any more. */
		unused = entry->sources[0];
		for (unsigned i = 1; i < SOURCES_MAX; i++)
			entry->sources[i - 1] = entry->sources[i];
		entry->sources[SOURCES_MAX - 1] = *source;
	}
	monitor_leave(&entry->monitor);
	if (unused.release)
		release_sources(&unused, 1);
}

bool entry_source(struct entry *entry, unsigned i, struct store_source *out)
{
	bool found;

	monitor_enter(&entry->monitor);
	found = i < entry->sources_count;
	if (found)
		*out = entry->sources[i];
	monitor_leave(&entry->monitor);
	return found;
}

static bool has(const struct entry *entry, uint64_t end)
{
	return entry->whole || (end < entry->size && end <= entry->have);
}

int entry_await(struct entry *entry, uint64_t end, struct err *err)
{
	const unsigned failures = entry->failures;

	while (!has(entry, end)) {
		if (entry->failures != failures) {
			*err = entry->failure;
			return -err->code;
		}
		if (!entry->fetching) {
			int r = fetch_start(entry, err);

			if (r < 0)
				return r;
			entry->fetching = true;
		}
		if (end < entry->wanted)
			entry->wanted = end;
		if (monitor_wait(&entry->monitor) < 0)
			return err_set(err, EINTR,
			    "interrupted while waiting for blob %s",
			    entry->name);
	}
	return 0;
}

void entry_switch(struct entry *entry, struct openfile *file)
{
	CLEANUP(openfile_put_p) struct openfile *old = NULL;

	monitor_enter(&entry->monitor);
	old = entry->file;
	/* It stayed open until here, so no other file can have its number. */
	if (!old || !openfile_same(old, file)) {
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

/* In the monitor. */
static void end_fetch(struct entry *entry)
{
	entry->fetching = false;
	entry->wanted = UINT64_MAX;
	monitor_notify(&entry->monitor);
}

void entry_complete(struct entry *entry)
{
	monitor_enter(&entry->monitor);
	entry->whole = true;
	entry->have = entry->size;
	end_fetch(entry);
	monitor_leave(&entry->monitor);
}

void entry_fail(struct entry *entry, const struct err *err)
{
	monitor_enter(&entry->monitor);
	entry->whole = false;
	entry->have = 0;
	if (err) {
		entry->failures++;
		entry->failure = *err;
	}
	end_fetch(entry);
	monitor_leave(&entry->monitor);
}
