/* SPDX-License-Identifier: Apache-2.0 */
/* The blocks of a blob that are there, and their file. */
#include "partset.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/file.h>

#include "base/container.h"
#include "base/log.h"
#include "base/strf.h"
#include "blob/entry.h"
#include "blob/whole.h"
#include "cache/path.h"
#include "cache/use.h"

static void partset_free(struct parts *parts)
{
	pieces_forget(&parts->store->pieces, &parts->unkept);
	sources_release(&parts->sources);
	openfile_put(parts->file);
	blocks_release(&parts->there);
	monitor_release(&parts->monitor);
	free(parts->shared.key);
	free(parts->whole_path);
	free(parts->parts_path);
	free(parts);
}

DEFINE_CLEANUP(struct parts *, partset_free);

/* Entries have keys without a word in front. */
static char *make_key(const struct digest *digest, uint64_t size)
{
	char text[DIGEST_TEXT_SIZE];

	return strf("parts/%s/%llu", digest_format(digest, text),
	    (unsigned long long)size);
}

static struct parts *partset_new(struct store *store,
    const struct digest *digest, uint64_t size, struct err *err)
{
	CLEANUP(partset_free_p)
	struct parts *parts = calloc(1, sizeof(*parts));

	if (!parts) {
		err_nomem(err);
		return NULL;
	}
	shared_init(&parts->shared, make_key(digest, size));
	parts->store = store;
	parts->digest = *digest;
	parts->size = size;
	digest_format(digest, parts->name);
	parts->whole_path = path_whole(store->dir, digest);
	parts->parts_path = path_parts(store->dir, digest);
	sources_init(&parts->sources);
	parts->unkept = (struct unkept){.store = store,
	    .digest = &parts->digest,
	    .name = parts->name,
	    .sources = &parts->sources,
	    .size = size};
	atomic_init(&parts->opened, 0);
	monitor_init(&parts->monitor);
	LIST_INIT(&parts->flights);
	if (blocks_init(&parts->there, size, err) < 0)
		return NULL;
	if (!parts->shared.key || !parts->whole_path || !parts->parts_path) {
		err_nomem(err);
		return NULL;
	}
	return steal(&parts);
}

/* Opens path, and sees to it that eviction leaves it alone: 1, or 0 where it
 * cannot be opened and `create` is not set. */
static int open_in_use(const char *path, bool create, struct openfile **out,
    struct err *err)
{
	for (;;) {
		CLEANUP(openfile_put_p) struct openfile *file = NULL;
		int fd = create ? path_open(path, err)
				: open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW);

		if (fd < 0)
			return create ? fd : 0;
		file = openfile_new(fd, err);
		if (!file)
			return -err->code;
		/* Eviction has it for a moment, and takes its name. */
		while (flock(fd, LOCK_SH) < 0)
			if (errno != EINTR)
				return err_sys(err, "cannot lock %s", path);
		if (openfile_at(file, path)) {
			*out = steal(&file);
			return 1;
		}
	}
}

/* With the file's blocks; else as open_in_use(). */
static int open_file(struct parts *parts, bool create, struct openfile **file,
    struct blocks *there, struct err *err)
{
	int r = open_in_use(parts->parts_path, create, file, err);

	if (r <= 0)
		return r;
	r = blocks_init(there, parts->size, err);
	if (r < 0) {
		openfile_put(steal(file));
		return r;
	}
	blocks_find(there, (*file)->fd);
	return 1;
}

/* In the monitor. Takes file and blocks. */
static void set_file(struct parts *parts, struct openfile *file,
    struct blocks *there)
{
	parts->file = file;
	blocks_release(&parts->there);
	parts->there = *there;
	there->bits = NULL;
}

/* What is on the disk already. */
static int find_file(struct parts *parts, struct err *err)
{
	struct openfile *file;
	struct blocks there;
	int r = partset_take_whole(parts, err);

	if (r == 1)
		atomic_fetch_add(&parts->store->hits, 1);
	if (r != 0)
		return r;
	r = open_file(parts, false, &file, &there, err);
	if (r == 1)
		set_file(parts, file, &there);
	return r;
}

int partset_find(struct store *store, const struct digest *digest,
    uint64_t size, struct parts **out, struct err *err)
{
	AUTO_FREE char *key = make_key(digest, size);
	CLEANUP(partset_free_p) struct parts *fresh = NULL;
	struct shared *found;
	int r;

	if (!key)
		return err_nomem(err);
	found = shared_find(store, key);
	if (found) {
		*out = container_of(found, struct parts, shared);
		return 0;
	}
	fresh = partset_new(store, digest, size, err);
	if (!fresh)
		return -err->code;
	r = find_file(fresh, err);
	if (r >= 0)
		r = shared_add(store, &fresh->shared, &found, err);
	if (r < 0)
		return r;
	if (found == &fresh->shared)
		steal(&fresh);
	*out = container_of(found, struct parts, shared);
	return 0;
}

struct parts *partset_get(struct parts *parts)
{
	shared_get(&parts->shared);
	return parts;
}

void partset_put(struct parts *parts)
{
	struct store *store = parts->store;

	if (!shared_put(store, &parts->shared))
		return;
	if (parts->file && !parts->file->in_place)
		use_note(parts->file->fd);
	partset_free(parts);
	store_eased(store);
}

/* Takes the file, which is the whole blob. */
static void set_whole(struct parts *parts, struct openfile *file)
{
	CLEANUP(openfile_put_p) struct openfile *old = NULL;

	monitor_enter(&parts->monitor);
	old = parts->file;
	parts->file = file;
	parts->whole = true;
	blocks_clear(&parts->there);
	monitor_notify(&parts->monitor);
	monitor_leave(&parts->monitor);
}

int partset_take_whole(struct parts *parts, struct err *err)
{
	struct openfile *file;
	int r = entry_settling(parts->store, &parts->digest, parts->size, &file,
	    err);

	if (r == 0)
		r = whole_open(parts->whole_path, &parts->digest, parts->size,
		    &file, err);
	if (r <= 0)
		return r;
	/* Nobody needs the parts any more. */
	unlink(parts->parts_path);
	set_whole(parts, file);
	return 1;
}

int partset_take_in_place(struct parts *parts, struct err *err)
{
	struct openfile *file;
	bool whole;
	int r;

	monitor_enter(&parts->monitor);
	whole = parts->whole;
	monitor_leave(&parts->monitor);
	if (whole)
		return 1;
	r = openfile_in_place(&parts->sources, &parts->digest, parts->size,
	    &file, err);
	if (r == 1)
		set_whole(parts, file);
	return r;
}

/* In the monitor: the file for parts that is in use, 0 where there is none or
 * the whole blob is. */
static int current_file(const struct parts *parts, struct openfile **out)
{
	if (!parts->file || parts->whole)
		return 0;
	*out = openfile_get(parts->file);
	return 1;
}

int partset_open(struct parts *parts, struct openfile **out, struct err *err)
{
	CLEANUP(openfile_put_p) struct openfile *file = NULL;
	CLEANUP(blocks_release) struct blocks there = {0, NULL};
	int r;

	monitor_enter(&parts->monitor);
	r = current_file(parts, out);
	monitor_leave(&parts->monitor);
	if (r == 1)
		return 1;
	r = open_file(parts, true, &file, &there, err);
	if (r < 0)
		return r;
	monitor_enter(&parts->monitor);
	/* Another flight may have been faster. */
	if (!parts->file)
		set_file(parts, steal(&file), &there);
	r = current_file(parts, out);
	monitor_leave(&parts->monitor);
	return r;
}

void partset_publish(struct parts *parts, const struct openfile *file,
    uint64_t first, uint64_t last)
{
	/* It may have been replaced by the whole blob. */
	if (parts->file == file)
		blocks_set(&parts->there, first, last, true);
}

int partset_drop_whole(struct parts *parts)
{
	CLEANUP(openfile_put_p) struct openfile *file = NULL;

	monitor_enter(&parts->monitor);
	if (parts->whole)
		file = openfile_get(parts->file);
	monitor_leave(&parts->monitor);
	if (!file)
		return 0;
	/* First the name, so that no flight finds it again. */
	if (openfile_at(file, parts->whole_path)) {
		log_warn("%s is damaged: removed", parts->whole_path);
		unlink(parts->whole_path);
	}
	monitor_enter(&parts->monitor);
	if (parts->whole && openfile_same(parts->file, file)) {
		openfile_put(steal(&parts->file));
		parts->whole = false;
	}
	monitor_leave(&parts->monitor);
	return 1;
}
