/* SPDX-License-Identifier: Apache-2.0 */
/* The names of files that are being written. */
#include "table.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/lock.h"
#include "base/log.h"
#include "grammar/name.h"
#include "habits/caller.h"
#include "habits/habits.h"
#include "node/key.h"
#include "node/nodes.h"

/* Names of pushed files that are remembered: as many as a session with a file
 * manager makes, and more. */
enum { PUSHED_NAMES_MAX = 4096 };

struct uploads *uploads_new(struct err *err)
{
	struct uploads *uploads = calloc(1, sizeof(*uploads));

	if (!uploads) {
		err_nomem(err);
		return NULL;
	}
	pthread_mutex_init(&uploads->lock, NULL);
	uploads->newest = &uploads->oldest;
	return uploads;
}

/* The file has one name less. Under lock. */
static void unlink_name(struct written_name *name)
{
	struct written_name **at = &name->upload->names;

	while (*at != name)
		at = &(*at)->next;
	*at = name->next;
}

/* And one more. Under lock. */
static void link_name(struct written_name *name, struct upload *upload)
{
	name->upload = upload;
	name->next = upload->names;
	upload->names = name;
}

/* Takes a name out of all tables, for name_release(). Under lock. */
static struct written_name *take(struct written_name *name)
{
	map_del(&name->dir->files, name->name);
	unlink_name(name);
	*name->link = name->next_of_all;
	if (name->next_of_all)
		name->next_of_all->link = name->link;
	return name;
}

/* Not under lock. NULL does nothing. */
static void name_release(struct written_name *name)
{
	if (!name)
		return;
	written_dir_put(name->dir);
	free(name->name);
	free(name);
}

DEFINE_CLEANUP(struct written_name *, name_release);

static void pushed_release(struct pushed_name *pushed)
{
	if (!pushed)
		return;
	written_dir_put(pushed->dir);
	free(pushed->name);
	free(pushed);
}

DEFINE_CLEANUP(struct pushed_name *, pushed_release);

/* Takes out the name that was pushed before all others. Under lock. */
static struct pushed_name *take_oldest(struct uploads *uploads)
{
	struct pushed_name *pushed = uploads->oldest;

	uploads->oldest = pushed->next;
	if (!uploads->oldest)
		uploads->newest = &uploads->oldest;
	uploads->pushed_count--;
	map_del(&pushed->dir->pushed, pushed->name);
	return pushed;
}

void uploads_end(struct uploads *uploads)
{
	while (uploads->names) {
		struct written_name *name = take(uploads->names);
		CLEANUP(upload_put_p) struct upload *upload = name->upload;
		uint64_t size = spool_size(upload->spool);

		if (size)
			log_warn("%s: %llu bytes were not pushed and are lost "
				 "with the mount",
			    upload->name, (unsigned long long)size);
		name_release(name);
	}
	while (uploads->oldest)
		pushed_release(take_oldest(uploads));
}

void uploads_free(struct uploads *uploads)
{
	pthread_mutex_destroy(&uploads->lock);
	free(uploads);
}

struct upload *uploads_find(struct written_dir *dir, const char *name)
{
	const struct written_name *found;
	struct upload *upload;

	{
		SCOPED_LOCK(&dir->uploads->lock);
		found = map_get(&dir->files, name);
		if (!found)
			return NULL;
		upload = upload_get(found->upload);
	}
	if (!upload_came_to_nothing(upload))
		return upload;
	uploads_take_name(dir, name, upload);
	upload_put(upload);
	return NULL;
}

struct upload *uploads_find_in(struct node *dir, const char *name)
{
	CLEANUP(written_dir_put_p)
	struct written_dir *written = written_dir_find(dir);

	return written ? uploads_find(written, name) : NULL;
}

static struct written_name *name_new(struct written_dir *dir, const char *text)
{
	struct written_name *name = calloc(1, sizeof(*name));

	if (!name)
		return NULL;
	name->name = strdup(text);
	name->dir = written_dir_get(dir);
	if (name->name)
		return name;
	name_release(name);
	return NULL;
}

/* Puts a new name into the tables. Under lock. */
static int add_name(struct uploads *uploads, struct written_name *name,
    struct upload *upload, struct err *err)
{
	if (map_put(&name->dir->files, name->name, name) < 0)
		return err_nomem(err);
	link_name(name, upload);
	name->next_of_all = uploads->names;
	if (uploads->names)
		uploads->names->link = &name->next_of_all;
	name->link = &uploads->names;
	uploads->names = name;
	return 0;
}

int uploads_insert(struct written_dir *dir, const char *text,
    struct upload *upload, struct err *err)
{
	CLEANUP(name_release_p) struct written_name *name = name_new(dir, text);
	CLEANUP(upload_put_p) struct upload *before = NULL;
	struct written_name *there;
	int r = name ? 0 : err_nomem(err);

	if (r < 0)
		return r;
	{
		SCOPED_LOCK(&dir->uploads->lock);
		there = map_get(&dir->files, text);
		if (there) {
			before = there->upload;
			unlink_name(there);
			link_name(there, upload_get(upload));
		} else {
			r = add_name(dir->uploads, name, upload, err);
			if (r == 0)
				name = NULL;
			if (r == 0)
				upload_get(upload);
		}
	}
	if (before)
		upload_drop_unreachable(before);
	return r;
}

bool uploads_take_name(struct written_dir *dir, const char *text,
    const struct upload *only)
{
	CLEANUP(name_release_p) struct written_name *name = NULL;
	CLEANUP(upload_put_p) struct upload *upload = NULL;

	{
		SCOPED_LOCK(&dir->uploads->lock);
		struct written_name *there = map_get(&dir->files, text);

		if (!there || (only && there->upload != only))
			return false;
		name = take(there);
		upload = name->upload;
	}
	upload_drop_unreachable(upload);
	return true;
}

bool upload_named(struct upload *upload)
{
	SCOPED_LOCK(&upload->mount->uploads->lock);
	return upload->names != NULL;
}

void uploads_remove_all(struct upload *upload)
{
	struct written_name *name;

	do {
		{
			SCOPED_LOCK(&upload->mount->uploads->lock);
			name = upload->names ? take(upload->names) : NULL;
		}
		if (name)
			upload_put(name->upload);
		name_release(name);
	} while (name);
}

int uploads_lookup(struct node *dir, const char *name, struct node **out,
    struct err *err)
{
	CLEANUP(upload_put_p)
	struct upload *upload = uploads_find_in(dir, name);
	int r;

	if (!upload)
		return 0;
	r = upload_node(dir->source, upload, out, err);
	return r < 0 ? r : 1;
}

int uploads_list(struct node *dir, struct dirlist *out, struct err *err)
{
	CLEANUP(written_dir_put_p)
	struct written_dir *written = written_dir_find(dir);

	if (!written)
		return 0;
	SCOPED_LOCK(&written->uploads->lock);
	map_foreach (&written->files, slot) {
		const struct written_name *name = slot->value;
		int r;

		if (upload_came_to_nothing(name->upload))
			continue;
		r = dirlist_add(out, slot->key, strlen(slot->key), S_IFREG,
		    key_number(NODE_UPLOAD,
			key_of_serial(KEY_UPLOAD, name->upload->serial)),
		    err);
		if (r < 0)
			return r;
	}
	return 0;
}

bool uploads_remove(struct node *dir, const char *name)
{
	CLEANUP(written_dir_put_p)
	struct written_dir *written = written_dir_find(dir);

	return written && uploads_take_name(written, name, NULL);
}

bool uploads_pushed(struct node *dir, const char *name, uint64_t *size)
{
	CLEANUP(written_dir_put_p)
	struct written_dir *written = written_dir_find(dir);
	const struct pushed_name *pushed;

	if (!written)
		return false;
	SCOPED_LOCK(&written->uploads->lock);
	pushed = map_get(&written->pushed, name);
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

bool uploads_renews(struct node *dir, const char *name)
{
	CLEANUP(written_dir_put_p)
	struct written_dir *written = written_dir_find(dir);
	struct name parsed;

	name_parse(&parsed, name);
	if (!written || !*parsed.archive_tag)
		return false;
	SCOPED_LOCK(&written->uploads->lock);
	map_foreach (&written->pushed, slot) {
		const struct pushed_name *pushed = slot->value;

		if (strcmp(slot->key, name) != 0 &&
		    is_archive_of(slot->key, parsed.archive_tag) &&
		    pushed->by && caller_is_of(pushed->by))
			return true;
	}
	return false;
}

static struct pushed_name *pushed_new(struct written_dir *dir, const char *text)
{
	struct pushed_name *pushed = calloc(1, sizeof(*pushed));

	if (!pushed)
		return NULL;
	pushed->name = strdup(text);
	pushed->dir = written_dir_get(dir);
	if (pushed->name)
		return pushed;
	pushed_release(pushed);
	return NULL;
}

void uploads_remember_pushed(struct upload *upload)
{
	struct uploads *uploads = upload->mount->uploads;
	CLEANUP(pushed_release_p)
	struct pushed_name *pushed = pushed_new(upload->dir, upload->name);
	CLEANUP(pushed_release_p) struct pushed_name *oldest = NULL;
	struct pushed_name *there;

	if (!pushed)
		return;
	pushed->size = upload_size(upload);
	pushed->by = caller_process();
	SCOPED_LOCK(&uploads->lock);
	there = map_get(&pushed->dir->pushed, pushed->name);
	if (there) {
		there->size = pushed->size;
		there->by = pushed->by;
		return;
	}
	if (map_put(&pushed->dir->pushed, pushed->name, pushed) < 0)
		return;
	if (uploads->pushed_count == PUSHED_NAMES_MAX)
		oldest = take_oldest(uploads);
	*uploads->newest = pushed;
	uploads->newest = &pushed->next;
	uploads->pushed_count++;
	pushed = NULL;
}

void uploads_pushed_now(struct upload *upload)
{
	uploads_remember_pushed(upload);
	uploads_remove_all(upload);
}

/* What it becomes is taken, also on failure. */
static int upload_new(struct written_dir *dir, const char *name, mode_t mode,
    struct write_intent *intent, struct upload **out, struct err *err)
{
	struct mount *mount = intent->source->mount;
	struct uploads *uploads = mount->uploads;
	CLEANUP(upload_put_p)
	struct upload *upload = calloc(1, sizeof(*upload));
	int r;

	if (!upload) {
		intent_release(intent);
		return err_nomem(err);
	}
	atomic_init(&upload->refs, 1);
	monitor_init(&upload->monitor);
	upload->intent = *intent;
	upload->state = upload_first_state(upload);
	*intent = (struct write_intent){0};
	upload->mount = mount;
	upload->mode = mode;
	clock_gettime(CLOCK_REALTIME, &upload->mtime);
	upload->dir = written_dir_get(dir);
	upload->name = strdup(name);
	if (!upload->name)
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
	CLEANUP(written_dir_put_p)
	struct written_dir *written = written_dir_of(dir, err);
	CLEANUP(upload_put_p) struct upload *upload = NULL;
	struct write_intent intent = {0};
	int r = written ? write_intent(dir, name, &intent, err) : -err->code;

	if (r == 0)
		r = upload_new(written, name, mode, &intent, &upload, err);
	if (r == 0)
		r = uploads_insert(written, name, upload, err);
	replace_end(dir, name);
	return r < 0 ? r : upload_node(dir->source, upload, out, err);
}

int upload_replacing(struct node *dir, const char *name,
    const struct write_intent *intent, struct upload **out, struct err *err)
{
	CLEANUP(written_dir_put_p)
	struct written_dir *written = written_dir_of(dir, err);
	struct write_intent copy;
	int r = written ? intent_copy(intent, &copy, err) : -err->code;

	return r < 0 ? r : upload_new(written, name, 0644, &copy, out, err);
}

/* The kernel remembers a file for as long as it likes, and the disk is small:
 * what nobody can reach any more goes at once. */
void upload_drop_unreachable(struct upload *upload)
{
	struct err none = ERR_INIT;

	if (!upload_is_open(upload) && !upload_named(upload))
		spool_truncate(upload->spool, 0, &none);
}
