/* SPDX-License-Identifier: Apache-2.0 */
/* The names of files that are being written. */
#include "written.h"

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

struct written_names *written_names_new(struct err *err)
{
	struct written_names *table = calloc(1, sizeof(*table));

	if (!table) {
		err_nomem(err);
		return NULL;
	}
	pthread_mutex_init(&table->lock, NULL);
	table->newest = &table->oldest;
	return table;
}

/* The file has one name less. Under lock. */
static void unlink_name(struct written_name *name)
{
	struct written_name **at = &name->file->names;

	while (*at != name)
		at = &(*at)->next;
	*at = name->next;
}

/* And one more. Under lock. */
static void link_name(struct written_name *name, struct written_file *file)
{
	name->file = file;
	name->next = file->names;
	file->names = name;
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
static struct pushed_name *take_oldest(struct written_names *table)
{
	struct pushed_name *pushed = table->oldest;

	table->oldest = pushed->next;
	if (!table->oldest)
		table->newest = &table->oldest;
	table->pushed_count--;
	map_del(&pushed->dir->pushed, pushed->name);
	return pushed;
}

static void log_lost(const struct written_name *name, uint64_t size)
{
	AUTO_FREE char *path = written_dir_path(name->dir, name->name);

	log_warn("%s: %llu bytes were not pushed and are lost with the mount",
	    path ? path : name->name, (unsigned long long)size);
}

void written_names_end(struct written_names *table)
{
	while (table->names) {
		struct written_name *name = take(table->names);
		CLEANUP(written_file_put_p)
		struct written_file *file = name->file;
		uint64_t size = spool_size(file->spool);

		if (size)
			log_lost(name, size);
		name_release(name);
	}
	while (table->oldest)
		pushed_release(take_oldest(table));
}

void written_names_free(struct written_names *table)
{
	pthread_mutex_destroy(&table->lock);
	free(table);
}

struct written_file *written_names_find(struct written_dir *dir,
    const char *name)
{
	const struct written_name *found;
	struct written_file *file;

	{
		SCOPED_LOCK(&dir->table->lock);
		found = map_get(&dir->files, name);
		if (!found)
			return NULL;
		file = written_file_get(found->file);
	}
	if (!written_file_came_to_nothing(file))
		return file;
	written_names_take(dir, name, file);
	written_file_put(file);
	return NULL;
}

struct written_file *written_names_find_in(struct node *dir, const char *name)
{
	CLEANUP(written_dir_put_p)
	struct written_dir *written = written_dir_find(dir);

	return written ? written_names_find(written, name) : NULL;
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
static int add_name(struct written_names *table, struct written_name *name,
    struct written_file *file, struct err *err)
{
	if (map_put(&name->dir->files, name->name, name) < 0)
		return err_nomem(err);
	link_name(name, file);
	name->next_of_all = table->names;
	if (table->names)
		table->names->link = &name->next_of_all;
	name->link = &table->names;
	table->names = name;
	return 0;
}

int written_names_insert(struct written_dir *dir, const char *text,
    struct written_file *file, struct err *err)
{
	CLEANUP(name_release_p) struct written_name *name = name_new(dir, text);
	CLEANUP(written_file_put_p) struct written_file *before = NULL;
	struct written_name *there;
	int r = name ? 0 : err_nomem(err);

	if (r < 0)
		return r;
	{
		SCOPED_LOCK(&dir->table->lock);
		there = map_get(&dir->files, text);
		if (there) {
			before = there->file;
			unlink_name(there);
			link_name(there, written_file_get(file));
		} else {
			r = add_name(dir->table, name, file, err);
			if (r == 0)
				name = NULL;
			if (r == 0)
				written_file_get(file);
		}
	}
	if (before)
		written_file_drop_unreachable(before);
	return r;
}

bool written_names_take(struct written_dir *dir, const char *text,
    const struct written_file *only)
{
	CLEANUP(name_release_p) struct written_name *name = NULL;
	CLEANUP(written_file_put_p) struct written_file *file = NULL;

	{
		SCOPED_LOCK(&dir->table->lock);
		struct written_name *there = map_get(&dir->files, text);

		if (!there || (only && there->file != only))
			return false;
		name = take(there);
		file = name->file;
	}
	written_file_drop_unreachable(file);
	return true;
}

bool written_file_is_named(struct written_file *file)
{
	SCOPED_LOCK(&file->mount->written->lock);
	return file->names != NULL;
}

/* A new string; the directory is counted. */
static char *own_name(struct written_file *file, struct written_dir **dir)
{
	SCOPED_LOCK(&file->mount->written->lock);
	*dir = file->dir;
	(*dir)->refs++;
	return strdup(file->name);
}

char *written_names_path(struct written_file *file)
{
	CLEANUP(written_dir_put_p) struct written_dir *dir = NULL;
	AUTO_FREE char *name = own_name(file, &dir);

	return name ? written_dir_path(dir, name) : NULL;
}

void written_names_take_all(struct written_file *file)
{
	struct written_name *name;

	do {
		{
			SCOPED_LOCK(&file->mount->written->lock);
			name = file->names ? take(file->names) : NULL;
		}
		if (name)
			written_file_put(name->file);
		name_release(name);
	} while (name);
}

int written_names_lookup(struct node *dir, const char *name, struct node **out,
    struct err *err)
{
	CLEANUP(written_file_put_p)
	struct written_file *file = written_names_find_in(dir, name);
	int r;

	if (!file)
		return 0;
	r = written_node(dir->source, file, out, err);
	return r < 0 ? r : 1;
}

int written_names_list(struct node *dir, struct dirlist *out, struct err *err)
{
	CLEANUP(written_dir_put_p)
	struct written_dir *written = written_dir_find(dir);

	if (!written)
		return 0;
	SCOPED_LOCK(&written->table->lock);
	map_foreach (&written->files, slot) {
		const struct written_name *name = slot->value;
		int r;

		if (written_file_came_to_nothing(name->file))
			continue;
		r = dirlist_add(out, slot->key, strlen(slot->key), S_IFREG,
		    key_number(NODE_WRITTEN,
			key_of_serial(KEY_WRITTEN, name->file->serial)),
		    err);
		if (r < 0)
			return r;
	}
	return 0;
}

bool written_names_remove(struct node *dir, const char *name)
{
	CLEANUP(written_dir_put_p)
	struct written_dir *written = written_dir_find(dir);

	return written && written_names_take(written, name, NULL);
}

bool written_names_had(struct node *dir, const char *name, uint64_t *size,
    bool *by_caller)
{
	CLEANUP(written_dir_put_p)
	struct written_dir *written = written_dir_find(dir);
	const struct pushed_name *pushed;

	if (!written)
		return false;
	SCOPED_LOCK(&written->table->lock);
	pushed = map_get(&written->pushed, name);
	if (pushed)
		*size = pushed->size;
	*by_caller = pushed && pushed->by && caller_is_of(pushed->by);
	return pushed != NULL;
}

/* Whether an archive of that name is that of the tag. */
static bool is_archive_of(const char *text, const char *tag)
{
	struct name name;

	name_parse(&name, text);
	return strcmp(name.archive_tag, tag) == 0;
}

bool written_names_renew(struct node *dir, const char *name)
{
	CLEANUP(written_dir_put_p)
	struct written_dir *written = written_dir_find(dir);
	struct name parsed;

	name_parse(&parsed, name);
	if (!written || !*parsed.archive_tag)
		return false;
	SCOPED_LOCK(&written->table->lock);
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

void written_names_remember(struct written_file *file)
{
	struct written_names *table = file->mount->written;
	CLEANUP(pushed_release_p)
	struct pushed_name *pushed = pushed_new(file->dir, file->name);
	CLEANUP(pushed_release_p) struct pushed_name *oldest = NULL;
	struct pushed_name *there;

	if (!pushed)
		return;
	pushed->size = written_file_size(file);
	pushed->by = caller_process();
	SCOPED_LOCK(&table->lock);
	there = map_get(&pushed->dir->pushed, pushed->name);
	if (there) {
		there->size = pushed->size;
		there->by = pushed->by;
		return;
	}
	if (map_put(&pushed->dir->pushed, pushed->name, pushed) < 0)
		return;
	if (table->pushed_count == PUSHED_NAMES_MAX)
		oldest = take_oldest(table);
	*table->newest = pushed;
	table->newest = &pushed->next;
	table->pushed_count++;
	pushed = NULL;
}

void written_names_pushed(struct written_file *file)
{
	written_names_remember(file);
	written_names_take_all(file);
}

/* What it becomes is taken, also on failure. */
static int written_file_new(struct written_dir *dir, const char *name,
    mode_t mode, struct write_intent *intent, struct written_file **out,
    struct err *err)
{
	struct mount *mount = intent->source->mount;
	struct written_names *table = mount->written;
	CLEANUP(written_file_put_p)
	struct written_file *file = calloc(1, sizeof(*file));
	int r;

	if (!file) {
		intent_release(intent);
		return err_nomem(err);
	}
	atomic_init(&file->refs, 1);
	monitor_init(&file->monitor);
	file->intent = *intent;
	file->state = written_file_first_state(file);
	*intent = (struct write_intent){0};
	file->mount = mount;
	file->mode = mode;
	clock_gettime(CLOCK_REALTIME, &file->mtime);
	file->dir = written_dir_get(dir);
	file->name = strdup(name);
	if (!file->name)
		return err_nomem(err);
	{
		SCOPED_LOCK(&table->lock);
		file->serial = ++table->serial;
	}
	r = spool_new(mount->store, &file->spool, err);
	if (r == 0)
		*out = steal(&file);
	return r;
}

int written_file_create(struct node *dir, const char *name, mode_t mode,
    struct node **out, struct err *err)
{
	CLEANUP(written_dir_put_p)
	struct written_dir *written = written_dir_of(dir, err);
	CLEANUP(written_file_put_p) struct written_file *file = NULL;
	struct write_intent intent = {0};
	int r = written ? write_intent(dir, name, &intent, err) : -err->code;

	if (r == 0)
		r = written_file_new(written, name, mode, &intent, &file, err);
	if (r == 0)
		r = written_names_insert(written, name, file, err);
	replace_end(dir, name);
	return r < 0 ? r : written_node(dir->source, file, out, err);
}

int written_file_replacing(struct node *dir, const char *name,
    const struct write_intent *intent, struct written_file **out,
    struct err *err)
{
	CLEANUP(written_dir_put_p)
	struct written_dir *written = written_dir_of(dir, err);
	struct write_intent copy;
	int r = written ? intent_copy(intent, &copy, err) : -err->code;

	return r < 0 ? r
		     : written_file_new(written, name, 0644, &copy, out, err);
}

/* The kernel remembers a file for as long as it likes, and the disk is small:
 * what nobody can reach any more goes at once. */
void written_file_drop_unreachable(struct written_file *file)
{
	if (!written_file_is_open(file) && !written_file_is_named(file))
		spool_truncate(file->spool, 0, ERR_IGNORE);
}
