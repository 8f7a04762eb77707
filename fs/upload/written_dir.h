/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The directories in which files are being written, or were: each has the names
 * of its files. It holds its node while it has a name, or somebody holds it:
 * the node then stays the one of its directory, also where that gets another
 * name, or the kernel forgets it.
 *
 * What is written into a part of an image (view.h, is_part) is kept with the
 * image's directory: the part of another image is another node, and has the
 * same names.
 */
#ifndef FS_WRITTEN_DIR_H
#define FS_WRITTEN_DIR_H

#include <pthread.h>
#include <stdbool.h>
#include <sys/types.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "base/map.h"
#include "node/node.h"

struct written_file;
struct written_names;

struct written_dir {
	struct written_names *table;
	struct node *node; /* held; its own, or the one that it is a part of */
	char *part;        /* NULL: it is the directory itself */
	struct written_dir *whole; /* counted, of a part; else NULL */
	/* Under the lock of all names. */
	unsigned refs;
	struct map parts;  /* name → struct written_dir, borrowed */
	struct map files;  /* name → struct written_name */
	struct map pushed; /* name → struct pushed_name */
};

/* A name of a file that is being written. */
struct written_name {
	struct written_dir *dir; /* counted */
	char *name;
	/* Under the lock of all names. */
	struct written_file *file;                /* counted */
	struct written_name *next;                /* of the same file */
	struct written_name *next_of_all, **link; /* of the mount's names */
};

/* A name under which a file was written that has become something else. */
struct pushed_name {
	struct written_dir *dir; /* counted */
	char *name;
	uint64_t size;
	pid_t by; /* the process that completed it; 0: unknown */
	struct pushed_name *next; /* that was written after it; under lock */
};

/* That of a directory of the mount, counted; NULL: nothing is being written
 * there, or was. */
struct written_dir *written_dir_find(struct node *dir);

/* The same, and makes one where nothing was written yet. NULL: out of memory.
 */
struct written_dir *written_dir_of(struct node *dir, struct err *err);

/* One count more, and one less, with which it goes where that was the last and
 * it has no name. */
struct written_dir *written_dir_get(struct written_dir *dir);
void written_dir_put(struct written_dir *dir); /* not under the lock */

DEFINE_CLEANUP(struct written_dir *, written_dir_put);

/* The path of a name in it, from the mount point: a new string, or NULL. */
char *written_dir_path(const struct written_dir *dir, const char *name);

#endif
