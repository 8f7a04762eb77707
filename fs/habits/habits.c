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
#include "node/nodes.h"

/* --- what a program has just tried --- */

enum {
	NOTES = 64,     /* of one thread; the oldest one goes */
	THREADS = 256,  /* that are between two system calls at a time */
	RELATIVES = 16, /* threads of one process that noted the same */
};

struct attempt_note {
	bool used;
	enum attempt_kind kind;
	uint64_t dir;
	char name[256];
};

/* What one thread has noted. */
struct noter {
	pid_t thread;
	struct attempt_note notes[NOTES];
	size_t next;
	struct noter *older; /* the one that noted something before it */
};

struct attempts {
	pthread_mutex_t lock;
	struct noter *newest; /* under lock, with all that it leads to */
	size_t count;
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

/* Takes one out of the list, whose link leads to it, and frees it. */
static void drop_noter(struct attempts *attempts, struct noter **link)
{
	struct noter *noter = *link;

	*link = noter->older;
	attempts->count--;
	free(noter);
}

void attempts_free(struct attempts *attempts)
{
	if (!attempts)
		return;
	while (attempts->newest)
		drop_noter(attempts, &attempts->newest);
	pthread_mutex_destroy(&attempts->lock);
	free(attempts);
}

/* Makes room for one more: those that have ended go, or the one that noted
 * nothing for longest. Under lock. */
static void drop_ended(struct attempts *attempts)
{
	struct noter **link = &attempts->newest;

	while (*link) {
		bool too_many = attempts->count >= THREADS && !(*link)->older;

		if (too_many || caller_has_ended((*link)->thread))
			drop_noter(attempts, link);
		else
			link = &(*link)->older;
	}
}

/* Under lock, as what follows. NULL: it has noted nothing. */
static struct noter *noter_of(struct attempts *attempts, pid_t thread)
{
	struct noter *noter = attempts->newest;

	while (noter && noter->thread != thread)
		noter = noter->older;
	return noter;
}

/* Finds the notes of the caller's thread, or makes them, and puts them first.
 * NULL: out of memory. */
static struct noter *noter_make(struct attempts *attempts)
{
	pid_t thread = caller_now().pid;
	struct noter **link = &attempts->newest;
	struct noter *noter;

	while (*link && (*link)->thread != thread)
		link = &(*link)->older;
	noter = *link;
	if (noter) {
		*link = noter->older;
	} else {
		drop_ended(attempts);
		noter = calloc(1, sizeof(*noter));
		if (!noter)
			return NULL;
		noter->thread = thread;
		attempts->count++;
	}
	noter->older = attempts->newest;
	attempts->newest = noter;
	return noter;
}

static struct attempt_note *find_note(struct noter *noter,
    const struct node *dir, const char *name, enum attempt_kind kind)
{
	for (size_t i = 0; noter && i < NOTES; i++) {
		struct attempt_note *note = &noter->notes[i];

		if (note->used && note->kind == kind && note->dir == dir->ino &&
		    strcmp(note->name, name) == 0)
			return note;
	}
	return NULL;
}

void attempt_note(const struct node *dir, const char *name,
    enum attempt_kind kind)
{
	struct attempts *attempts = dir->mount->attempts;
	struct noter *noter;
	struct attempt_note *note;

	if (!caller_now().pid)
		return;
	SCOPED_LOCK(&attempts->lock);
	noter = noter_make(attempts);
	if (!noter)
		return; /* it is told what is so for all */
	note = find_note(noter, dir, name, kind);
	if (!note)
		note = &noter->notes[noter->next++ % NOTES];
	note->used = true;
	note->kind = kind;
	note->dir = dir->ino;
	snprintf(note->name, sizeof(note->name), "%s", name);
}

/* The thread of the caller's process that has noted it; 0: none has. */
static pid_t noted_by(const struct node *dir, const char *name,
    enum attempt_kind kind)
{
	struct attempts *attempts = dir->mount->attempts;
	pid_t me = caller_now().pid, others[RELATIVES];
	size_t count = 0;

	if (!me)
		return 0;
	{
		SCOPED_LOCK(&attempts->lock);
		for (struct noter *at = attempts->newest; at; at = at->older) {
			if (!find_note(at, dir, name, kind))
				continue;
			if (at->thread == me)
				return me;
			if (count < RELATIVES)
				others[count++] = at->thread;
		}
	}
	for (size_t i = 0; i < count; i++)
		if (caller_is_of(others[i]))
			return others[i];
	return 0;
}

void attempt_forget(const struct node *dir, const char *name,
    enum attempt_kind kind)
{
	struct attempts *attempts = dir->mount->attempts;
	pid_t thread = noted_by(dir, name, kind);
	struct attempt_note *note;

	SCOPED_LOCK(&attempts->lock);
	note = find_note(noter_of(attempts, thread), dir, name, kind);
	if (note)
		note->used = false;
}

bool attempt_is_noted(const struct node *dir, const char *name,
    enum attempt_kind kind)
{
	return noted_by(dir, name, kind) != 0;
}

uint64_t attempt_last(const struct mount *mount, enum attempt_kind kind)
{
	struct attempts *attempts = mount->attempts;
	const struct noter *noter;

	SCOPED_LOCK(&attempts->lock);
	noter = noter_of(attempts, caller_now().pid);
	for (size_t i = 1; noter && i <= NOTES; i++) {
		const struct attempt_note *note =
		    &noter->notes[(noter->next - i) % NOTES];

		if (note->used && note->kind == kind)
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
		    "the new name is in an image; nothing can be moved there");
	if (!(flags & RENAME_NOREPLACE)) {
		attempt_forget(dir, name, ATTEMPT_MOVE_INTO);
		return 0;
	}
	attempt_note(dir, name, ATTEMPT_MOVE_INTO);
	return err_set(err, EEXIST, "already exists, as an image");
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

int replace_check_part(const char *tag, struct err *err)
{
	if (!caller_is_rsync())
		return 0;
	return err_set(err, EPERM,
	    "rsync would replace the parts of an existing image one "
	    "by one; replace the image as a whole: rsync %s.tar, or cp",
	    tag);
}

/* --- rm -r of an image --- */

/* Notes it in the caller's open handles of the directory. False: the caller has
 * no such handle. */
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

	(void)name;
	if (note_handles(image_dir, all ? REMOVING_ALL : REMOVING_REFUSED) &&
	    all)
		return 0;
	return err_set(err, EPERM,
	    "this is part of an image, and cannot be removed alone; %s",
	    all ? "rm -r of the image's directory removes its tag"
		: "rm -r of the tag needs -o delete=recursive");
}

static bool is_top(const struct node *dir)
{
	return dir->ino == NODE_ROOT ||
	       (dir->kind == NODE_REPO &&
		   strcmp(repo_node_repository(dir), dir->source->base) == 0);
}

int removing_check_top(const struct node *dir, struct err *err)
{
	static const char *const programs[] = {"rm"};

	if (dir->mount->delete_tags != DELETE_RECURSIVE || !is_top(dir) ||
	    !caller_is_program(programs, 1))
		return 0;
	return err_set(err, EPERM,
	    "rm -r would remove all repositories here, and then not this "
	    "directory, which %s: remove the repositories by their names",
	    dir->ino == NODE_ROOT ? "is the mount point"
				  : "stands for a source of the mount");
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

/* --- names by which programs replace what is there --- */

/* ln -sf renames a link of such a name over a file that is there: over an
 * archive, which is no tag's own name. */
int link_check_name(const char *name, const char *path, struct err *err)
{
	static const char *const programs[] = {"ln"};
	static const char letters[] = "abcdefghijklmnopqrstuvwxyz"
				      "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
	enum { LENGTH = 8 };

	if (strncmp(name, "Cu", 2) != 0 || strlen(name) != LENGTH ||
	    strspn(name, letters) != LENGTH || !caller_is_program(programs, 1))
		return 0;
	return err_set(err, EPERM,
	    "an archive cannot become a link: link the tag itself, as in "
	    "ln -sfn %s TAG",
	    path);
}

/* cp -b and editors move what they replace out of the way. */
int backup_check(const char *to_name, struct err *err)
{
	if (to_name[strlen(to_name) - 1] != '~')
		return 0;
	return err_set(err, EPERM,
	    "a write replaces an image as a whole; to "
	    "keep the image, give it another tag first (ln -s TAG OLD)");
}

/* --- programs that make directories --- */

/* Programs that unpack into a directory that somebody else has made. */
bool caller_unpacks(void)
{
	static const char *const programs[] = {"tar", "bsdtar"};

	return caller_is_program(programs,
	    sizeof(programs) / sizeof(*programs));
}

/* Programs that make several directories and write nothing into them. */
bool caller_only_makes(void)
{
	static const char *const programs[] = {"mkdir", "install", "ginstall"};

	return caller_is_program(programs,
	    sizeof(programs) / sizeof(*programs));
}
