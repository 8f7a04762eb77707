/* SPDX-License-Identifier: Apache-2.0 */
/* One file that is being written, and the push that it becomes. */
#include "upload.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/log.h"
#include "base/task.h"
#include "caller.h"
#include "upload_table.h"

void upload_free(struct upload *upload)
{
	if (upload->push)
		push_free(upload->push);
	upload_copy_forget(upload);
	if (upload->spool)
		spool_free(upload->spool);
	monitor_release(&upload->monitor);
	free(upload->place);
	free(upload->name);
	target_release(&upload->target);
	free(upload);
}

struct upload *upload_get(struct upload *upload)
{
	atomic_fetch_add(&upload->refs, 1);
	return upload;
}

void upload_put(struct upload *upload)
{
	if (upload && atomic_fetch_sub(&upload->refs, 1) == 1)
		upload_free(upload);
}

unsigned long upload_serial(const struct upload *upload)
{
	return upload->serial;
}

/* One operation at a time on the bytes; the rest wait, interruptibly. */
int upload_begin(struct upload *upload, struct err *err)
{
	int r = 0;

	monitor_enter(&upload->monitor);
	while (upload->busy && r == 0)
		r = monitor_wait(&upload->monitor);
	if (r == 0)
		upload->busy = true;
	monitor_leave(&upload->monitor);
	return r < 0 ? err_set(err, EINTR, "interrupted") : 0;
}

void upload_end(struct upload *upload)
{
	monitor_enter(&upload->monitor);
	upload->busy = false;
	monitor_notify(&upload->monitor);
	monitor_leave(&upload->monitor);
}

void upload_become(struct upload *upload, enum upload_state state,
    const struct err *error)
{
	monitor_enter(&upload->monitor);
	upload->state = state;
	upload->error = error ? *error : (struct err)ERR_INIT;
	monitor_leave(&upload->monitor);
}

void upload_restart(struct upload *upload)
{
	push_free(steal(&upload->push));
	upload->late = false;
	upload->as_found = false;
	upload_become(upload, UPLOAD_OPEN, NULL);
}

void upload_forget(struct upload *upload)
{
	upload_copy_forget(upload);
	upload_restart(upload);
}

static int upload_push(struct upload *upload, struct err *err)
{
	const struct upload_target *target = &upload->target;
	const struct push_target to = {.images = upload->mount->images,
	    .repository = target->repository,
	    .tag = target->tag,
	    .untagged = target->kind->is_untagged};

	if (upload->push)
		return 0;
	return push_new(&to, upload->spool, &upload->push, err);
}

/* What its archive is now, whether its bytes came in or it was copied in the
 * registry; NULL where it is not an archive. */
static const struct digest *pushed_digest(const struct upload *upload)
{
	if (!upload->target.kind->is_archive)
		return NULL;
	return upload->source ? &save_image(upload->source)->digest
			      : push_digest(upload->push);
}

int upload_apply(struct upload *upload, struct err *err)
{
	const struct upload_kind *kind = upload->target.kind;
	char type[ARTIFACT_TYPE_SIZE];
	const struct target_file file = {.name = upload->name,
	    .type = type,
	    .spool = upload->spool,
	    .pushed = pushed_digest(upload)};

	if (upload->state == UPLOAD_PUSHED || !kind->apply)
		return 1;
	upload_type(upload, type);
	return kind->apply(upload->mount, &upload->target, &file, err);
}

/* Takes note of what push_advance() or push_end() said. */
int upload_outcome(struct upload *upload, int r, struct err *err)
{
	if (r == 1 && upload->state != UPLOAD_PUSHED) {
		upload_become(upload, UPLOAD_PUSHED, NULL);
		uploads_pushed_now(upload);
	} else if (r < 0 && upload->state == UPLOAD_OPEN) {
		struct err lasting = *err;

		/* EINTR asks to write again, which many programs would do for
		 * ever. */
		if (r == -EINTR)
			lasting.code = EIO;
		upload_become(upload, UPLOAD_FAILED, &lasting);
		uploads_failed_now(upload);
	}
	return r < 0 ? r : 0;
}

/* A push that has failed goes on failing, with the same words. */
static int upload_check(const struct upload *upload, struct err *err)
{
	if (upload->state != UPLOAD_FAILED)
		return 0;
	*err = upload->error;
	return -err->code;
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
	if (!upload->target.kind || !upload->target.kind->is_archive)
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
	const struct upload_kind *kind = upload->target.kind;

	if (upload->state != UPLOAD_PUSHED || !kind || kind->is_archive)
		return 0;
	return err_set(err, EIO,
	    "%s was whole when it was closed; what is written behind it comes "
	    "too late",
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
	return upload->target.kind ? upload_outcome(upload, r, err) : r;
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

int upload_complete(struct upload *upload, bool is_last, struct err *err)
{
	int r;

	if (upload->source)
		return upload_copy_finish(upload, err);
	if (!spool_size(upload->spool))
		return 0;
	if (!upload->target.kind->is_archive)
		return upload_apply(upload, err);
	r = upload_push(upload, err);
	if (r == 0)
		r = push_end(upload->push, is_last, err);
	return r == 1 ? upload_apply(upload, err) : r;
}

/* Whether what has not come to its end can still do so. */
static bool goes_on(struct upload *upload, int r)
{
	struct err none = ERR_INIT;

	if (!upload->target.kind->is_archive)
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
	if (r < 0 || !upload->target.kind || upload->state == UPLOAD_PUSHED ||
	    upload->as_found)
		return r;
	if (!by_opener && !upload->target.kind->is_archive) {
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

uint64_t upload_size(struct upload *upload)
{
	uint64_t written = spool_size(upload->spool);
	uint64_t copied = atomic_load(&upload->copied);

	return written > copied ? written : copied;
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
		r = err_set(err, EPERM, "the archive has been pushed");
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
		upload->target.kind = NULL;
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

bool upload_is_open(struct upload *upload)
{
	bool open;

	monitor_enter(&upload->monitor);
	open = upload->openers > 0;
	monitor_leave(&upload->monitor);
	return open;
}

bool upload_came_to_nothing(struct upload *upload)
{
	bool is;

	if (upload_size(upload) > 0)
		return false;
	monitor_enter(&upload->monitor);
	is = upload->openers == 0 && upload->state == UPLOAD_OPEN &&
	     caller_has_ended(upload->emptied_by);
	monitor_leave(&upload->monitor);
	return is;
}

/* The kernel remembers a file for as long as it likes, and the disk is small:
 * what nobody can reach any more goes at once. */
void upload_drop_unreachable(struct upload *upload)
{
	struct err none = ERR_INIT;

	if (!upload_is_open(upload) && !upload_named(upload))
		spool_truncate(upload->spool, 0, &none);
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
