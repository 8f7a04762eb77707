/* SPDX-License-Identifier: Apache-2.0 */
/* The names of files that are being written. */
#include "table.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/file.h"
#include "base/lock.h"
#include "base/log.h"
#include "base/map.h"
#include "grammar/name.h"
#include "habits/caller.h"
#include "habits/replace.h"
#include "node/key.h"
#include "node/nodes.h"

/* Names of pushed files in image directories that are remembered: as many as a
 * session with a file manager makes, and more. */
enum { PUSHED_NAMES_MAX = 4096 };

struct uploads {
	pthread_mutex_t lock;
	struct map files;     /* "PLACE//NAME" → counted upload; under lock */
	struct map pushed;    /* the same keys; under lock */
	unsigned long serial; /* under lock */
};

/* The size of a file that has been pushed, as long as its name is known. */
struct pushed {
	uint64_t size;
	pid_t by; /* the process that completed it; 0: unknown */
};

static void pushed_release(struct map *pushed)
{
	map_foreach (pushed, slot)
		free(slot->value);
	map_release(pushed);
}

struct uploads *uploads_new(struct err *err)
{
	struct uploads *uploads = calloc(1, sizeof(*uploads));

	if (!uploads) {
		err_nomem(err);
		return NULL;
	}
	pthread_mutex_init(&uploads->lock, NULL);
	return uploads;
}

void uploads_free(struct uploads *uploads)
{
	map_foreach (&uploads->files, slot) {
		struct upload *upload = slot->value;
		uint64_t size = spool_size(upload->spool);

		if (size)
			log_warn("%s: %llu bytes were not pushed and are lost "
				 "with the mount",
			    upload->name, (unsigned long long)size);
		upload_put(upload);
	}
	map_release(&uploads->files);
	pushed_release(&uploads->pushed);
	pthread_mutex_destroy(&uploads->lock);
	free(uploads);
}

static char *table_key(const char *place, const char *name)
{
	return file_path("%s//%s", place, name);
}

struct upload *uploads_find(struct uploads *uploads, const char *place,
    const char *name)
{
	AUTO_FREE char *key = table_key(place, name);
	struct upload *upload;

	if (!key)
		return NULL;
	{
		SCOPED_LOCK(&uploads->lock);
		upload = map_get(&uploads->files, key);
		if (!upload)
			return NULL;
		if (!upload_came_to_nothing(upload))
			return upload_get(upload);
	}
	uploads_take_name(uploads, place, name, upload);
	return NULL;
}

int uploads_insert(struct uploads *uploads, const char *place, const char *name,
    struct upload *upload, struct err *err)
{
	AUTO_FREE char *key = table_key(place, name);
	CLEANUP(upload_put_p) struct upload *before = NULL;

	if (!key)
		return err_nomem(err);
	{
		SCOPED_LOCK(&uploads->lock);
		before = map_get(&uploads->files, key);
		if (map_put(&uploads->files, key, upload) < 0) {
			before = NULL;
			return err_nomem(err);
		}
		upload_get(upload);
	}
	if (before)
		upload_drop_unreachable(before);
	return 0;
}

bool uploads_take_name(struct uploads *uploads, const char *place,
    const char *name, const struct upload *only)
{
	AUTO_FREE char *key = table_key(place, name);
	CLEANUP(upload_put_p) struct upload *upload = NULL;

	if (!key)
		return false;
	{
		SCOPED_LOCK(&uploads->lock);
		if (only && map_get(&uploads->files, key) != only)
			return false;
		upload = map_del(&uploads->files, key);
	}
	if (upload)
		upload_drop_unreachable(upload);
	return upload != NULL;
}

/* NULL: it has no name. Under lock. */
static const char *key_of(const struct uploads *uploads,
    const struct upload *upload)
{
	map_foreach (&uploads->files, slot) {
		if (slot->value == upload)
			return slot->key;
	}
	return NULL;
}

bool upload_named(struct upload *upload)
{
	struct uploads *uploads = upload->mount->uploads;

	SCOPED_LOCK(&uploads->lock);
	return key_of(uploads, upload) != NULL;
}

void uploads_remove_all(struct upload *upload)
{
	struct uploads *uploads = upload->mount->uploads;
	const char *key;

	SCOPED_LOCK(&uploads->lock);
	while ((key = key_of(uploads, upload)))
		upload_put(map_del(&uploads->files, key));
}

int uploads_lookup(struct uploads *uploads, struct node *dir, const char *name,
    struct node **out, struct err *err)
{
	CLEANUP(upload_put_p)
	struct upload *upload = uploads_find(uploads, target_place(dir), name);
	int r;

	if (!upload)
		return 0;
	r = upload_node(dir->source, upload, out, err);
	return r < 0 ? r : 1;
}

int uploads_list(struct uploads *uploads, struct node *dir, struct dirlist *out,
    struct err *err)
{
	const char *place = target_place(dir);
	size_t len = strlen(place);

	SCOPED_LOCK(&uploads->lock);
	map_foreach (&uploads->files, slot) {
		const char *name = slot->key + len + 2;
		struct upload *upload = slot->value;
		int r;

		if (strncmp(slot->key, place, len) ||
		    strncmp(slot->key + len, "//", 2) ||
		    upload_came_to_nothing(upload))
			continue;
		r = dirlist_add(out, name, strlen(name), S_IFREG,
		    key_number(key_of_serial(KEY_UPLOAD, upload->serial)), err);
		if (r < 0)
			return r;
	}
	return 0;
}

bool uploads_remove(struct uploads *uploads, struct node *dir, const char *name)
{
	return uploads_take_name(uploads, target_place(dir), name, NULL);
}

bool uploads_pushed(struct uploads *uploads, struct node *dir, const char *name,
    uint64_t *size)
{
	AUTO_FREE char *key = table_key(target_place(dir), name);
	const struct pushed *pushed;

	if (!key)
		return false;
	SCOPED_LOCK(&uploads->lock);
	pushed = map_get(&uploads->pushed, key);
	if (pushed)
		*size = pushed->size;
	return pushed != NULL;
}

/* Whether an archive of that name is that of the tag. */
static bool is_archive_of(const char *text, const char *tag)
{
	struct name name;

	name_parse(&name, text);
	return strcmp(name.archive_tag, tag) == 0;
}

bool uploads_renews(struct uploads *uploads, struct node *dir, const char *name)
{
	const char *place = target_place(dir);
	size_t len = strlen(place);
	struct name parsed;

	name_parse(&parsed, name);
	SCOPED_LOCK(&uploads->lock);
	map_foreach (&uploads->pushed, slot) {
		const struct pushed *pushed = slot->value;
		const char *other = slot->key + len + 2;

		if (strncmp(slot->key, place, len) == 0 &&
		    strncmp(slot->key + len, "//", 2) == 0 &&
		    strcmp(other, name) != 0 && *parsed.archive_tag &&
		    is_archive_of(other, parsed.archive_tag) && pushed->by &&
		    caller_is_of(pushed->by))
			return true;
	}
	return false;
}

void uploads_remember_pushed(struct upload *upload)
{
	struct uploads *uploads = upload->mount->uploads;
	AUTO_FREE char *key = table_key(upload->place, upload->name);
	AUTO_FREE struct pushed *pushed = malloc(sizeof(*pushed));
	AUTO_FREE struct pushed *before = NULL;

	if (!key || !pushed)
		return;
	pushed->size = upload_size(upload);
	pushed->by = caller_process();
	SCOPED_LOCK(&uploads->lock);
	if (uploads->pushed.count >= PUSHED_NAMES_MAX)
		pushed_release(&uploads->pushed);
	before = map_get(&uploads->pushed, key);
	if (map_put(&uploads->pushed, key, pushed) == 0)
		pushed = NULL;
	else
		before = NULL;
}

void uploads_pushed_now(struct upload *upload)
{
	uploads_remember_pushed(upload);
	uploads_remove_all(upload);
}

/* A file whose name is in that place or below it, counted; and its key, new. */
static struct upload *find_below(struct uploads *uploads, const char *place,
    char **key)
{
	size_t len = strlen(place);

	SCOPED_LOCK(&uploads->lock);
	map_foreach (&uploads->files, slot) {
		if (strncmp(slot->key, place, len) != 0 ||
		    slot->key[len] != '/')
			continue;
		*key = strdup(slot->key);
		return *key ? upload_get(slot->value) : NULL;
	}
	return NULL;
}

/* What begins with `from` with `to` in its place; NULL when out of memory. */
static char *moved(const char *text, const char *from, const char *to)
{
	size_t len = strlen(from);
	bool is_below = strncmp(text, from, len) == 0 &&
			(text[len] == '\0' || text[len] == '/');

	return is_below ? file_path("%s%s", to, text + len) : strdup(text);
}

/* Gives a file another key, and another place where that one was. Between begin
 * and end. */
static bool follow(struct uploads *uploads, struct upload *upload,
    const char *key, const char *from, const char *to)
{
	AUTO_FREE char *place = moved(upload->place, from, to);
	AUTO_FREE char *new_key = moved(key, from, to);
	char *before = upload->place;

	SCOPED_LOCK(&uploads->lock);
	if (!place || !new_key || map_put(&uploads->files, new_key, upload) < 0)
		return false;
	map_del(&uploads->files, key);
	upload->place = place;
	place = before;
	return true;
}

void uploads_follow(struct uploads *uploads, const char *from, const char *to)
{
	bool done = true;

	while (done) {
		AUTO_FREE char *key = NULL;
		CLEANUP(upload_put_p)
		struct upload *upload = find_below(uploads, from, &key);
		struct err none = ERR_INIT;

		done = upload && upload_begin(upload, &none) == 0;
		if (!done)
			break;
		done = follow(uploads, upload, key, from, to);
		upload_end(upload);
	}
}

/* What it becomes is taken, also on failure. */
static int upload_new(const char *place, const char *name, mode_t mode,
    struct upload_target *target, struct upload **out, struct err *err)
{
	struct mount *mount = target->source->mount;
	struct uploads *uploads = mount->uploads;
	CLEANUP(upload_put_p)
	struct upload *upload = calloc(1, sizeof(*upload));
	int r;

	if (!upload) {
		target_release(target);
		return err_nomem(err);
	}
	atomic_init(&upload->refs, 1);
	monitor_init(&upload->monitor);
	upload->target = *target;
	*target = (struct upload_target){0};
	upload->mount = mount;
	upload->mode = mode;
	clock_gettime(CLOCK_REALTIME, &upload->mtime);
	upload->place = strdup(place);
	upload->name = strdup(name);
	if (!upload->place || !upload->name)
		return err_nomem(err);
	{
		SCOPED_LOCK(&uploads->lock);
		upload->serial = ++uploads->serial;
	}
	r = spool_new(mount->store, &upload->spool, err);
	if (r == 0)
		*out = steal(&upload);
	return r;
}

int upload_create(struct node *dir, const char *name, mode_t mode,
    struct node **out, struct err *err)
{
	const char *place = target_place(dir);
	CLEANUP(upload_put_p) struct upload *upload = NULL;
	struct upload_target target;
	int r = target_find(dir, name, &target, err);

	if (r == 0)
		r = upload_new(place, name, mode, &target, &upload, err);
	if (r == 0)
		r = uploads_insert(dir->mount->uploads, place, name, upload,
		    err);
	replace_end(dir, name);
	return r < 0 ? r : upload_node(dir->source, upload, out, err);
}

int upload_replacing(const char *place, const char *name,
    const struct upload_target *target, struct upload **out, struct err *err)
{
	struct upload_target copy;
	int r = target_copy(target, &copy, err);

	return r < 0 ? r : upload_new(place, name, 0644, &copy, out, err);
}

/* The kernel remembers a file for as long as it likes, and the disk is small:
 * what nobody can reach any more goes at once. */
void upload_drop_unreachable(struct upload *upload)
{
	struct err none = ERR_INIT;

	if (!upload_is_open(upload) && !upload_named(upload))
		spool_truncate(upload->spool, 0, &none);
}
