/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A small file system of its own: names and attributes in memory, contents as
 * files in a directory on the disk. It does what POSIX says of directory trees;
 * who may do it is for the caller to know. Nothing of it outlives the process.
 *
 *	struct localfs *fs = localfs_new(dir, &err);
 *	local_make(localfs_root(fs), "etc", &(struct local_making){
 *	    .mode = S_IFDIR | 0755}, &etc, &err);
 *	local_put(etc);
 *
 * Usable from any thread. What is about names and attributes never waits for
 * the disk.
 */
#ifndef LOCAL_LOCAL_H
#define LOCAL_LOCAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/types.h>

#include "base/cleanup.h"
#include "base/err.h"

struct localfs;

/* A file or directory of it, whichever names it has: counted. */
struct local_inode;

enum {
	LOCAL_NAME_MAX = 255,
	/* All extended attributes of one inode; a tar's header holds more. */
	LOCAL_XATTRS_MAX = 512 << 10,
};

/* Contents go into dir, which is the caller's and has nothing else in it. NULL
 * on failure, err filled. */
struct localfs *localfs_new(const char *dir, struct err *err);

/* Nobody has an inode any more. Removes the contents. */
void localfs_free(struct localfs *fs);

DEFINE_CLEANUP(struct localfs *, localfs_free);

/* The directory that all others are in; borrowed. */
struct local_inode *localfs_root(struct localfs *fs);

/* Counted, from any thread: what has no name and no count is freed. */
struct local_inode *local_get(struct local_inode *inode);
void local_put(struct local_inode *inode);

DEFINE_CLEANUP(struct local_inode *, local_put);

/* A number that no other inode has, nor had. */
uint64_t local_number(const struct local_inode *inode);

/* Everything but st_ino, st_dev and st_blksize. */
void local_stat(struct local_inode *inode, struct stat *out);

/* A symbolic link's target, valid as long as the inode; NULL: it is not a link.
 */
const char *local_target(struct local_inode *inode);

/*
 * Names. A directory that has been removed has none and gets none (-ENOENT).
 * -ENAMETOOLONG, -EEXIST, -ENOENT, -ENOTDIR, -EISDIR, -ENOTEMPTY as rename(2)
 * and its like have them; -EBUSY of what is frozen. *out is counted.
 */
int local_lookup(struct local_inode *dir, const char *name,
    struct local_inode **out, struct err *err);

struct local_making {
	mode_t mode; /* with the type */
	uid_t uid;
	gid_t gid;          /* unless dir gives its own to what is in it */
	dev_t device;       /* of a device */
	const char *target; /* of a symbolic link */
};

/* A new entry of any type in dir: *out is counted. -EEXIST; -EBUSY while the
 * directory is frozen, -ENOENT where it has been removed, -ENAMETOOLONG,
 * -ENOMEM. */
int local_make(struct local_inode *dir, const char *name,
    const struct local_making *making, struct local_inode **out,
    struct err *err);

/* One more name of an inode that is not a directory (-EPERM) and still has one
 * (-ENOENT). Other errors as local_make(). */
int local_link(struct local_inode *dir, const char *name,
    struct local_inode *inode, struct err *err);

/* Remove a name: unlink of what is not a directory (-EISDIR), rmdir of an
 * empty one (-ENOTDIR, -ENOTEMPTY). -ENOENT; -EBUSY while it is frozen.
 * Contents stay while they are open. */
int local_unlink(struct local_inode *dir, const char *name, struct err *err);
int local_rmdir(struct local_inode *dir, const char *name, struct err *err);

/* What to_name was is replaced, or with exchange has the old name after. A
 * directory is not moved below itself: the caller knows that. */
int local_rename(struct local_inode *dir, const char *name,
    struct local_inode *to_dir, const char *to_name, bool exchange,
    struct err *err);

/* Calls each() for all that is in dir, in no order, under a lock: nothing of
 * this header can be called in it. */
int local_list(struct local_inode *dir,
    int (*each)(void *arg, const char *name, uint64_t number, mode_t mode,
	struct err *err),
    void *arg, struct err *err);

/* Attributes; a field that is not set is NULL. */
struct local_change {
	const mode_t *mode; /* permission bits */
	const uid_t *uid;
	const gid_t *gid;
	const struct timespec *atime, *mtime;
};

/* Sets those, and the time of change. -EBUSY while it is frozen. */
int local_change(struct local_inode *inode, const struct local_change *change,
    struct err *err);

/* value NULL removes it (-ENODATA); flags are setxattr(2)'s (-EEXIST,
 * -ENODATA). -ENOSPC past LOCAL_XATTRS_MAX. */
int local_setxattr(struct local_inode *inode, const char *name,
    const void *value, size_t len, int flags, struct err *err);

/* Calls each() for all attributes, sorted by their names; as local_list(). */
int local_xattrs(struct local_inode *inode,
    int (*each)(void *arg, const char *name, const void *value, size_t len,
	struct err *err),
    void *arg, struct err *err);

/*
 * Contents, of regular files. An open file keeps its descriptor after its last
 * name is removed; it cannot be opened again then (-ESTALE), though the kernel
 * may still know it. Reads are short only at the file's end.
 */
int local_open(struct local_inode *inode, struct err *err);
void local_close(struct local_inode *inode);
ssize_t local_read(struct local_inode *inode, void *data, size_t len,
    uint64_t off, struct err *err);
int local_write(struct local_inode *inode, const void *data, size_t len,
    uint64_t off, struct err *err);
int local_truncate(struct local_inode *inode, uint64_t size, struct err *err);

/* lseek(2) with SEEK_DATA and SEEK_HOLE. -ENXIO. */
int local_seek(struct local_inode *inode, uint64_t off, int whence,
    uint64_t *out, struct err *err);

/* copy_file_range(2): how many bytes were copied. */
ssize_t local_copy(struct local_inode *from, uint64_t from_off,
    struct local_inode *to, uint64_t to_off, size_t len, struct err *err);

/*
 * From now on dir and all that is in it stay as they are: changes are -EBUSY,
 * also of a file through another name. -EBUSY if some of it is frozen already.
 */
int local_freeze(struct local_inode *dir, struct err *err);
void local_thaw(struct local_inode *dir);

/*
 * Removes what is named so in parent, a directory with all that is in it; it
 * may be frozen.
 * Contents that nobody has open are removed at once. -ENOENT.
 */
int local_remove_all(struct local_inode *parent, const char *name,
    struct err *err);

/* How many names there are below dir. */
uint64_t local_count(struct local_inode *dir);

#endif
