/* SPDX-License-Identifier: Apache-2.0 */
/* What programs do with a file that they write: the table of state.h. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>

#include "base/log.h"
#include "habits/caller.h"
#include "table.h"

/* Whether it becomes something by the push of the archive that it is. */
static bool is_archive(const struct upload *upload)
{
	const struct write_kind *kind = intent_kind(&upload->intent);

	return kind && kind->is_archive;
}

/* --- the steps --- */

static int nothing(struct upload *upload, const struct file_action *action,
    struct err *err)
{
	(void)upload;
	(void)action;
	(void)err;
	return 0;
}

static int again(struct upload *upload, const struct file_action *action,
    struct err *err)
{
	(void)action;
	*err = upload->failure;
	return -err->code;
}

static int keep(struct upload *upload, const struct file_action *action,
    struct err *err)
{
	int r = upload->source ? upload_copy_spool(upload, err) : 0;

	if (r == 0)
		r = spool_write(upload->spool, action->data, action->len,
		    action->off, err);
	return r < 0 ? err_wrap(err, "%s cannot be kept in the cache",
			   upload->name)
		     : 0;
}

/* What has just been kept: 1 if it was all, and has become what it is to. */
static int pass_on(struct upload *upload, const struct file_action *action,
    struct err *err)
{
	int r;

	if (!is_archive(upload))
		return 0;
	r = upload_push(upload, err);
	if (r == 0)
		r = push_advance(upload->push, action->data, action->len,
		    action->off, err);
	return r == 1 ? upload_apply(upload, err) : r;
}

static int take(struct upload *upload, const struct file_action *action,
    struct err *err)
{
	int r = keep(upload, action, err);

	if (upload->state != FILE_OPEN)
		upload_become(upload, FILE_OPEN, NULL);
	if (r == 0)
		r = pass_on(upload, action, err);
	return upload_outcome(upload, r, err);
}

/* What is appended to an archive, or written over a part of it, would not be
 * part of any image, or of another one than its writer thinks. */
static int change(struct upload *upload, const struct file_action *action,
    struct err *err)
{
	if (upload->source)
		return err_set(err, EPERM,
		    "%s: an archive in a registry cannot be changed in part: "
		    "copy it to a local disk, change it there, and copy it "
		    "back",
		    upload->name);
	upload_become(upload, FILE_OPEN, NULL);
	return upload_act(upload, action, err);
}

/* What is behind the end of an archive may be its padding, which the push looks
 * after; other files had come to their end when they were closed. */
static int pad(struct upload *upload, const struct file_action *action,
    struct err *err)
{
	int r;

	if (!is_archive(upload))
		return err_set(err, EIO,
		    "%s was already processed when it was closed; later writes "
		    "are refused",
		    upload->name);
	r = spool_write(upload->spool, action->data, action->len, action->off,
	    err);
	if (r < 0)
		return err_wrap(err, "%s cannot be kept in the cache",
		    upload->name);
	return upload_outcome(upload, pass_on(upload, action, err), err);
}

/* Whether what has not come to its end can still do so. */
static bool may_go_on(const struct upload *upload, int r)
{
	if (!is_archive(upload))
		return r == -EINVAL;
	return upload->source || (upload->push && push_may_go_on(upload->push));
}

/*
 * An archive says itself when it is whole. Of other files, and of a tar without
 * an end marker, only the one that has opened it knows: the shell hands one
 * open file to several programs, each of which flushes it when it exits. What
 * has not ended may go on, for the same reason.
 */
static int complete(struct upload *upload, bool is_last, struct err *err)
{
	int r = upload_complete(upload, is_last, err);

	if (r < 0 && may_go_on(upload, r)) {
		upload_become(upload, FILE_CUT, err);
		return r;
	}
	if (r == 0 && upload->state != FILE_OPEN)
		upload_become(upload, FILE_OPEN, NULL);
	if (r == 0 && !is_last)
		upload_become(upload, FILE_LATE, NULL);
	return upload_outcome(upload, r, err);
}

static int hold(struct upload *upload, const struct file_action *action,
    struct err *err)
{
	(void)action;
	if (is_archive(upload))
		return complete(upload, false, err);
	upload_become(upload, FILE_LATE, NULL);
	return 0;
}

static int finish(struct upload *upload, const struct file_action *action,
    struct err *err)
{
	(void)action;
	return complete(upload, true, err);
}

static int look(struct upload *upload, const struct file_action *action,
    struct err *err)
{
	upload_settle_kind(upload, false);
	if (upload->intent.effect == WRITE_NOTHING)
		return 0;
	upload_become(upload, FILE_OPEN, NULL);
	return upload_act(upload, action, err);
}

/* Nobody can finish it any more under this name. */
static int fail(struct upload *upload, const struct file_action *action,
    struct err *err)
{
	(void)action;
	(void)err;
	upload_become(upload, FILE_FAILED, &upload->failure);
	uploads_failed_now(upload);
	push_give_up(steal(&upload->push), &upload->failure);
	return 0;
}

/* The last one has closed it: a process that did not open it. */
static int finish_late(struct upload *upload, const struct file_action *action,
    struct err *err)
{
	int r = complete(upload, true, err);

	if (r < 0)
		log_error("%s: %s", upload->name, err->msg);
	return upload->state == FILE_CUT ? fail(upload, action, err) : 0;
}

static int move(struct upload *upload, const struct file_action *action,
    struct err *err)
{
	return upload_move(upload, action->renaming, err);
}

static int busy(struct upload *upload, const struct file_action *action,
    struct err *err)
{
	(void)upload;
	(void)action;
	return err_set(err, EBUSY, "the file has just been pushed");
}

static int restart(struct upload *upload, const struct file_action *action,
    struct err *err)
{
	(void)action;
	upload_forget(upload);
	return spool_truncate(upload->spool, 0, err);
}

static int resize(struct upload *upload, const struct file_action *action,
    struct err *err)
{
	int r = upload->source ? upload_copy_spool(upload, err) : 0;

	return r < 0 ? r : spool_truncate(upload->spool, action->size, err);
}

static int refuse(struct upload *upload, const struct file_action *action,
    struct err *err)
{
	(void)upload;
	(void)action;
	return err_set(err, EPERM, "the archive was already pushed");
}

typedef int file_step(struct upload *upload, const struct file_action *action,
    struct err *err);

/* clang-format off */
static file_step *const steps[FILE_STATES][FILE_EVENTS] = {
    /* write, flush, end, close, rename, empty, resize */
    [FILE_KEPT] =
	{keep, look, look, nothing, move, restart, resize},
    [FILE_FOUND] =
	{change, nothing, nothing, nothing, move, restart, change},
    [FILE_OPEN] =
	{take, hold, finish, nothing, move, restart, resize},
    [FILE_LATE] =
	{take, hold, finish, finish_late, move, restart, resize},
    [FILE_CUT] =
	{take, hold, finish, fail, move, restart, resize},
    [FILE_DONE] =
	{pad, nothing, nothing, nothing, busy, restart, refuse},
    [FILE_OVERRUN] =
	{again, nothing, nothing, nothing, busy, restart, refuse},
    [FILE_FAILED] =
	{again, again, again, nothing, move, restart, resize},
};
/* clang-format on */

int upload_act(struct upload *upload, const struct file_action *action,
    struct err *err)
{
	return steps[upload->state][action->event](upload, action, err);
}

/* --- what programs do --- */

/* One at a time. */
static int act(struct upload *upload, const struct file_action *action,
    struct err *err)
{
	int r = upload_begin(upload, err);

	if (r < 0)
		return r;
	r = upload_act(upload, action, err);
	upload_end(upload);
	return r;
}

int upload_write(struct upload *upload, const void *data, size_t len,
    uint64_t off, struct err *err)
{
	const struct file_action action = {.event = ON_WRITE,
	    .data = data,
	    .len = len,
	    .off = off};

	return act(upload, &action, err);
}

int upload_flush(struct upload *upload, pid_t opener, struct err *err)
{
	const struct file_action action = {
	    .event = caller_is_of(opener) ? ON_END : ON_FLUSH};

	return act(upload, &action, err);
}

ssize_t upload_read(struct upload *upload, void *data, size_t len, uint64_t off,
    struct err *err)
{
	int r = upload_begin(upload, err);
	ssize_t n;

	if (r < 0)
		return r;
	n = upload->source ? upload_copy_read(upload, data, len, off, err)
			   : spool_read(upload->spool, data, len, off, err);
	upload_end(upload);
	return n;
}

static int upload_truncate(struct upload *upload, uint64_t size,
    struct err *err)
{
	const struct file_action action = {.event =
					       size == 0 ? ON_EMPTY : ON_RESIZE,
	    .size = size};
	int r = upload_begin(upload, err);

	if (r < 0)
		return r;
	/* rsync --inplace sets the size that the file has, after the push. */
	if (size != upload_size(upload))
		r = upload_act(upload, &action, err);
	upload_end(upload);
	return r;
}

/* As mkstemp(3) makes a file, whose name then says nothing. */
static bool makes_temporary(const struct upload *upload, int flags)
{
	return (flags & (O_CREAT | O_EXCL | O_ACCMODE)) ==
		   (O_CREAT | O_EXCL | O_RDWR) &&
	       (upload->mode & 07777) == 0600;
}

int upload_open(struct upload *upload, int flags, struct err *err)
{
	int r = 0;

	if (makes_temporary(upload, flags)) {
		upload->temporary = true;
		upload->intent.effect = WRITE_NOTHING;
		upload_become(upload, FILE_KEPT, NULL);
	}
	if (flags & O_TRUNC)
		r = upload_truncate(upload, 0, err);
	if (r < 0)
		return r;
	monitor_enter(&upload->monitor);
	if ((flags & O_ACCMODE) != O_RDONLY)
		upload->emptied_by = flags & O_TRUNC ? caller_now().pid : 0;
	upload->openers++;
	monitor_leave(&upload->monitor);
	return 0;
}

bool upload_close(struct upload *upload)
{
	static const struct file_action action = {.event = ON_CLOSE};
	struct err ignored = ERR_INIT;
	bool last, waits;

	monitor_enter(&upload->monitor);
	last = --upload->openers == 0;
	waits =
	    last && (upload->state == FILE_LATE || upload->state == FILE_CUT);
	monitor_leave(&upload->monitor);
	/* All other states go on as they are, and are not waited for. */
	if (waits)
		act(upload, &action, &ignored);
	upload_drop_unreachable(upload);
	return last;
}

int upload_setattr(struct upload *upload, const struct stat *attr,
    unsigned fields, struct err *err)
{
	int r = 0;

	if (fields & SETATTR_SIZE)
		r = upload_truncate(upload, (uint64_t)attr->st_size, err);
	monitor_enter(&upload->monitor);
	if (fields & SETATTR_MODE)
		upload->mode = attr->st_mode;
	if (fields & SETATTR_TIMES)
		upload->mtime = attr->st_mtim;
	monitor_leave(&upload->monitor);
	return r;
}

int upload_rename(struct node *dir, const char *name, struct node *to_dir,
    const char *to_name, unsigned flags, struct err *err)
{
	CLEANUP(upload_put_p)
	struct upload *upload = uploads_find_in(dir, name);
	CLEANUP(renaming_release) struct renaming renaming = {0};
	const struct file_action action = {.event = ON_RENAME,
	    .renaming = &renaming};
	int r;

	if (!upload)
		return 0;
	if (flags & ~(unsigned)RENAME_NOREPLACE)
		return err_set(err, EINVAL,
		    "%s: still being written; cannot be exchanged", name);
	r = renaming_init(&renaming, to_dir, to_name, err);
	if (r == 0)
		r = act(upload, &action, err);
	return r < 0 ? r : 1;
}

int upload_rename_only(struct node *dir, const char *name, struct node *to_dir,
    const char *to_name, unsigned flags, struct err *err)
{
	int r = upload_rename(dir, name, to_dir, to_name, flags, err);

	if (r != 0)
		return r < 0 ? r : 0;
	return err_set(err, EPERM, "%s: part of an image, cannot be renamed",
	    name);
}

int upload_unlink_only(struct node *dir, const char *name, struct err *err)
{
	if (uploads_remove(dir, name))
		return 0;
	return err_set(err, EPERM, "%s: part of an image, cannot be removed",
	    name);
}
