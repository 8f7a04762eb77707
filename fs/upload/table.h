/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the files of uploads share, each of which stands on those before it:
 * upload.c (the object), table.c (names), failed.c (what is
 * kept), finish.c (what a whole file becomes), copy.c (copies of
 * archives), write.c and rename.c (what programs do).
 */
#ifndef FS_UPLOAD_TABLE_H
#define FS_UPLOAD_TABLE_H

#include <stdatomic.h>

#include "base/task.h"
#include "image/push.h"
#include "image/save.h"
#include "node/mount.h"
#include "oci/artifact.h"
#include "state.h"
#include "upload.h"
#include "written_dir.h"

/* What is written in a mount. */
struct uploads {
	pthread_mutex_t lock;
	/* Under lock. */
	struct written_name *names;
	struct pushed_name *oldest, **newest; /* in order */
	size_t pushed_count;
	unsigned long serial;
};

struct upload {
	atomic_uint refs;
	unsigned long serial;
	struct mount *mount;
	/* Changed by a rename, between upload_begin() and upload_end(): where
	 * its name is, or would be. */
	struct written_dir *dir; /* counted */
	char *name;
	struct write_intent intent;
	struct written_name *names; /* under the lock of uploads */

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

void upload_free(struct upload *upload);

/* Whether a program was to write it, as the shell's ">" says, and has ended
 * without a byte: `docker save nosuch >1.0.tar`. */
bool upload_came_to_nothing(struct upload *upload);

int upload_begin(struct upload *upload, struct err *err);
void upload_end(struct upload *upload);

/* Sets state and failure (NULL: none). */
void upload_become(struct upload *upload, enum file_state state,
    const struct err *failure);

/* As which it begins by its name: KEPT or OPEN. */
enum file_state upload_first_state(const struct upload *upload);

/* Whether what is written into it, and copied, goes on to what it becomes. */
bool upload_is_open_to_bytes(const struct upload *upload);

/* The rest between begin and end. Forgets a push and its outcome: KEPT or OPEN,
 * as its name says; and also what was copied. */
void upload_restart(struct upload *upload);
void upload_forget(struct upload *upload);

/* Begins the push of what is written into it, unless that has begun. */
int upload_push(struct upload *upload, struct err *err);

/* Takes note of an outcome: 1 is DONE, a failure FAILED, or OVERRUN of what was
 * DONE; 0: more is to come. Gives 0, or what it failed with. */
int upload_outcome(struct upload *upload, int r, struct err *err);

/*
 * In an image's directory a name need not say what a file is: an archive is one
 * by its content, unless its program will rename it. moved: it has come from
 * another directory. Between begin and end.
 */
void upload_settle_kind(struct upload *upload, bool moved);

/* What a whole file does beside the push of its archive: 1, 0. */
int upload_apply(struct upload *upload, struct err *err);

/* Pushes what is there, with nothing more to come for now, or (is_last) ever:
 * 1, or 0 if it is empty, or may be whole and may go on. */
int upload_complete(struct upload *upload, bool is_last, struct err *err);

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
int upload_move(struct upload *upload, struct renaming *renaming,
    struct err *err);

/* Takes all names of an upload out of the table: a push that a rename tried and
 * that failed has two. The caller has a count of its own. */
void uploads_remove_all(struct upload *upload);

/* The name of one that has been pushed is known as such (uploads_pushed()). */
void uploads_remember_pushed(struct upload *upload);

/* Forgets a copy. */
void upload_copy_forget(struct upload *upload);

/* Of one that has begun: makes it, if all has been copied (1; -EINVAL). */
int upload_copy_finish(struct upload *upload, struct err *err);

/* copy.c: reads what has been copied; turns it into bytes. */
ssize_t upload_copy_read(struct upload *upload, void *data, size_t len,
    uint64_t off, struct err *err);
int upload_copy_spool(struct upload *upload, struct err *err);

/* Frees the bytes of what has no name and no descriptor any more. */
void upload_drop_unreachable(struct upload *upload);

bool upload_named(struct upload *upload);

/* Bytes written, or copied. */
uint64_t upload_size(struct upload *upload);

/* The upload has become a tag: its name is the tag's from now on. */
void uploads_pushed_now(struct upload *upload);

/* The table of names: the file of a name in a directory (counted), or NULL. */
struct upload *uploads_find(struct written_dir *dir, const char *name);
struct upload *uploads_find_in(struct node *dir, const char *name);

/* Gives the upload a name; what had it before loses it. */
int uploads_insert(struct written_dir *dir, const char *name,
    struct upload *upload, struct err *err);

/* Takes a name away, if it is that of `only` (NULL: of anything). Whether it
 * was there. */
bool uploads_take_name(struct written_dir *dir, const char *name,
    const struct upload *only);

/* failed.c: it was refused, and is now .TAG.failed, which the log says.
 */
void uploads_failed_now(struct upload *upload);

/* The same as a further name, and no word. */
void upload_keep_failed(struct upload *upload);

#endif
