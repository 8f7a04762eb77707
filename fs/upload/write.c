/* SPDX-License-Identifier: Apache-2.0 */
/* What programs do with a file that they write: the table of state.h. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>

#include "base/log.h"
#include "habits/caller.h"
#include "written.h"

/* Whether it becomes something by the push of the archive that it is. */
static bool is_archive(const struct written_file *file)
{
	const struct write_kind *kind = intent_kind(&file->intent);

	return kind && kind->is_archive;
}

/* --- the steps --- */

static int nothing(struct written_file *file, const struct file_action *action,
    struct err *err)
{
	(void)file;
	(void)action;
	(void)err;
	return 0;
}

static int again(struct written_file *file, const struct file_action *action,
    struct err *err)
{
	(void)action;
	*err = file->failure;
	return -err->code;
}

static int keep(struct written_file *file, const struct file_action *action,
    struct err *err)
{
	int r = file->source ? written_file_copy_spool(file, err) : 0;

	if (r == 0)
		r = spool_write(file->spool, action->data, action->len,
		    action->off, err);
	return r < 0 ? err_wrap(err, "the bytes cannot be kept in the cache")
		     : 0;
}

/* What has just been kept: 1 if it was all, and has become what it is to. */
static int pass_on(struct written_file *file, const struct file_action *action,
    struct err *err)
{
	int r;

	if (!is_archive(file))
		return 0;
	r = written_file_push(file, err);
	if (r == 0)
		r = push_advance(file->push, action->data, action->len,
		    action->off, err);
	return r == 1 ? written_file_apply(file, err) : r;
}

static int take(struct written_file *file, const struct file_action *action,
    struct err *err)
{
	int r = keep(file, action, err);

	if (file->state != FILE_OPEN)
		written_file_become(file, FILE_OPEN, NULL);
	if (r == 0)
		r = pass_on(file, action, err);
	return written_file_outcome(file, r, err);
}

/* What is appended to an archive, or written over a part of it, would not be
 * part of any image, or of another one than its writer thinks. */
static int change(struct written_file *file, const struct file_action *action,
    struct err *err)
{
	if (file->source)
		return err_set(err, EPERM,
		    "an archive in a registry cannot be changed in part: "
		    "copy it to a local disk, change it there, and copy it "
		    "back");
	written_file_become(file, FILE_OPEN, NULL);
	return written_file_act(file, action, err);
}

/* What comes after the end of an archive may be its padding, which the push
 * knows; other files had come to their end when they were closed. */
static int pad(struct written_file *file, const struct file_action *action,
    struct err *err)
{
	int r;

	if (!is_archive(file))
		return err_set(err, EIO,
		    "the file was already processed when it was closed; later "
		    "writes are refused");
	r = spool_write(file->spool, action->data, action->len, action->off,
	    err);
	if (r < 0)
		return err_wrap(err, "the bytes cannot be kept in the cache");
	return written_file_outcome(file, pass_on(file, action, err), err);
}

/* Whether what has not come to its end can still do so. */
static bool may_go_on(const struct written_file *file, int r)
{
	if (!is_archive(file))
		return r == -EINVAL;
	return file->source || (file->push && push_may_go_on(file->push));
}

/*
 * An archive says itself when it is whole. Of other files, and of a tar without
 * an end marker, only the one that has opened it knows: the shell hands one
 * open file to several programs, each of which flushes it when it exits. What
 * has not ended may go on, for the same reason.
 */
static int complete(struct written_file *file, bool is_last, struct err *err)
{
	int r = written_file_complete(file, is_last, err);

	if (r < 0 && may_go_on(file, r)) {
		written_file_become(file, FILE_CUT, err);
		return r;
	}
	if (r == 0 && file->state != FILE_OPEN)
		written_file_become(file, FILE_OPEN, NULL);
	if (r == 0 && !is_last)
		written_file_become(file, FILE_LATE, NULL);
	return written_file_outcome(file, r, err);
}

static int hold(struct written_file *file, const struct file_action *action,
    struct err *err)
{
	(void)action;
	if (is_archive(file))
		return complete(file, false, err);
	written_file_become(file, FILE_LATE, NULL);
	return 0;
}

static int finish(struct written_file *file, const struct file_action *action,
    struct err *err)
{
	(void)action;
	return complete(file, true, err);
}

static int look(struct written_file *file, const struct file_action *action,
    struct err *err)
{
	written_file_settle_kind(file, false);
	if (file->intent.effect == WRITE_NOTHING)
		return 0;
	written_file_become(file, FILE_OPEN, NULL);
	return written_file_act(file, action, err);
}

/* Nobody can finish it any more under this name. */
static int fail(struct written_file *file, const struct file_action *action,
    struct err *err)
{
	(void)action;
	(void)err;
	written_file_become(file, FILE_FAILED, &file->failure);
	written_file_failed(file);
	push_give_up(steal(&file->push), &file->failure);
	return 0;
}

/* The last one has closed it: a process that did not open it. */
static int finish_late(struct written_file *file,
    const struct file_action *action, struct err *err)
{
	int r = complete(file, true, err);
	AUTO_FREE char *path =
	    r < 0 ? written_dir_path(file->dir, file->name) : NULL;

	if (r < 0)
		log_error("close: %s: %s", path ? path : file->name, err->msg);
	return file->state == FILE_CUT ? fail(file, action, err) : 0;
}

static int move(struct written_file *file, const struct file_action *action,
    struct err *err)
{
	return written_file_move(file, action->renaming, err);
}

static int busy(struct written_file *file, const struct file_action *action,
    struct err *err)
{
	(void)file;
	(void)action;
	return err_set(err, EBUSY, "the file has just been pushed");
}

static int restart(struct written_file *file, const struct file_action *action,
    struct err *err)
{
	(void)action;
	written_file_forget(file);
	return spool_truncate(file->spool, 0, err);
}

static int resize(struct written_file *file, const struct file_action *action,
    struct err *err)
{
	int r = file->source ? written_file_copy_spool(file, err) : 0;

	return r < 0 ? r : spool_truncate(file->spool, action->size, err);
}

static int refuse(struct written_file *file, const struct file_action *action,
    struct err *err)
{
	(void)file;
	(void)action;
	return err_set(err, EPERM, "the archive was already pushed");
}

typedef int file_step(struct written_file *file,
    const struct file_action *action, struct err *err);

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

int written_file_act(struct written_file *file,
    const struct file_action *action, struct err *err)
{
	return steps[file->state][action->event](file, action, err);
}

/* --- what programs do --- */

/* One at a time. */
static int act(struct written_file *file, const struct file_action *action,
    struct err *err)
{
	int r = written_file_begin(file, err);

	if (r < 0)
		return r;
	r = written_file_act(file, action, err);
	written_file_end(file);
	return r;
}

int written_file_write(struct written_file *file, const void *data, size_t len,
    uint64_t off, struct err *err)
{
	const struct file_action action = {.event = ON_WRITE,
	    .data = data,
	    .len = len,
	    .off = off};

	return act(file, &action, err);
}

int written_file_flush(struct written_file *file, pid_t opener, struct err *err)
{
	const struct file_action action = {
	    .event = caller_is_of(opener) ? ON_END : ON_FLUSH};

	return act(file, &action, err);
}

ssize_t written_file_read(struct written_file *file, void *data, size_t len,
    uint64_t off, struct err *err)
{
	int r = written_file_begin(file, err);
	ssize_t n;

	if (r < 0)
		return r;
	n = file->source ? written_file_copy_read(file, data, len, off, err)
			 : spool_read(file->spool, data, len, off, err);
	written_file_end(file);
	return n;
}

static int written_file_truncate(struct written_file *file, uint64_t size,
    struct err *err)
{
	const struct file_action action = {.event =
					       size == 0 ? ON_EMPTY : ON_RESIZE,
	    .size = size};
	int r = written_file_begin(file, err);

	if (r < 0)
		return r;
	/* rsync --inplace sets the size that the file has, after the push. */
	if (size != written_file_size(file))
		r = written_file_act(file, &action, err);
	written_file_end(file);
	return r;
}

/* As mkstemp(3) makes a file, whose name then says nothing. */
static bool makes_temporary(const struct written_file *file, int flags)
{
	return (flags & (O_CREAT | O_EXCL | O_ACCMODE)) ==
		   (O_CREAT | O_EXCL | O_RDWR) &&
	       (file->mode & 07777) == 0600;
}

int written_file_open(struct written_file *file, int flags, struct err *err)
{
	int r = 0;

	if (makes_temporary(file, flags)) {
		file->temporary = true;
		file->intent.effect = WRITE_NOTHING;
		written_file_become(file, FILE_KEPT, NULL);
	}
	if (flags & O_TRUNC)
		r = written_file_truncate(file, 0, err);
	if (r < 0)
		return r;
	monitor_enter(&file->monitor);
	if ((flags & O_ACCMODE) != O_RDONLY)
		file->emptied_by = flags & O_TRUNC ? caller_now().pid : 0;
	file->openers++;
	monitor_leave(&file->monitor);
	return 0;
}

bool written_file_close(struct written_file *file)
{
	static const struct file_action action = {.event = ON_CLOSE};
	bool last, waits;

	monitor_enter(&file->monitor);
	last = --file->openers == 0;
	waits = last && (file->state == FILE_LATE || file->state == FILE_CUT);
	monitor_leave(&file->monitor);
	/* All other states go on as they are, and are not waited for. */
	if (waits)
		act(file, &action, ERR_IGNORE);
	written_file_drop_unreachable(file);
	return last;
}

int written_file_setattr(struct written_file *file, const struct stat *attr,
    unsigned fields, struct err *err)
{
	int r = 0;

	if (fields & SETATTR_SIZE)
		r = written_file_truncate(file, (uint64_t)attr->st_size, err);
	monitor_enter(&file->monitor);
	if (fields & SETATTR_MODE)
		file->mode = attr->st_mode;
	if (fields & SETATTR_TIMES)
		file->mtime = attr->st_mtim;
	monitor_leave(&file->monitor);
	return r;
}

int written_file_rename(struct node *dir, const char *name, struct node *to_dir,
    const char *to_name, unsigned flags, struct err *err)
{
	CLEANUP(written_file_put_p)
	struct written_file *file = written_names_find_in(dir, name);
	CLEANUP(renaming_release) struct renaming renaming = {0};
	const struct file_action action = {.event = ON_RENAME,
	    .renaming = &renaming};
	int r;

	if (!file)
		return 0;
	if (flags & ~(unsigned)RENAME_NOREPLACE)
		return err_set(err, EINVAL,
		    "still being written; cannot be exchanged");
	r = renaming_init(&renaming, to_dir, to_name, err);
	if (r == 0)
		r = act(file, &action, err);
	return r < 0 ? r : 1;
}

int written_file_rename_only(struct node *dir, const char *name,
    struct node *to_dir, const char *to_name, unsigned flags, struct err *err)
{
	int r = written_file_rename(dir, name, to_dir, to_name, flags, err);

	if (r != 0)
		return r < 0 ? r : 0;
	return err_set(err, EPERM,
	    "this is part of an image, and cannot be renamed");
}

int written_file_unlink_only(struct node *dir, const char *name,
    struct err *err)
{
	if (written_names_remove(dir, name))
		return 0;
	return err_set(err, EPERM,
	    "this is part of an image, and cannot be removed");
}
