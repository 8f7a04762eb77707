/* SPDX-License-Identifier: Apache-2.0 */
/* The table of mirrors, and what is written into them. */
#include "mirror.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/lock.h"
#include "base/log.h"
#include "base/map.h"
#include "habits/caller.h"
#include "habits/habits.h"
#include "node/nodes.h"
#include "node/view.h"
#include "oci/reference.h"
#include "scratch/scratch.h"
#include "tag/made.h"

struct mirror {
	bool done;
	pid_t pid; /* of the thread that completed image.tar; 0: unknown */
	/* Until it is done: the last to bring a part; 0: the log has it. */
	pid_t writer;
	struct digest image; /* what the tag then named */
	/* The manifests that were copied into it, by their bytes. */
	struct digest manifest, index;
	/* Which thread copied them, and which part it has just made. */
	pid_t copier;
	const char *part;
};

struct mirrors {
	pthread_mutex_t lock;
	struct map map; /* the directory's path → struct mirror; under lock */
};

struct mirrors *mirrors_new(struct err *err)
{
	struct mirrors *mirrors = calloc(1, sizeof(*mirrors));

	if (!mirrors) {
		err_nomem(err);
		return NULL;
	}
	pthread_mutex_init(&mirrors->lock, NULL);
	return mirrors;
}

void mirrors_free(struct mirrors *mirrors)
{
	if (!mirrors)
		return;
	map_foreach (&mirrors->map, slot)
		free(slot->value);
	map_release(&mirrors->map);
	pthread_mutex_destroy(&mirrors->lock);
	free(mirrors);
}

/* Under lock. */
static bool is_over(const struct mirror *mirror)
{
	return mirror->done && (!mirror->pid || caller_has_ended(mirror->pid));
}

/* Takes out one that is done, if its program has ended or all shall go. Its
 * path, new; NULL: there is none. */
static char *take_over(struct mirrors *mirrors, bool all)
{
	SCOPED_LOCK(&mirrors->lock);
	map_foreach (&mirrors->map, slot) {
		struct mirror *mirror = slot->value;
		char *path;

		if (!(all ? mirror->done : is_over(mirror)))
			continue;
		path = strdup(slot->key);
		if (path)
			free(map_del(&mirrors->map, slot->key));
		return path;
	}
	return NULL;
}

static void forget_over(struct mount_source *source, bool all)
{
	char *path;

	while ((path = take_over(source->mirrors, all))) {
		scratch_forget(source, path);
		free(path);
	}
}

/* The path, new, of one whose program has ended without image.tar, or NULL.
 * Once for each program. */
static char *take_unfinished(struct mirrors *mirrors)
{
	SCOPED_LOCK(&mirrors->lock);
	map_foreach (&mirrors->map, slot) {
		struct mirror *mirror = slot->value;

		if (mirror->done || !caller_has_ended(mirror->writer))
			continue;
		mirror->writer = 0;
		return strdup(slot->key);
	}
	return NULL;
}

static void log_unfinished(struct mount_source *source)
{
	char *path;

	while ((path = take_unfinished(source->mirrors))) {
		AUTO_FREE char *shown = source_path(source, path);

		if (made_has(source->made, path))
			log_warn("%s: parts of an image were copied here "
				 "without its image.tar, which the tag is made "
				 "of: there is no tag; copy image.tar into the "
				 "directory, or remove the directory",
			    shown ? shown : path);
		free(path);
	}
}

void mirrors_end(struct mount_source *source)
{
	log_unfinished(source);
	forget_over(source, true);
}

/* Under lock. */
static struct mirror *find(const struct mount_source *source, const char *path)
{
	return map_get(&source->mirrors->map, path);
}

/* One that was given up has its directory removed. */
static bool is_mirror(const struct mount_source *source, const char *path)
{
	bool made = made_has(source->made, path);
	const struct mirror *mirror;

	SCOPED_LOCK(&source->mirrors->lock);
	mirror = find(source, path);
	return mirror && (mirror->done || made);
}

static bool is_part(const char *name, mode_t type)
{
	const struct image_part *part = image_part_find(name);

	return part && part->mode == type;
}

const char *mirror_tag(const char *path)
{
	const char *slash = strrchr(path, '/');
	const char *tag = slash ? slash + 1 + (slash[1] == ':') : NULL;

	return tag && tag_valid(tag, strlen(tag)) ? tag : NULL;
}

bool mirror_can_be(const char *repository, const char *name)
{
	name += *name == ':';
	return *repository && repository_valid(repository) &&
	       tag_valid(name, strlen(name));
}

/* A namespace that is mounted alone is no repository's directory. */
static bool can_begin(const struct node *dir)
{
	const char *path = repo_node_repository(dir);

	return dir->ino != NODE_ROOT && mirror_tag(path) &&
	       made_has(dir->source->made, path) &&
	       !images_found(dir->source->images, path);
}

static void begin(struct node *dir)
{
	struct mirrors *mirrors = dir->source->mirrors;
	const char *path = repo_node_repository(dir);
	struct mirror *mirror;

	if (!can_begin(dir))
		return;
	SCOPED_LOCK(&mirrors->lock);
	if (find(dir->source, path))
		return;
	mirror = calloc(1, sizeof(*mirror));
	/* What is refused for want of memory is a copy, in a sentence. */
	if (mirror && map_put(&mirrors->map, path, mirror) < 0)
		free(mirror);
}

void mirror_begin(struct node *dir, const char *name)
{
	forget_over(dir->source, false);
	log_unfinished(dir->source);
	if (is_part(name, S_IFREG))
		begin(dir);
}

void mirror_begin_by_mkdir(struct node *dir, const char *name)
{
	if (!is_part(name, S_IFDIR))
		return;
	if (attempt_is_noted(dir, "", ATTEMPT_MAKE) || caller_unpacks())
		begin(dir);
}

void mirror_made(struct node *dir)
{
	struct mirrors *mirrors = dir->source->mirrors;
	const char *path = repo_node_repository(dir);
	const struct mirror *before;

	if (!caller_only_makes())
		attempt_note(dir, "", ATTEMPT_MAKE);
	SCOPED_LOCK(&mirrors->lock);
	before = find(dir->source, path);
	if (before && !before->done)
		free(map_del(&mirrors->map, path));
}

int mirror_check_end(const struct node *dir, struct err *err)
{
	struct mirrors *mirrors = dir->source->mirrors;
	const char *path = repo_node_repository(dir);
	pid_t writer = 0;

	{
		SCOPED_LOCK(&mirrors->lock);
		const struct mirror *mirror = find(dir->source, path);

		if (mirror && !mirror->done)
			writer = mirror->writer;
	}
	if (!writer || !made_has(dir->source->made, path))
		return 0;
	/* One process of rsync makes directories, and another one files. */
	if (!caller_is_of(writer) && !attempt_is_noted(dir, "", ATTEMPT_MAKE))
		return 0;
	return err_set(err, EIO,
	    "this copy of an image lacks image.tar, which the tag is made "
	    "of: there is no tag");
}

bool mirror_exists(struct mount_source *source, const char *repository)
{
	return is_mirror(source, repository);
}

bool mirror_has_part(const struct node *dir, const char *name)
{
	return image_part_find(name) &&
	       is_mirror(dir->source, repo_node_repository(dir));
}

bool mirror_is_at(struct mount_source *source, const char *repository)
{
	const struct mirror *mirror;
	pid_t pid = 0;

	forget_over(source, false);
	{
		SCOPED_LOCK(&source->mirrors->lock);
		mirror = find(source, repository);
		if (mirror && mirror->done)
			pid = mirror->pid;
	}
	return pid && caller_is_of(pid);
}

/* The calling thread makes a part. */
static void note_part(struct mount_source *source, const char *path,
    const char *name)
{
	struct mirror *mirror;

	SCOPED_LOCK(&source->mirrors->lock);
	mirror = find(source, path);
	if (mirror)
		mirror->writer = caller_now().pid;
	if (mirror && mirror->copier == caller_now().pid)
		mirror->part = image_part_find(name)->name;
}

int mirror_mkdir(struct node *dir, const char *name, mode_t mode,
    struct node **out, struct err *err)
{
	int r = scratch_mkdir(dir, name, mode, out, err);

	if (r == 0)
		note_part(dir->source, repo_node_repository(dir), name);
	return r;
}

/* Of the image whose part a directory is, if the caller copies it. Under lock.
 */
static struct mirror *find_copied(struct mirrors *mirrors,
    const struct image *image)
{
	pid_t pid = caller_now().pid;

	map_foreach (&mirrors->map, slot) {
		struct mirror *mirror = slot->value;

		if (!mirror->done && pid && mirror->copier == pid &&
		    (digest_equal(&mirror->manifest, &image->digest) ||
			digest_equal(&mirror->index, &image->digest)))
			return mirror;
	}
	return NULL;
}

static const struct image *part_of(const struct node *dir, const char **name)
{
	return dir->view->part_of ? dir->view->part_of(dir, name) : NULL;
}

bool mirror_is_copied(const struct node *dir)
{
	struct mirrors *mirrors = dir->source->mirrors;
	const char *name;
	const struct image *image = part_of(dir, &name);

	SCOPED_LOCK(&mirrors->lock);
	return image && find_copied(mirrors, image);
}

bool mirror_hides(const struct node *dir)
{
	struct mirrors *mirrors = dir->source->mirrors;
	const char *name;
	const struct image *image = part_of(dir, &name);
	struct mirror *mirror;

	SCOPED_LOCK(&mirrors->lock);
	mirror = image ? find_copied(mirrors, image) : NULL;
	if (!mirror || !mirror->part || strcmp(mirror->part, name) != 0 ||
	    !caller_is_cp())
		return false;
	mirror->part = NULL;
	return true;
}

void mirror_note_part(struct mount_source *source, const char *path,
    enum image_part_id part, const struct digest *digest)
{
	struct mirror *mirror;

	SCOPED_LOCK(&source->mirrors->lock);
	mirror = find(source, path);
	if (mirror)
		mirror->copier = mirror->writer = caller_now().pid;
	if (mirror && part == IMAGE_MANIFEST)
		mirror->manifest = *digest;
	if (mirror && part == IMAGE_INDEX)
		mirror->index = *digest;
}

bool mirror_image(struct mount_source *source, const char *path,
    struct digest *out)
{
	const struct mirror *mirror;

	SCOPED_LOCK(&source->mirrors->lock);
	mirror = find(source, path);
	if (!mirror || !mirror->done)
		return false;
	*out = mirror->image;
	return true;
}

void mirror_done(struct mount_source *source, const char *path,
    const struct digest *image)
{
	struct mirror *mirror;

	made_remove(source->made, path);
	SCOPED_LOCK(&source->mirrors->lock);
	mirror = find(source, path);
	if (!mirror)
		return;
	mirror->done = true;
	mirror->pid = caller_now().pid;
	mirror->image = *image;
}
