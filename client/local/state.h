/* SPDX-License-Identifier: Apache-2.0 */
/* What a local file system consists of. */
#ifndef LOCAL_STATE_H
#define LOCAL_STATE_H

#include <pthread.h>
#include <stdatomic.h>

#include "base/lock.h"
#include "local/local.h"

/* A name in a directory. */
struct local_name {
	struct local_name *next;          /* in its bucket */
	struct local_name *after, **link; /* in its directory */
	uint64_t hash;
	struct local_inode *dir, *inode; /* each is there while this is */
	char text[];
};

struct local_xattr {
	struct local_xattr *after; /* its name is greater */
	uint32_t name_size, len;   /* the name with its NUL */
	char data[];               /* the name, the value */
};

struct localfs {
	char *dir; /* of contents */
	struct local_inode *root;

	pthread_mutex_t lock;
	pthread_cond_t settled; /* nobody changes the content of something that
				 * is frozen */
	/* Under lock, as are all names and inodes. */
	uint64_t numbers;            /* that were given out */
	struct local_name **buckets; /* by directory and name */
	size_t bucket_count;         /* a power of two */
	size_t name_count;
};

/* There is one for each file: its size matters. */
struct local_inode {
	struct localfs *fs;
	uint64_t number;
	uint64_t refs;    /* of our users; freed when nobody refers to it and it
			* has no link */
	uint32_t links;   /* as stat(2) has it: of a directory with "." and the
			   * ".." in those below; 0 once it is removed */
	uint32_t openers; /* who may use fd */
	uint32_t writers; /* changes of the content that are under way */
	mode_t mode;
	uid_t uid;
	gid_t gid;
	dev_t device;
	int fd;       /* of the content, -1 while it is not needed */
	bool on_disk; /* it has a content */
	bool frozen;
	bool removed; /* nobody can open it any more */
	struct timespec atime, mtime, ctime;
	uint64_t size;
	uint64_t blocks; /* of stat(2), while fd is not there */
	union {
		struct local_name *names; /* of a directory */
		char *target;             /* of a symbolic link; immutable */
	};
	struct local_xattr *xattrs;
	struct local_inode *list; /* the next in the list of one operation */
};

/* Under lock, all of these. */

/* NULL: out of memory. One reference, no link. */
struct local_inode *inode_new(struct localfs *fs, mode_t mode);

/* Its content or its names have changed, or its attributes. */
void inode_touch(struct local_inode *inode);
void inode_touch_ctime(struct local_inode *inode);

/* -EBUSY. */
int inode_check(const struct local_inode *inode, struct err *err);

/* Whether the caller has to give it to inode_free(), without the lock. */
bool inode_unused(const struct local_inode *inode);

/* Without the lock. */
void inode_free(struct local_inode *inode);

/* The name in that directory, borrowed; NULL: it has no such name. Under the
 * lock. */
struct local_name *name_find(const struct local_inode *dir, const char *text);

/* A name that is in no directory yet; NULL: out of memory. */
struct local_name *name_new(struct local_inode *dir, const char *text);
void name_insert(struct local_name *name, struct local_inode *inode);
void name_remove(struct local_name *name);
void name_free(struct local_name *name);

/* The content's size in blocks of 512 bytes. */
uint64_t content_blocks(const struct local_inode *inode);

/* Without the lock: removes a content that nobody can reach. */
void content_remove(struct local_inode *inode);

#endif
