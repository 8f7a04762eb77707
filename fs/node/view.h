/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A view is what one kind of node does: views/repo.c for namespaces and
 * repositories, views/image.c for image directories, and so on. The operations
 * of kernel/ops*.c find the node, call its view, and reply.
 *
 * All operations return 0 (or what they say) or -errno with err filled;
 * operations a kind does not support are NULL. They run in the loop's threads,
 * several at a time on the same node, and may block: each runs as a task
 * (base/task.h).
 */
#ifndef FS_VIEW_H
#define FS_VIEW_H

#include <stdbool.h>
#include <sys/stat.h>
#include <sys/types.h>

#include "base/buf.h"
#include "base/err.h"
#include "dirlist.h"
#include "intent.h"
#include "node.h"
#include "xattr.h"

struct image;

/* What a process that has the directory of an image open has tried to do to
 * parts of it (habits/habits.h). */
enum removing { REMOVING_NOTHING, REMOVING_REFUSED, REMOVING_ALL };

/* An open file or directory; what the kernel has as its handle. */
struct handle {
	struct node *node;       /* held */
	struct dirlist *entries; /* of a directory, as they were when it was
				  * opened or first read; NULL before */
	void *file;              /* the view's own */
	bool keep_cache;        /* out of open: the kernel's pages stay right */
	bool direct;            /* out of open: no page cache */
	bool listed;            /* somebody has read the entries */
	bool hidden;            /* none are shown (mirror.h) */
	pid_t pid;              /* of a directory: who opened it */
	enum removing removing; /* of an image's; under handles_lock */
	struct handle *next, **link; /* in the mount's list; op.c */
};

/* Which fields of an attribute change are set. */
enum setattr_field {
	SETATTR_MODE = 1,
	SETATTR_SIZE = 2,
	SETATTR_TIMES = 4, /* of the last change of content */
	SETATTR_UID = 8,
	SETATTR_GID = 16,
	SETATTR_ATIME = 32,
};

struct view_ops {
	int (*stat)(struct node *node, struct stat *out, struct err *err);
	void (*free)(struct node *node);
	int (*xattrs)(struct node *node, struct xattrs *out, struct err *err);
	/* Waits until its attributes are known, for a caller that asks for them
	 * alone (stat(2) of it) and not on the way to something in it. NULL:
	 * they always are. */
	int (*settle)(struct node *node, struct err *err);

	/* Directories. *out is held. -ENOENT. */
	int (*lookup)(struct node *dir, const char *name, struct node **out,
	    struct err *err);
	/* An entry that list() has just named: no request is made for it. */
	int (*child)(struct node *dir, const char *name, mode_t mode,
	    struct node **out, struct err *err);
	int (*list)(struct node *dir, struct dirlist *out, struct err *err);

	/* Files. open() may set handle->file and its flags; flags are
	 * open(2)'s. read() is short only at the end. */
	int (*open)(struct node *node, int flags, struct handle *handle,
	    struct err *err);
	ssize_t (*read)(struct handle *handle, void *data, size_t len,
	    uint64_t off, struct err *err);
	/* Of what need not be opened: the same from memory alone, -EAGAIN if it
	 * is not there. */
	ssize_t (*read_known)(struct node *node, void *data, size_t len,
	    uint64_t off, struct err *err);
	void (*close)(struct handle *handle);
	/* The next data or hole (SEEK_DATA, SEEK_HOLE) from off on, or -ENXIO;
	 * NULL: all of it is data. */
	int (*seek)(struct node *node, uint64_t off, int whence, uint64_t *out,
	    struct err *err);
	/* A symbolic link's target, a new string. */
	int (*readlink)(struct node *node, char **out, struct err *err);

	/* Its path from the mount point, a new string or NULL, where that is
	 * not its parent's and its name; NULL: it is (node/walk.h). */
	char *(*path)(const struct node *node);
	/* Of the root of a tree: the path from the mount point of what stands
	 * at a path of the tree. A new string; NULL: not known. */
	char *(*path_in)(struct node *root, const char *path);

	/* How long the kernel may keep the attributes; NULL: the node's
	 * attr_ttl. */
	double (*attr_ttl)(struct node *node);
	/* How long the kernel may keep its name at most; NULL: as long as any
	 * name in its directory. */
	double (*name_ttl)(const struct node *node);
	/* It has attributes of all name spaces, not of user.* alone. */
	bool all_xattrs;
	/* Whether what can be asked about it, all but contents, is there:
	 * nothing of it waits. NULL: it may. */
	bool (*is_prompt)(struct node *node);
	/* It has its name only until something else has it: the kernel looks
	 * for it each time. */
	bool is_fleeting;
	/* It is part of a local file system: of what is wrong with names the
	 * program hears, and the log does not. */
	bool is_local;
	/* Its entries never change: the kernel may keep the list of them, and
	 * which names there are not. */
	bool is_constant;

	/* The image that the node is the directory of, or the archive: 1 with
	 * *out counted, or 0. NULL: such a node is never either. */
	int (*image)(struct node *node, struct image **out, struct err *err);

	/* Of a directory that is a part of an image: the image (as long as the
	 * node), and as what its directory has the part; NULL for others. */
	const struct image *(
	    *part_of)(const struct node *dir, const char **name);

	/* It is a part of the image that the directory above has now: what is
	 * written in it is so whatever the image becomes. */
	bool is_part;

	/* The write side of directories. What it is to a file of that name that
	 * is written in it (grammar/intent.h). -EPERM where the mount has
	 * another reason than the name to refuse that. */
	int (*write_place)(struct node *dir, const char *name,
	    struct write_place *out, struct err *err);
	int (*create)(struct node *dir, const char *name, mode_t mode,
	    struct node **out, struct err *err);
	int (*mkdir)(struct node *dir, const char *name, mode_t mode,
	    struct node **out, struct err *err);
	int (*symlink)(struct node *dir, const char *name, const char *target,
	    struct node **out, struct err *err);
	int (*mknod)(struct node *dir, const char *name, mode_t mode,
	    dev_t device, struct node **out, struct err *err);
	/* Another name for the node, which is of any view. */
	int (*link)(struct node *dir, const char *name, struct node *node,
	    struct err *err);
	int (*unlink)(struct node *dir, const char *name, struct err *err);
	int (*rmdir)(struct node *dir, const char *name, struct err *err);
	/* to_dir has a view with create(), maybe another one; flags are those
	 * of renameat2(2); that the new name is free was looked up by the
	 * kernel. */
	int (*rename)(struct node *dir, const char *name, struct node *to_dir,
	    const char *to_name, unsigned flags, struct err *err);

	/* The write side of files. handle is NULL where the kernel has none. */
	int (*setattr)(struct node *node, struct handle *handle,
	    const struct stat *attr, unsigned fields, struct err *err);
	int (*write)(struct handle *handle, const void *data, size_t len,
	    uint64_t off, struct err *err);
	/* copy_file_range(2) from a handle of any view to one of this view: how
	 * many bytes of len were copied, or -EOPNOTSUPP, and the kernel reads
	 * and writes them. */
	ssize_t (*copy)(struct handle *from, uint64_t from_off,
	    struct handle *to, uint64_t to_off, size_t len, struct err *err);
	/* A descriptor is closed, or fsync() called. */
	int (*flush)(struct handle *handle, struct err *err);

	/* Extended attributes: value NULL removes it (-ENODATA); flags are
	 * setxattr(2)'s. NULL: none can be set. */
	int (*setxattr)(struct node *node, const char *name, const void *value,
	    size_t len, int flags, struct err *err);
};

extern const struct view_ops view_hosts;
extern const struct view_ops view_repo;
extern const struct view_ops view_image;
extern const struct view_ops view_document;
extern const struct view_ops view_manifest;
extern const struct view_ops view_blob;
extern const struct view_ops view_archive;
extern const struct view_ops view_layers;
extern const struct view_ops view_files;
extern const struct view_ops view_platforms;
extern const struct view_ops view_referrers;
extern const struct view_ops view_tree;
extern const struct view_ops view_layer_file;
extern const struct view_ops view_written;
extern const struct view_ops view_link;
extern const struct view_ops view_scratch;
extern const struct view_ops view_scratch_file;
extern const struct view_ops view_control;
extern const struct view_ops view_snapshot;
extern const struct view_ops view_listing;
extern const struct view_ops view_events;
extern const struct view_ops view_search;

extern const struct write_kind write_archive;
extern const struct write_kind write_layer;
extern const struct write_kind write_config;
extern const struct write_kind write_manifest;
extern const struct write_kind write_index;
extern const struct write_kind write_platform;
extern const struct write_kind write_attachment;
extern const struct write_kind write_mirror;
extern const struct write_kind write_mirror_part;

/* Those of every kind: what a mount has. */
extern const struct view_ops *const views[NODE_KINDS];
extern const struct write_kind *const write_kinds[WRITE_EFFECTS];

#endif
