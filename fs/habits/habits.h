/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What programs do, system call by system call, where one call alone does not
 * say what they mean, and what follows from it. What is noted is of the calling
 * process (caller.h): no other one sees any of it, and whatever others note, it
 * stays until the process has ended.
 *
 * mv NEW 1.0, where 1.0 is an image: what is moved takes the image's tag.
 *
 *	rename(NEW, 1.0, NOREPLACE)      EEXIST: it is a directory, so that mv
 *	                                 moves into it
 *	rename(NEW, 1.0/NEW, NOREPLACE)  EEXIST, which is noted
 *	stat(1.0/NEW)                    finds the image, to be replaced
 *	rename(NEW, 1.0/NEW)             takes the tag
 *
 * mv, install, tar, gzip over 1.0.tar, and cp --remove-destination: one step,
 * at whose end the tag names the new image, and the old one where it fails.
 *
 *	unlink(1.0.tar)                  removes nothing, which is noted
 *	open(1.0.tar, O_CREAT | O_EXCL)  does not find the name, and makes it
 *
 * Up to there these are the calls of a removal, so it is the program's name
 * that tells. mv removes, too, when it moves out of the mount: it has then
 * read the file before (document.h). tar --remove-files removes what it has
 * read. gzip removes 1.0.tar when it has written 1.0.tar.gz, which is the same
 * tag (upload/written_file.h, written_names_renew()).
 *
 * cp -b and editors: rename(1.0.tar, 1.0.tar~) before they write another one
 * is refused: a write replaces an image as a whole.
 *
 * rm -r 1.0: it goes depth first, and would read the names in all layers.
 *
 *	open(1.0), getdents              the parts
 *	unlink(1.0/config.json)          0 where the mount removes so, else
 *	                                 -EPERM; both are noted in the handle
 *	open(1.0/layers), getdents       empty, or -EPERM
 *	rmdir(1.0)                       removes the tag, and nothing did before
 *
 * ln -s 1.0 stable: symlink(1.0, stable), which puts the tag (tag/tags.c).
 *
 * ln -sfn 1.0 stable, where there is such a tag:
 *
 *	symlink(1.0, stable)             EEXIST
 *	stat(stable)                     a directory, which is not replaced
 *	symlink(1.0, stable/1.0)         puts the tag stable
 *
 * ln -sf 1.0 stable.tar, a file: symlink(1.0, CuXXXXXX), to be renamed over it,
 * is refused, since that name is another tag's.
 *
 * cp -r 1.0 2.0, rsync -a, tar x: a directory is made and filled.
 *
 *	mkdir(2.0)                       noted, unless the program only makes
 *	                                 directories
 *	stat(2.0/config.json), or        an image that is copied file by file
 *	mkdir(2.0/rootfs)                (mirror/mirror.h)
 *	open(1.0/layers), getdents       by cp, and nothing else in 2.0: a copy
 *	                                 of one directory of an image
 *	                                 (mirror/part_copy.h)
 */
#ifndef FS_HABITS_H
#define FS_HABITS_H

#include <stdbool.h>

#include "base/err.h"
#include "node/node.h"
#include "node/view.h"

/* What a process has just tried, in one directory, with one name. */
enum attempt_kind {
	/* To rename something into the directory of an image, which was told
	 * that there is one already. */
	ATTEMPT_MOVE_INTO,
	/* To remove a file, in order to make one of that name. */
	ATTEMPT_REPLACE,
	/* To make the directory itself, in a repository, which is to be
	 * filled; the name is "". */
	ATTEMPT_MAKE,
	/* To put the files of a layers/ into a directory; likewise
	 * (mirror/part_copy.h). */
	ATTEMPT_LAYERS,
};

struct attempts;

/* The notes of a mount. NULL: out of memory, err filled; freeing NULL does
 * nothing. */
struct attempts *attempts_new(struct err *err);
void attempts_free(struct attempts *attempts);

/* Of the caller's process, as all that follows. Of one thread's notes the last
 * ones are kept. */
void attempt_note(const struct node *dir, const char *name,
    enum attempt_kind kind);
void attempt_forget(const struct node *dir, const char *name,
    enum attempt_kind kind);
bool attempt_is_noted(const struct node *dir, const char *name,
    enum attempt_kind kind);
/* The directory of the newest one of the caller's thread; 0: no attempt. */
uint64_t attempt_last(const struct mount *mount, enum attempt_kind kind);

/* mv: rename() into a directory, with the flags of renameat2(2): 0 where it is
 * not an image's, or may be. -EPERM under another name; -EEXIST with
 * RENAME_NOREPLACE, with which mv always tries first. */
int move_into_check(const struct node *dir, const char *name,
    const char *to_name, unsigned flags, struct err *err);

/* Whether the caller has just been told so of that name. It then looks for what
 * is there, to find out whether it may be replaced: the image is. */
bool move_into_is_tried(const struct node *dir, const char *name);

/* unlink() of a document (document.h) that its caller has not read: whether the
 * caller goes on to make a file of that name. It then does not find the name
 * until it has made it. */
bool replace_begin(struct node *dir, const char *name);

/* Whether the caller is between the two steps. */
bool replace_is_begun(const struct node *dir, const char *name);

/* The file has been made. */
void replace_end(const struct node *dir, const char *name);

/*
 * A part of a tag's image is about to be replaced. rsync brings the directory
 * of another image file by file and leaves out what it takes to be the same:
 * what came out would be an image that nobody has. -EPERM where it is rsync
 * that asks.
 */
int replace_check_part(const char *tag, struct err *err);

/* rm -r: view unlink() and rmdir() of a part of an image: -EPERM, or 0 where
 * the whole is being removed. */
int removing_part(struct node *image_dir, const char *name, struct err *err);

/* rm -r of all that is mounted of a source, or of the mount point: -EPERM where
 * the mount removes recursively. The directory itself would stay, so that rm
 * would fail once it has removed everything. rm alone opens what it removes;
 * others (find, du) may open it for another purpose. */
int removing_check_top(const struct node *dir, struct err *err);

/* What the caller, whose new handle it is, does to the image in which its
 * directory lies. The handle says so from now on. */
enum removing removing_opened(struct handle *handle);

/* ln -sf over an archive: -EPERM for the name of its temporary link, to a
 * path. */
int link_check_name(const char *name, const char *path, struct err *err);

/* cp -b: -EPERM for a rename to the name of a backup. */
int backup_check(const char *to_name, struct err *err);

/* Whether the caller is a program that unpacks into a directory which somebody
 * else has made; that makes directories and writes nothing into them. */
bool caller_unpacks(void);
bool caller_only_makes(void);

#endif
