/* SPDX-License-Identifier: Apache-2.0 */
/* What upload.c (a file's bytes and push) and upload_table.c (its names) share.
 */
#ifndef FS_UPLOAD_TABLE_H
#define FS_UPLOAD_TABLE_H

#include <stdatomic.h>

#include "base/task.h"
#include "image/push.h"
#include "mount.h"
#include "upload.h"

enum upload_state { UPLOAD_OPEN, UPLOAD_PUSHED, UPLOAD_FAILED };

struct upload {
	atomic_uint refs;
	unsigned long serial;
	struct mount *mount;
	char *dir; /* the key of the directory where its name is, or would be */
	char *name;
	/* What it becomes, NULL for a scratch file; changed by a rename,
	 * between upload_begin() and upload_end(). */
	char *repository;
	char *tag;

	struct monitor monitor;
	bool busy;               /* under monitor, as all that follows */
	enum upload_state state; /* changed by who made it busy */
	struct err error;        /* of a push that failed */
	unsigned openers;
	mode_t mode;
	struct timespec mtime;

	/* Of who made it busy. */
	struct spool *spool;
	struct push *push; /* NULL while nothing has come in */
	bool unfinished;   /* it was closed in the middle of an archive */
	struct err reason; /* and what was said then */
};

void upload_free(struct upload *upload);
int upload_begin(struct upload *upload, struct err *err);
void upload_end(struct upload *upload);

/* Sets state and error. */
void upload_become(struct upload *upload, enum upload_state state,
    const struct err *error);

/* The rest between begin and end: forgets a push and its outcome; pushes what
 * is there with nothing more to come (1: pushed, 0: it is empty). */
void upload_forget(struct upload *upload);
int upload_complete(struct upload *upload, struct err *err);

/* Frees the bytes of what has no name and no descriptor any more. */
void upload_drop_unreachable(struct upload *upload);

bool upload_named(struct upload *upload);

/* The upload has become a tag: its name is the tag's from now on. */
void uploads_pushed_now(struct upload *upload);

/* It was refused: it is now .TAG.failed. */
void uploads_failed_now(struct upload *upload);

#endif
