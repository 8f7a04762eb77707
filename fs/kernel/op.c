/* SPDX-License-Identifier: Apache-2.0 */
/* What all operations share. */
#include "op.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/lock.h"
#include "base/log.h"
#include "base/strf.h"
#include "habits/caller.h"
#include "habits/refusals.h"
#include "mirror/mirror.h"
#include "node/lead.h"
#include "node/walk.h"
#include "spent.h"

static void interrupted(fuse_req_t req, void *arg)
{
	(void)req;
	task_interrupt(arg);
}

enum kind { OP_PLAIN, OP_READ, OP_PUSH };

static void begin(struct op *op, fuse_req_t req, const char *what,
    fuse_ino_t ino, enum kind kind)
{
	const struct fuse_ctx *ctx = fuse_req_ctx(req);

	caller_set(&(struct caller){ctx->uid, ctx->gid, ctx->pid});
	op->req = req;
	op->what = what;
	op->subject = (struct op_subject){ino, NULL};
	op->other = (struct op_subject){0, NULL};
	op->patient = kind == OP_PUSH;
	op->reads = kind == OP_READ;
	op->mount = fuse_req_userdata(req);
	op->local = false;
	op->is_open = false;
	op->err = (struct err)ERR_INIT;
	spent_begin(op->mount->spent, ctx->pid, op->reads, &op->budget);
	budget_bind(&op->budget);
	task_begin(&op->task);
	op->task.will_wait = lead_give;
	{
		SCOPED_LOCK(&op->mount->ops_lock);
		op->next = op->mount->ops;
		op->link = &op->mount->ops;
		if (op->next)
			op->next->link = &op->next;
		op->mount->ops = op;
		if (op->mount->ending && !op->patient)
			task_interrupt(&op->task);
	}
	fuse_req_interrupt_func(req, interrupted, &op->task);
}

void op_begin(struct op *op, fuse_req_t req, const char *what, fuse_ino_t ino)
{
	lead_give();
	begin(op, req, what, ino, OP_PLAIN);
}

void op_begin_read(struct op *op, fuse_req_t req, const char *what,
    fuse_ino_t ino)
{
	lead_give();
	begin(op, req, what, ino, OP_READ);
}

static bool is_prompt(const struct mount *mount, fuse_ino_t ino)
{
	CLEANUP(node_put_p) struct node *node = NULL;

	if (node_is_located(ino))
		return true;
	node = node_find(mount->nodes, ino);
	return node && node->view->is_prompt && node->view->is_prompt(node);
}

void op_begin_asking(struct op *op, fuse_req_t req, const char *what,
    fuse_ino_t ino)
{
	if (!is_prompt(fuse_req_userdata(req), ino))
		lead_give();
	begin(op, req, what, ino, OP_PLAIN);
}

void op_begin_push(struct op *op, fuse_req_t req, const char *what,
    fuse_ino_t ino)
{
	lead_give();
	begin(op, req, what, ino, OP_PUSH);
}

void op_of_name(struct op *op, const char *name)
{
	op->subject.name = name;
}

void op_and_name(struct op *op, fuse_ino_t ino, const char *name)
{
	op->other = (struct op_subject){ino, name};
}

bool op_is_refused(fuse_req_t req)
{
	const struct mount *mount = fuse_req_userdata(req);

	if (mount->read_only)
		fuse_reply_err(req, EROFS);
	return mount->read_only;
}

void op_of_open(struct op *op)
{
	op->is_open = true;
}

void op_interrupt_all(struct mount *mount)
{
	SCOPED_LOCK(&mount->ops_lock);
	mount->ending = true;
	for (struct op *op = mount->ops; op; op = op->next) {
		if (!op->patient)
			task_interrupt(&op->task);
	}
}

struct node *op_node(struct op *op, fuse_ino_t ino)
{
	struct node *node = node_find(op->mount->nodes, ino);

	if (!node)
		err_set(&op->err, ESTALE, "no such inode");
	else if (node->view->is_local)
		op->local = true;
	return node;
}

/* That a name is not there is an answer: the call may go on to make it. */
static bool has_failed(const struct op *op)
{
	return op->err.code != 0 && (op->err.code != ENOENT || op->is_open);
}

void op_end(struct op *op)
{
	fuse_req_interrupt_func(op->req, NULL, NULL);
	{
		SCOPED_LOCK(&op->mount->ops_lock);
		*op->link = op->next;
		if (op->next)
			op->next->link = op->link;
	}
	task_end(&op->task);
	budget_unbind(&op->budget);
	spent_end(op->mount->spent, caller_now().pid, op->reads, has_failed(op),
	    &op->budget);
}

/*
 * What programs are told: the errors of networks and of digests are errors of
 * input and output to them. So is it that something is not found while they
 * read what they have open; of a directory, libc would take it for the end.
 */
static int user_errno(const struct op *op)
{
	int code = op->err.code;

	switch (code) {
	case ENOENT:
		return op->is_open ? EIO : ENOENT;
	case 0:
	case EBADMSG:
	case EILSEQ: /* a source that was right gives other bytes */
	case ENOLINK:
	case EUCLEAN: /* an index is damaged */
	case ECONNABORTED:
	case ECONNRESET:
	case EPROTO:
	case EPROTONOSUPPORT:
	case ESHUTDOWN:
		return EIO;
	default:
		return code;
	}
}

/* Not what programs ask all the time, nor what any file system answers. */
static bool is_news(const struct op *op, int code)
{
	switch (code) {
	case ENOENT:
	case EINTR:
	case ENODATA:
	case ENXIO:
	case EEXIST:
	case ESTALE:
		return false;
	case ENAMETOOLONG:
	case ENOTEMPTY:
	case EXDEV:
		return !op->local;
	case EPERM:
		return refusals_are_new(op->mount->refusals, op->err.msg);
	default:
		return true;
	}
}

/* A new string: the path, or as much of it as is known; NULL: nothing is. */
static char *subject_path(const struct op *op, const struct op_subject *subject)
{
	CLEANUP(node_put_p)
	struct node *node =
	    subject->ino ? node_find(op->mount->nodes, subject->ino) : NULL;
	AUTO_FREE char *path = node ? node_path(node) : NULL;

	if (!subject->name)
		return steal(&path);
	return path ? node_path_in(path, subject->name) : strdup(subject->name);
}

/* "rename: app/1.0 to app/2.0", or the first word alone. A new string, or NULL
 * when out of memory. */
static char *description(const struct op *op)
{
	AUTO_FREE char *path = subject_path(op, &op->subject);
	AUTO_FREE char *other = subject_path(op, &op->other);

	if (!path || !*path)
		return strdup(op->what);
	return other ? strf("%s: %s to %s", op->what, path, other)
		     : strf("%s: %s", op->what, path);
}

static void log_failure(const struct op *op, int code)
{
	bool news = is_news(op, code);
	AUTO_FREE char *text =
	    news || log_debug_on(LOG_FUSE) ? description(op) : NULL;
	const char *what = text ? text : op->what;

	if (news)
		log_error("%s: %s", what, op->err.msg);
	else
		log_debug(LOG_FUSE, "%s: %s", what, op->err.msg);
}

void op_fail(struct op *op)
{
	int code = user_errno(op);

	op_end(op);
	log_failure(op, code);
	fuse_reply_err(op->req, code);
}

void op_reply(struct op *op, int r)
{
	if (r < 0) {
		op_fail(op);
		return;
	}
	op_end(op);
	fuse_reply_err(op->req, 0);
}

/* Programs that record the attributes of what they find in a directory while
 * they have it open. */
static bool caller_records(void)
{
	static const char *const programs[] = {"rsync", "tar", "bsdtar"};
	static const char *const busybox[] = {"busybox"};

	if (caller_is_program(busybox, 1))
		return caller_is_given("cp") || caller_is_given("tar");
	return caller_is_program(programs,
	    sizeof(programs) / sizeof(*programs));
}

/*
 * Whether the caller only lists the directory that the node is in. ls, find,
 * du and rm ask for the attributes of each entry while they have the directory
 * open, and must not fetch an image for those of its root.
 */
static bool is_listed_by_caller(const struct node *node)
{
	struct mount *mount = node->mount;
	pid_t pid = caller_now().pid;
	bool open = false;

	{
		SCOPED_LOCK(&mount->handles_lock);
		for (const struct handle *at = mount->handles; at && !open;
		     at = at->next)
			open = at->pid == pid && node_is_in(node, at->node);
	}
	return open && !caller_records();
}

int op_settle(struct op *op, struct node *node)
{
	if (!node->view->settle || is_listed_by_caller(node) ||
	    mirror_is_copied(node))
		return 0;
	return node->view->settle(node, &op->err);
}

double op_attr_ttl(struct node *node)
{
	if (atomic_load(&node->undated))
		return 0;
	return node->view->attr_ttl ? node->view->attr_ttl(node)
				    : node->attr_ttl;
}

/* How long the kernel may keep the name of the node in the directory. */
static double name_ttl(const struct node *dir, const struct node *node)
{
	double own = TTL_FOREVER;

	/* What is fleeting in another's directory stays among its own kind. */
	if (node->view->is_fleeting && node->view != dir->view)
		return 0;
	if (node->view->name_ttl)
		own = node->view->name_ttl(node);
	return own < dir->names_ttl ? own : dir->names_ttl;
}

int op_entry(struct op *op, const struct node *dir, struct node *node,
    struct fuse_entry_param *out)
{
	int r;

	*out = (struct fuse_entry_param){.ino = node->ino};
	r = node->view->stat(node, &out->attr, &op->err);
	if (r < 0)
		return r;
	out->attr_timeout = op_attr_ttl(node);
	out->entry_timeout = name_ttl(dir, node);
	node_looked_up(node);
	return 0;
}

void op_reply_entry(struct op *op, const struct fuse_entry_param *entry)
{
	op_end(op);
	/* The caller is gone, and the kernel does not count the entry. */
	if (fuse_reply_entry(op->req, entry) < 0)
		node_forget(op->mount->nodes, entry->ino, 1);
}

struct handle *op_handle(const struct fuse_file_info *fi)
{
	return (struct handle *)(uintptr_t)fi->fh;
}

struct handle *handle_new(struct op *op, struct node *node)
{
	struct mount *mount = op->mount;
	struct handle *handle;

	if (!node)
		return NULL;
	handle = calloc(1, sizeof(*handle));
	if (!handle) {
		node_put(node);
		err_nomem(&op->err);
		return NULL;
	}
	handle->node = node;
	handle->pid = caller_now().pid;
	SCOPED_LOCK(&mount->handles_lock);
	handle->next = mount->handles;
	handle->link = &mount->handles;
	if (handle->next)
		handle->next->link = &handle->next;
	mount->handles = handle;
	return handle;
}

static void handle_unlink(struct handle *handle)
{
	SCOPED_LOCK(&handle->node->mount->handles_lock);
	*handle->link = handle->next;
	if (handle->next)
		handle->next->link = handle->link;
}

void handle_free(struct handle *handle)
{
	handle_unlink(handle);
	if (handle->entries)
		dirlist_free(handle->entries);
	node_put(handle->node);
	free(handle);
}

void handle_close(struct handle *handle)
{
	if (handle->node->view->close)
		handle->node->view->close(handle);
	handle_free(handle);
}

void op_close_all(struct mount *mount)
{
	while (mount->handles)
		handle_close(mount->handles);
}
