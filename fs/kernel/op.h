/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One request of the kernel's: runs as a task that its interrupt ends, and is
 * answered exactly once.
 */
#ifndef FS_OP_H
#define FS_OP_H

#define FUSE_USE_VERSION 312
#include <fuse_lowlevel.h>

#include "base/budget.h"
#include "base/err.h"
#include "base/task.h"
#include "node/mount.h"
#include "node/node.h"
#include "node/view.h"

/* A node, or a name in a directory. */
struct op_subject {
	fuse_ino_t ino;   /* 0: the name stands for itself */
	const char *name; /* NULL: the node itself; as long as the operation */
};

struct op {
	struct op *next, **link; /* in the mount's list */
	bool patient;            /* may end by itself when the mount ends */
	bool local;              /* it is about what is_local in view.h */
	bool is_open;            /* it is about what somebody has open */
	fuse_req_t req;
	const char *what;          /* for the log, as are the next two */
	struct op_subject subject; /* what it is about */
	struct op_subject other;   /* the second name; without one: 0, NULL */
	struct mount *mount;
	bool reads; /* what a program has open */
	struct task task;
	struct budget budget;
	struct err err;
};

/* Call before blocking: another thread takes over the loop. ino: the node that
 * it is about, or the directory. */
void op_begin(struct op *op, fuse_req_t req, const char *what, fuse_ino_t ino);

/* The same for what asks about a node and changes nothing: goes on as the one
 * who takes requests where all that can be asked is known. */
void op_begin_asking(struct op *op, fuse_req_t req, const char *what,
    fuse_ino_t ino);

/* The same for a read, of which the kernel may make two. */
void op_begin_read(struct op *op, fuse_req_t req, const char *what,
    fuse_ino_t ino);

/* The same for what can be a push: it is not broken off at once when the mount
 * ends. */
void op_begin_push(struct op *op, fuse_req_t req, const char *what,
    fuse_ino_t ino);

/* It is about a name in the directory; about a second name in another one, or
 * (ino 0) a text. Names as long as the operation. */
void op_of_name(struct op *op, const char *name);
void op_and_name(struct op *op, fuse_ino_t ino, const char *name);

/* Answers a request that changes something in a mount that is read-only, and
 * whether it is one: root can lift that in the kernel (remount,rw), but not
 * here. */
bool op_is_refused(fuse_req_t req);

/* It is about what a program has open, or knows: that there is no such thing is
 * none of its answers. */
void op_of_open(struct op *op);

/* Interrupts all but pushes: those that are under way, and those that begin. */
void op_interrupt_all(struct mount *mount);

/* The node of a number; fills op->err (-ESTALE) where there is none. Held. */
struct node *op_node(struct op *op, fuse_ino_t ino);

/* The task ends; what is answered after it can no longer be interrupted. */
void op_end(struct op *op);

/* op_end(), and the error's errno; its sentence goes to the log after the paths
 * of what it is about, which it need not say: unless it is something that
 * programs ask all the time (no such name). */
void op_fail(struct op *op);

/* op_end() and a plain success, or op_fail() for a negative r. */
void op_reply(struct op *op, int r);

/* Waits until the node's attributes are known, unless the caller lists the
 * directory that it is in. */
int op_settle(struct op *op, struct node *node);

/* How long the kernel may keep its attributes. */
double op_attr_ttl(struct node *node);

/* Fills an entry for the kernel: names_ttl of the directory, attributes of the
 * node. */
int op_entry(struct op *op, const struct node *dir, struct node *node,
    struct fuse_entry_param *out);

/* op_end() and the entry, with which the kernel has looked it up once more. */
void op_reply_entry(struct op *op, const struct fuse_entry_param *entry);

/* The handle that an open put into fi. */
struct handle *op_handle(const struct fuse_file_info *fi);

/* A handle on the node (taken; NULL gives NULL, op->err filled). */
struct handle *handle_new(struct op *op, struct node *node);

/* Frees what was never opened, and closes what was. */
void handle_free(struct handle *handle);
void handle_close(struct handle *handle);

DEFINE_CLEANUP(struct handle *, handle_free);

/* Closes what programs had open when the mount ended: no release comes. */
void op_close_all(struct mount *mount);

/* Each fills in the operations of its file: ops.c, ops_file.c, ops_tree.c,
 * ops_xattr.c. */
void ops_node(struct fuse_lowlevel_ops *out);
void ops_file(struct fuse_lowlevel_ops *out);
void ops_tree(struct fuse_lowlevel_ops *out);
void ops_xattr(struct fuse_lowlevel_ops *out);

#endif
