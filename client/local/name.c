/* SPDX-License-Identifier: Apache-2.0 */
/* Names: one table of all of them, and a list for each directory. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/map.h"
#include "state.h"

/* Odd, its bits well mixed: directories are numbered in order. */
static const uint64_t SPREAD = UINT64_C(0x9e3779b97f4a7c15);

static uint64_t hash_of(const struct local_inode *dir, const char *text)
{
	return map_hash(text) ^ dir->number * SPREAD;
}

static struct local_name **bucket(struct localfs *fs, uint64_t hash)
{
	return &fs->buckets[hash & (fs->bucket_count - 1)];
}

struct local_name *name_find(const struct local_inode *dir, const char *text)
{
	uint64_t hash = hash_of(dir, text);
	struct local_name *name = *bucket(dir->fs, hash);

	while (name && (name->hash != hash || name->dir != dir ||
			   strcmp(name->text, text) != 0))
		name = name->next;
	return name;
}

struct local_name *name_new(struct local_inode *dir, const char *text)
{
	size_t size = strlen(text) + 1;
	struct local_name *name = malloc(sizeof(*name) + size);

	if (!name)
		return NULL;
	*name = (struct local_name){.hash = hash_of(dir, text), .dir = dir};
	memcpy(name->text, text, size);
	return name;
}

static void grow(struct localfs *fs)
{
	size_t old_count = fs->bucket_count;
	struct local_name **old = fs->buckets;
	struct local_name **buckets = calloc(old_count * 2, sizeof(*buckets));

	if (!buckets)
		return; /* longer chains */
	fs->buckets = buckets;
	fs->bucket_count = old_count * 2;
	for (size_t i = 0; i < old_count; i++) {
		while (old[i]) {
			struct local_name *name = old[i];
			struct local_name **to = bucket(fs, name->hash);

			old[i] = name->next;
			name->next = *to;
			*to = name;
		}
	}
	free(old);
}

void name_insert(struct local_name *name, struct local_inode *inode)
{
	struct local_inode *dir = name->dir;
	struct localfs *fs = dir->fs;
	struct local_name **to = bucket(fs, name->hash);

	name->inode = inode;
	name->next = *to;
	*to = name;
	name->after = dir->names;
	name->link = &dir->names;
	if (name->after)
		name->after->link = &name->after;
	dir->names = name;
	if (++fs->name_count > fs->bucket_count)
		grow(fs);
}

void name_remove(struct local_name *name)
{
	struct local_name **at = bucket(name->dir->fs, name->hash);

	while (*at != name)
		at = &(*at)->next;
	*at = name->next;
	*name->link = name->after;
	if (name->after)
		name->after->link = name->link;
	name->dir->fs->name_count--;
}

void name_free(struct local_name *name)
{
	free(name);
}

int local_lookup(struct local_inode *dir, const char *text,
    struct local_inode **out, struct err *err)
{
	struct local_name *name;

	if (strlen(text) > LOCAL_NAME_MAX)
		return err_set(err, ENAMETOOLONG, "%s: the name is too long",
		    text);
	SCOPED_LOCK(&dir->fs->lock);
	name = name_find(dir, text);
	if (!name)
		return err_set(err, ENOENT, "%s: no such name", text);
	name->inode->refs++;
	*out = name->inode;
	return 0;
}

int local_list(struct local_inode *dir,
    int (*each)(void *arg, const char *name, uint64_t number, mode_t mode,
	struct err *err),
    void *arg, struct err *err)
{
	int r = 0;

	SCOPED_LOCK(&dir->fs->lock);
	for (struct local_name *name = dir->names; name && r == 0;
	     name = name->after)
		r = each(arg, name->text, name->inode->number,
		    name->inode->mode, err);
	return r;
}
