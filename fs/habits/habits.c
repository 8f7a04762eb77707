/* SPDX-License-Identifier: Apache-2.0 */
/* What programs do in several system calls. */
#include "habits.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/lock.h"
#include "caller.h"
#include "node/mount.h"

/* --- what a program has just tried --- */

/* More programs than that hardly are between two system calls. */
enum { NOTES = 64 };

struct note {
	enum attempt_kind kind;
	pid_t pid; /* 0: free */
	uint64_t dir;
	char name[256];
};

struct attempts {
	pthread_mutex_t lock;
	struct note notes[NOTES]; /* under lock */
	size_t next;              /* likewise */
};

struct attempts *attempts_new(struct err *err)
{
	struct attempts *attempts = calloc(1, sizeof(*attempts));

	if (!attempts) {
		err_nomem(err);
		return NULL;
	}
	pthread_mutex_init(&attempts->lock, NULL);
	return attempts;
}

void attempts_free(struct attempts *attempts)
{
	if (!attempts)
		return;
	pthread_mutex_destroy(&attempts->lock);
	free(attempts);
}

/* Under lock. */
static struct note *find_note(struct attempts *attempts, const struct node *dir,
    const char *name, enum attempt_kind kind)
{
	pid_t pid = caller_now().pid;

	for (size_t i = 0; i < NOTES && pid != 0; i++) {
		struct note *note = &attempts->notes[i];

		if (note->pid == pid && note->kind == kind &&
		    note->dir == dir->ino && strcmp(note->name, name) == 0)
			return note;
	}
	return NULL;
}

void attempt_note(const struct node *dir, const char *name,
    enum attempt_kind kind)
{
	struct attempts *attempts = dir->mount->attempts;
	struct note *note;

	SCOPED_LOCK(&attempts->lock);
	note = find_note(attempts, dir, name, kind);
	if (!note)
		note = &attempts->notes[attempts->next++ % NOTES];
	note->kind = kind;
	note->pid = caller_now().pid;
	note->dir = dir->ino;
	snprintf(note->name, sizeof(note->name), "%s", name);
}

void attempt_forget(const struct node *dir, const char *name,
    enum attempt_kind kind)
{
	struct attempts *attempts = dir->mount->attempts;
	struct note *note;

	SCOPED_LOCK(&attempts->lock);
	note = find_note(attempts, dir, name, kind);
	if (note)
		note->pid = 0;
}

bool attempt_is_noted(const struct node *dir, const char *name,
    enum attempt_kind kind)
{
	struct attempts *attempts = dir->mount->attempts;

	SCOPED_LOCK(&attempts->lock);
	return find_note(attempts, dir, name, kind) != NULL;
}

uint64_t attempt_last(const struct mount *mount, enum attempt_kind kind)
{
	struct attempts *attempts = mount->attempts;
	pid_t pid = caller_now().pid;

	SCOPED_LOCK(&attempts->lock);
	for (size_t i = 1; pid && i <= NOTES; i++) {
		const struct note *note =
		    &attempts->notes[(attempts->next - i) % NOTES];

		if (note->pid == pid && note->kind == kind)
			return note->dir;
	}
	return 0;
}

/* --- mv into the directory of an image --- */

int move_into_check(const struct node *dir, const char *name,
    const char *to_name, unsigned flags, struct err *err)
{
	if (dir->kind != NODE_IMAGE)
		return 0;
	if (strcmp(name, to_name) != 0)
		return err_set(err, EPERM,
		    "%s: part of an image; nothing can be moved there",
		    to_name);
	if (!(flags & RENAME_NOREPLACE)) {
		attempt_forget(dir, name, ATTEMPT_MOVE_INTO);
		return 0;
	}
	attempt_note(dir, name, ATTEMPT_MOVE_INTO);
	return err_set(err, EEXIST, "%s: already exists, as an image", name);
}

bool move_into_is_tried(const struct node *dir, const char *name)
{
	return attempt_is_noted(dir, name, ATTEMPT_MOVE_INTO);
}

/* --- a file that is removed and made again --- */

/* Programs that unlink a file before they write another one of its name. */
static bool caller_replaces(void)
{
	static const char *const programs[] = {"mv", "install", "ginstall",
	    "cp", "tar", "bsdtar", "gzip", "pigz", "bzip2", "xz", "zstd"};

	return caller_is_program(programs,
	    sizeof(programs) / sizeof(*programs));
}

/* tar removes what it has put into its archive, or has found to be in there. It
 * takes the option by its first letters, too. */
static bool caller_removes(void)
{
	static const char *const programs[] = {"tar"};

	return caller_is_program(programs, 1) && caller_has_argument("--rem");
}

bool replace_begin(struct node *dir, const char *name)
{
	if (!caller_replaces() || caller_removes())
		return false;
	attempt_note(dir, name, ATTEMPT_REPLACE);
	return true;
}

bool replace_is_begun(const struct node *dir, const char *name)
{
	return attempt_is_noted(dir, name, ATTEMPT_REPLACE);
}

void replace_end(const struct node *dir, const char *name)
{
	attempt_forget(dir, name, ATTEMPT_REPLACE);
}

int replace_check_part(const char *name, const char *repository,
    const char *tag, struct err *err)
{
	if (!caller_is_rsync())
		return 0;
	return err_set(err, EPERM,
	    "%s/%s/%s: rsync would replace the parts of an existing image one "
	    "by one; replace the image as a whole: rsync %s.tar, or cp",
	    repository, tag, name, tag);
}

/* --- rm -r of an image --- */

/* Notes it for the caller who has the directory open. False: nobody has. */
static bool note_handles(struct node *image_dir, enum removing removing)
{
	struct mount *mount = image_dir->mount;
	pid_t pid = caller_now().pid;
	bool noted = false;

	SCOPED_LOCK(&mount->handles_lock);
	for (struct handle *at = mount->handles; at; at = at->next) {
		if (at->node != image_dir || at->pid != pid)
			continue;
		at->removing = removing;
		noted = true;
	}
	return noted;
}

int removing_part(struct node *image_dir, const char *name, struct err *err)
{
	bool all = image_dir->mount->delete_tags == DELETE_RECURSIVE;

	if (note_handles(image_dir, all ? REMOVING_ALL : REMOVING_REFUSED) &&
	    all)
		return 0;
	return err_set(err, EPERM,
	    "%s: part of an image, cannot be removed alone; %s", name,
	    all ? "rm -r of the image's directory removes its tag"
		: "rm -r of the tag needs -o delete=recursive");
}

enum removing removing_opened(struct handle *handle)
{
	struct mount *mount = handle->node->mount;
	pid_t pid = caller_now().pid;

	SCOPED_LOCK(&mount->handles_lock);
	for (struct handle *at = mount->handles; at; at = at->next)
		if (at->removing && at->pid == pid &&
		    node_is_below(handle->node, at->node))
			return handle->removing = at->removing;
	return REMOVING_NOTHING;
}
