/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the files of this room share, each of which stands on those before it:
 * written_file.c (the object), written_dir.c and written_names.c (names),
 * failed.c (what is kept), finish.c (what a whole file becomes), copy.c (copies
 * of archives), rename.c, and write.c (what programs do).
 */
#ifndef FS_WRITTEN_H
#define FS_WRITTEN_H

#include <stdatomic.h>

#include "base/task.h"
#include "image/push.h"
#include "image/save.h"
#include "node/mount.h"
#include "oci/artifact.h"
#include "state.h"
#include "written_dir.h"
#include "written_file.h"

/* What is written in a mount. */
struct written_names {
	pthread_mutex_t lock;
	/* Under lock. */
	struct written_name *names;
	struct pushed_name *oldest, **newest; /* in order */
	size_t pushed_count;
	unsigned long serial;
};

struct written_file {
	atomic_uint refs;
	unsigned long serial;
	struct mount *mount;
	/* Where its name is, or would be. Changed by a rename, between
	 * written_file_begin() and written_file_end() and under the lock of all
	 * names. */
	struct written_dir *dir; /* counted */
	char *name;
	struct write_intent intent;
	struct written_name *names; /* under the lock of all names */

	struct monitor monitor;
	bool busy;             /* under monitor, as all that follows */
	enum file_state state; /* changed by who made it busy, as is: */
	/* Why it is FAILED, OVERRUN or CUT, or what became of its last rename;
	 * code 0: nothing. */
	struct err failure;
	unsigned openers;
	pid_t
	    emptied_by; /* the last to open it to write did so; 0: it did not */
	mode_t mode;
	struct timespec mtime;
	char type[ARTIFACT_TYPE_SIZE]; /* of an attachment, or "" */

	/* Of who made it busy. */
	struct spool *spool;
	struct push *push;            /* NULL while nothing has come in */
	struct save *source;          /* of a copy that has begun, else NULL */
	atomic_uint_least64_t copied; /* bytes of it; stat looks at them */
	bool temporary; /* its program made it as one, whatever its name */
};

/* When the last count has gone: frees it and its bytes; a push under way is
 * given up. */
void written_file_free(struct written_file *file);

/* Whether a program was to write it, as the shell's ">" says, and has ended
 * without a byte: `docker save nosuch >1.0.tar`. */
bool written_file_came_to_nothing(struct written_file *file);

/* One thread at a time works on the bytes: begin waits for that, -EINTR. */
int written_file_begin(struct written_file *file, struct err *err);
void written_file_end(struct written_file *file);

/* Sets state and failure (NULL: none). */
void written_file_become(struct written_file *file, enum file_state state,
    const struct err *failure);

/* As which it begins by its name: KEPT or OPEN. */
enum file_state written_file_first_state(const struct written_file *file);

/* Whether what is written into it, and copied, goes on to what it becomes. */
bool written_file_is_open_to_bytes(const struct written_file *file);

/* The rest between begin and end. Forgets a push and its outcome: KEPT or OPEN,
 * as its name says; and also what was copied. */
void written_file_restart(struct written_file *file);
void written_file_forget(struct written_file *file);

/* Begins the push of what is written into it, unless that has begun. */
int written_file_push(struct written_file *file, struct err *err);

/* Takes note of an outcome: 1 is DONE, a failure FAILED, or OVERRUN of what was
 * DONE; 0: more is to come. Gives 0, or what it failed with. */
int written_file_outcome(struct written_file *file, int r, struct err *err);

/*
 * In an image's directory a name need not say what a file is: an archive is one
 * by its content, unless its program will rename it. moved: it has come from
 * another directory. Between begin and end.
 */
void written_file_settle_kind(struct written_file *file, bool moved);

/* What a whole file does beside the push of its archive: 1, 0. */
int written_file_apply(struct written_file *file, struct err *err);

/* Pushes what is there, with nothing more to come for now, or (is_last) ever:
 * 1, or 0 if it is empty, or may be whole and may go on. */
int written_file_complete(struct written_file *file, bool is_last,
    struct err *err);

/* A new name, and what a file of that name becomes. */
struct renaming {
	struct written_dir *dir; /* counted */
	char *name;
	struct write_intent intent;
};

/* To a name in a directory. */
int renaming_init(struct renaming *renaming, struct node *dir, const char *name,
    struct err *err);
void renaming_release(struct renaming *renaming);

/* The step "move" of the table in state.h. */
int written_file_move(struct written_file *file, struct renaming *renaming,
    struct err *err);

/* Takes all names of a file out of the table: a push that a rename tried and
 * that failed has two. The caller has a count of its own. */
void written_names_take_all(struct written_file *file);

/* The name of one that has been pushed is known as such
 * (written_names_had()). */
void written_names_remember(struct written_file *file);

/* Forgets a copy. */
void written_file_copy_forget(struct written_file *file);

/* Of one that has begun: makes it, if all has been copied (1; -EINVAL). */
int written_file_copy_finish(struct written_file *file, struct err *err);

/* copy.c: reads what has been copied; turns it into bytes. */
ssize_t written_file_copy_read(struct written_file *file, void *data,
    size_t len, uint64_t off, struct err *err);
int written_file_copy_spool(struct written_file *file, struct err *err);

/* Frees the bytes of what has no name and no descriptor any more. */
void written_file_drop_unreachable(struct written_file *file);

/* Whether it has a name in some directory. */
bool written_file_is_named(struct written_file *file);

/* Bytes written, or copied. */
uint64_t written_file_size(struct written_file *file);

/* The file has become a tag: its name is the tag's from now on. */
void written_names_pushed(struct written_file *file);

/* The table of names: the file of a name in a directory (counted), or NULL. */
struct written_file *written_names_find(struct written_dir *dir,
    const char *name);
struct written_file *written_names_find_in(struct node *dir, const char *name);

/* Gives the file a name; what had it before loses it. */
int written_names_insert(struct written_dir *dir, const char *name,
    struct written_file *file, struct err *err);

/* Takes a name away, if it is that of `only` (NULL: of anything). Whether it
 * was there. */
bool written_names_take(struct written_dir *dir, const char *name,
    const struct written_file *only);

/* failed.c: it was refused, and is now .TAG.failed, which the log says.
 */
void written_file_failed(struct written_file *file);

/* The same as a further name, and no word. */
void written_file_keep_failed(struct written_file *file);

#endif
