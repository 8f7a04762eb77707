/* SPDX-License-Identifier: Apache-2.0 */
/* What a program does with a file that it writes: open, write, flush, close. */
#include <errno.h>
#include <fcntl.h>

#include "base/log.h"
#include "habits/caller.h"
#include "table.h"

/* A push that has failed goes on failing, with the same words. */
static int upload_check(const struct upload *upload, struct err *err)
{
	if (upload->state != UPLOAD_FAILED)
		return 0;
	*err = upload->error;
	return -err->code;
}

/* Whether it becomes anything, under its name. */
static bool has_effect(const struct upload *upload)
{
	return upload->intent.effect != WRITE_NOTHING;
}

/* And that by a push of the archive that it is. */
static bool is_archive(const struct upload *upload)
{
	return has_effect(upload) && intent_kind(&upload->intent)->is_archive;
}

static int receive(struct upload *upload, const void *data, size_t len,
    uint64_t off, struct err *err)
{
	int r = 0;

	if (upload->source && upload->state == UPLOAD_OPEN)
		r = upload_copy_spool(upload, err);
	if (r == 0)
		r = spool_write(upload->spool, data, len, off, err);
	if (r < 0)
		return err_wrap(err, "%s cannot be kept in the cache",
		    upload->name);
	if (!is_archive(upload))
		return 0;
	r = upload_push(upload, err);
	if (r == 0)
		r = push_advance(upload->push, data, len, off, err);
	return r == 1 ? upload_apply(upload, err) : r;
}

/* What is behind the end of an archive may be its padding, which the push looks
 * after; other files had come to their end when they were closed. */
static int check_end(const struct upload *upload, struct err *err)
{
	if (upload->state != UPLOAD_PUSHED || !has_effect(upload) ||
	    is_archive(upload))
		return 0;
	return err_set(err, EIO,
	    "%s was already processed when it was closed; later writes are "
	    "refused",
	    upload->name);
}

/* What is appended to an archive, or written over a part of it, would not be
 * part of any image, or of another one than its writer thinks. */
static int check_change(const struct upload *upload, struct err *err)
{
	if (!upload->as_found || !upload->source)
		return 0;
	return err_set(err, EPERM,
	    "%s: an archive in a registry cannot be changed in part: copy it "
	    "to a local disk, change it there, and copy it back",
	    upload->name);
}

static int write_begun(struct upload *upload, const void *data, size_t len,
    uint64_t off, struct err *err)
{
	int r = upload_check(upload, err);

	if (r == 0)
		r = check_end(upload, err);
	if (r == 0)
		r = check_change(upload, err);
	if (r < 0)
		return r;
	upload->as_found = false;
	r = receive(upload, data, len, off, err);
	return has_effect(upload) ? upload_outcome(upload, r, err) : r;
}

int upload_write(struct upload *upload, const void *data, size_t len,
    uint64_t off, struct err *err)
{
	int r = upload_begin(upload, err);

	if (r < 0)
		return r;
	r = write_begun(upload, data, len, off, err);
	upload_end(upload);
	return r;
}

/* Whether what has not come to its end can still do so. */
static bool goes_on(struct upload *upload, int r)
{
	struct err none = ERR_INIT;

	if (!is_archive(upload))
		return r == -EINVAL;
	if (upload->source)
		return true;
	return upload->push &&
	       push_advance(upload->push, NULL, 0, 0, &none) == 0;
}

/*
 * An archive says itself when it is whole. Of other files, and of a tar without
 * an end marker, only the one that has opened it knows: the shell hands one
 * open file to several programs, each of which flushes it when it exits.
 */
static int flush_begun(struct upload *upload, bool by_opener, struct err *err)
{
	int r = upload_check(upload, err);

	upload_settle_kind(upload, false);
	if (r < 0 || !has_effect(upload) || upload->state == UPLOAD_PUSHED ||
	    upload->as_found)
		return r;
	if (!by_opener && !is_archive(upload)) {
		upload->late = true;
		return 0;
	}
	r = upload_complete(upload, by_opener, err);
	upload->late = r == 0 && !by_opener;
	/* What has not ended may go on, for the same reason. */
	upload->unfinished = r < 0 && goes_on(upload, r);
	if (upload->unfinished) {
		upload->reason = *err;
		return r;
	}
	return upload_outcome(upload, r, err);
}

int upload_flush(struct upload *upload, pid_t opener, struct err *err)
{
	bool by_opener = caller_is_of(opener);
	int r = upload_begin(upload, err);

	if (r < 0)
		return r;
	r = flush_begun(upload, by_opener, err);
	upload_end(upload);
	return r;
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

static int truncate_begun(struct upload *upload, uint64_t size, struct err *err)
{
	int r = 0;

	/* rsync --inplace sets the size that the file has, after the push. */
	if (size == upload_size(upload))
		return 0;
	if (size == 0)
		upload_forget(upload);
	else if (upload->state == UPLOAD_PUSHED)
		r = err_set(err, EPERM, "the archive was already pushed");
	else
		r = check_change(upload, err);
	if (r == 0 && upload->source)
		r = upload_copy_spool(upload, err);
	if (r < 0)
		return r;
	upload->as_found = false;
	return spool_truncate(upload->spool, size, err);
}

static int upload_truncate(struct upload *upload, uint64_t size,
    struct err *err)
{
	int r = upload_begin(upload, err);

	if (r < 0)
		return r;
	r = truncate_begun(upload, size, err);
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

/* The last one has closed it: whoever opened it did not. */
static void finish_late(struct upload *upload)
{
	struct err err = ERR_INIT;
	int r = flush_begun(upload, true, &err);

	if (r < 0)
		log_error("%s: %s", upload->name, err.msg);
}

/* Nobody can finish it any more under this name. */
static void abandon(struct upload *upload)
{
	struct err none = ERR_INIT;

	if (upload_begin(upload, &none) < 0)
		return;
	if (upload->state == UPLOAD_OPEN && upload->late)
		finish_late(upload);
	if (upload->state == UPLOAD_OPEN && upload->unfinished) {
		upload_become(upload, UPLOAD_FAILED, &upload->reason);
		uploads_failed_now(upload);
		push_free(steal(&upload->push));
	}
	upload_end(upload);
}

bool upload_close(struct upload *upload)
{
	bool last, abandoned;

	monitor_enter(&upload->monitor);
	last = --upload->openers == 0;
	abandoned = last && (upload->unfinished || upload->late) &&
		    upload->state == UPLOAD_OPEN;
	monitor_leave(&upload->monitor);
	if (abandoned)
		abandon(upload);
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
