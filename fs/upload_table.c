/* SPDX-License-Identifier: Apache-2.0 */
/* The names of files that are being written. */
#include "upload_table.h"

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
#include "name.h"
#include "nodes.h"

/* Names of pushed files in image directories that are remembered: as many as a
 * session with a file manager makes, and more. */
enum { PUSHED_NAMES_MAX = 4096 };

struct uploads {
	pthread_mutex_t lock;
	struct map files;  /* "DIRKEY//NAME" → counted upload; under lock */
	struct map pushed; /* the same keys; under lock */
	unsigned long serial; /* under lock */
};

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
			log_warn("%s: %llu bytes that were not pushed are gone "
				 "with the mount",
			    upload->name, (unsigned long long)size);
		upload_put(upload);
	}
	map_release(&uploads->files);
	map_release(&uploads->pushed);
	pthread_mutex_destroy(&uploads->lock);
	free(uploads);
}

static char *table_key(const char *dir, const char *name)
{
	return file_path("%s//%s", dir, name);
}

static struct upload *table_find(struct uploads *uploads, const char *dir,
    const char *name)
{
	AUTO_FREE char *key = table_key(dir, name);
	struct upload *upload;

	if (!key)
		return NULL;
	SCOPED_LOCK(&uploads->lock);
	upload = map_get(&uploads->files, key);
	return upload ? upload_get(upload) : NULL;
}

/* Gives the upload a name; what had it before loses it. */
static int table_insert(struct uploads *uploads, const char *dir,
    const char *name, struct upload *upload, struct err *err)
{
	AUTO_FREE char *key = table_key(dir, name);
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

static bool table_remove(struct uploads *uploads, const char *dir,
    const char *name, const struct upload *only)
{
	AUTO_FREE char *key = table_key(dir, name);
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

/* A push that a rename tried and that failed has two names. The caller has a
 * count of its own. */
static void table_remove_all(struct uploads *uploads, struct upload *upload)
{
	const char *key;

	SCOPED_LOCK(&uploads->lock);
	while ((key = key_of(uploads, upload)))
		upload_put(map_del(&uploads->files, key));
}

int uploads_lookup(struct uploads *uploads, struct node *dir, const char *name,
    struct node **out, struct err *err)
{
	CLEANUP(upload_put_p)
	struct upload *upload = table_find(uploads, dir->key, name);
	int r;

	if (!upload)
		return 0;
	r = upload_node(dir->mount, upload, out, err);
	return r < 0 ? r : 1;
}

int uploads_list(struct uploads *uploads, struct node *dir, struct dirlist *out,
    struct err *err)
{
	size_t len = strlen(dir->key);

	SCOPED_LOCK(&uploads->lock);
	map_foreach (&uploads->files, slot) {
		const char *name = slot->key + len + 2;
		const struct upload *upload = slot->value;
		char key[32];
		int r;

		if (strncmp(slot->key, dir->key, len) ||
		    strncmp(slot->key + len, "//", 2))
			continue;
		snprintf(key, sizeof(key), "upload:%lu", upload->serial);
		r = dirlist_add(out, name, strlen(name), S_IFREG,
		    node_number(key), err);
		if (r < 0)
			return r;
	}
	return 0;
}

bool uploads_remove(struct uploads *uploads, struct node *dir, const char *name)
{
	return table_remove(uploads, dir->key, name, NULL);
}

bool uploads_pushed(struct uploads *uploads, struct node *dir, const char *name)
{
	AUTO_FREE char *key = table_key(dir->key, name);

	if (!key)
		return false;
	SCOPED_LOCK(&uploads->lock);
	return map_get(&uploads->pushed, key) != NULL;
}

static void remember_pushed(struct uploads *uploads, const char *dir,
    const char *name)
{
	AUTO_FREE char *key = table_key(dir, name);

	if (!key)
		return;
	SCOPED_LOCK(&uploads->lock);
	if (uploads->pushed.count >= PUSHED_NAMES_MAX)
		map_release(&uploads->pushed);
	map_put(&uploads->pushed, key, uploads);
}

void uploads_pushed_now(struct upload *upload)
{
	struct uploads *uploads = upload->mount->uploads;

	remember_pushed(uploads, upload->dir, upload->name);
	table_remove_all(uploads, upload);
}

void uploads_failed_now(struct upload *upload)
{
	struct uploads *uploads = upload->mount->uploads;
	AUTO_FREE char *failed = file_path(".%s.failed", upload->tag);
	struct err none = ERR_INIT;

	if (!failed ||
	    table_insert(uploads, upload->dir, failed, upload, &none) < 0)
		return; /* it stays under its own name */
	if (strcmp(failed, upload->name))
		table_remove(uploads, upload->dir, upload->name, upload);
	log_warn("%s is kept as %s, rename it to %s to try again: %s",
	    upload->name, failed, upload->tag, upload->error.msg);
}

/* What a file of that name in that directory pushes: *tag NULL for a scratch
 * file. The strings are the caller's. -EPERM where no file can be. */
static int upload_target(const struct node *dir, const char *text,
    char **repository, char **tag, struct err *err)
{
	const char *dir_repository, *dir_tag = NULL;
	struct name name;

	*repository = *tag = NULL;
	name_parse(&name, text);
	if (dir->view == &view_image) {
		image_node_target(dir, &dir_repository, &dir_tag);
		if (!dir_tag)
			return err_set(err, EPERM,
			    "%s: an image named by its digest never changes",
			    text);
		if (!name_is_archive(text))
			return 0;
		*repository = strdup(dir_repository);
		*tag = strdup(dir_tag);
		return *repository && *tag ? 0 : err_nomem(err);
	}
	dir_repository = repo_node_repository(dir);
	if (!*dir_repository && !*name.repository)
		return err_set(err, EPERM,
		    "%s: an image needs a repository: write it to "
		    "REPOSITORY/%s",
		    text, text);
	if (!name_push_tag(&name))
		return 0;
	*repository = *name.repository
			  ? file_path("%s%s%s", dir_repository,
				*dir_repository ? "/" : "", name.repository)
			  : strdup(dir_repository);
	*tag = strdup(name_push_tag(&name));
	return *repository && *tag ? 0 : err_nomem(err);
}

static int upload_new(struct mount *mount, const char *dir, const char *name,
    mode_t mode, struct upload **out, struct err *err)
{
	struct uploads *uploads = mount->uploads;
	CLEANUP(upload_put_p)
	struct upload *upload = calloc(1, sizeof(*upload));
	int r;

	if (!upload)
		return err_nomem(err);
	atomic_init(&upload->refs, 1);
	monitor_init(&upload->monitor);
	upload->mount = mount;
	upload->mode = mode;
	clock_gettime(CLOCK_REALTIME, &upload->mtime);
	upload->dir = strdup(dir);
	upload->name = strdup(name);
	if (!upload->dir || !upload->name)
		return err_nomem(err);
	{
		SCOPED_LOCK(&uploads->lock);
		upload->serial = ++uploads->serial;
	}
	r = spool_new(images_store(mount->images), &upload->spool, err);
	if (r == 0)
		*out = steal(&upload);
	return r;
}

int upload_create(struct node *dir, const char *name, mode_t mode,
    struct node **out, struct err *err)
{
	AUTO_FREE char *repository = NULL;
	AUTO_FREE char *tag = NULL;
	CLEANUP(upload_put_p) struct upload *upload = NULL;
	int r = upload_target(dir, name, &repository, &tag, err);

	if (r == 0)
		r = upload_new(dir->mount, dir->key, name, mode, &upload, err);
	if (r < 0)
		return r;
	upload->repository = steal(&repository);
	upload->tag = steal(&tag);
	r = table_insert(dir->mount->uploads, dir->key, name, upload, err);
	return r < 0 ? r : upload_node(dir->mount, upload, out, err);
}

int upload_replacing(struct mount *mount, const char *dir, const char *name,
    const char *repository, const char *tag, struct upload **out,
    struct err *err)
{
	CLEANUP(upload_put_p) struct upload *upload = NULL;
	int r = upload_new(mount, dir, name, 0644, &upload, err);

	if (r < 0)
		return r;
	upload->repository = strdup(repository);
	upload->tag = strdup(tag);
	if (!upload->repository || !upload->tag)
		return err_nomem(err);
	*out = steal(&upload);
	return 0;
}

static void swap(char **a, char **b)
{
	char *was = *a;

	*a = *b;
	*b = was;
}

/* The bytes stay under the old name, and as .TAG.failed where they would have
 * gone: programs that rename remove the old name when that fails. */
static void rename_failed(struct upload *upload, const char *to_dir,
    const struct err *why)
{
	AUTO_FREE char *failed = file_path(".%s.failed", upload->tag);
	struct err none = ERR_INIT;

	upload_forget(upload);
	upload_become(upload, UPLOAD_OPEN, why);
	if (failed)
		table_insert(upload->mount->uploads, to_dir, failed, upload,
		    &none);
}

/*
 * Moves the upload to its new name and, if that pushes, pushes it: what it was
 * before is restored when that fails, because a program that renames then
 * removes the old name. Between begin and end. The strings are exchanged.
 */
static int rename_begun(struct upload *upload, char **to_dir, char **to_name,
    char **repository, char **tag, struct err *err)
{
	struct uploads *uploads = upload->mount->uploads;
	bool pushes = *tag && spool_size(upload->spool);
	int r = 0;

	if (upload->state == UPLOAD_PUSHED)
		return err_set(err, EBUSY, "it has just been pushed");
	upload_forget(upload);
	swap(&upload->repository, repository);
	swap(&upload->tag, tag);
	if (pushes)
		r = upload_complete(upload, err);
	if (r >= 0) {
		table_remove_all(uploads, upload);
		swap(&upload->dir, to_dir);
		swap(&upload->name, to_name);
	}
	if (r == 0)
		return table_insert(uploads, upload->dir, upload->name, upload,
		    err);
	if (r == 1) {
		upload_become(upload, UPLOAD_PUSHED, NULL);
		remember_pushed(uploads, upload->dir, upload->name);
		upload_drop_unreachable(upload);
		return 0;
	}
	rename_failed(upload, *to_dir, err);
	swap(&upload->repository, repository);
	swap(&upload->tag, tag);
	return r;
}

int upload_rename(struct node *dir, const char *name, struct node *to_dir,
    const char *to_name, unsigned flags, struct err *err)
{
	CLEANUP(upload_put_p)
	struct upload *upload = table_find(dir->mount->uploads, dir->key, name);
	AUTO_FREE char *repository = NULL;
	AUTO_FREE char *tag = NULL;
	AUTO_FREE char *new_dir = strdup(to_dir->key);
	AUTO_FREE char *new_name = strdup(to_name);
	int r;

	if (!upload)
		return err_set(err, EPERM, "%s: this mount does not move tags",
		    name);
	if (flags)
		return err_set(err, EINVAL, "%s: names cannot be exchanged",
		    name);
	if (!new_dir || !new_name)
		return err_nomem(err);
	r = upload_target(to_dir, to_name, &repository, &tag, err);
	if (r == 0)
		r = upload_begin(upload, err);
	if (r < 0)
		return r;
	r = rename_begun(upload, &new_dir, &new_name, &repository, &tag, err);
	upload_end(upload);
	return r;
}
