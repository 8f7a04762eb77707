/* SPDX-License-Identifier: Apache-2.0 */
/* One file that is being written: the object, and what is asked of it. */
#include "upload.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/xattr.h>

#include "base/task.h"
#include "habits/caller.h"
#include "table.h"

void upload_free(struct upload *upload)
{
	if (upload->push)
		push_free(upload->push);
	upload_copy_forget(upload);
	if (upload->spool)
		spool_free(upload->spool);
	monitor_release(&upload->monitor);
	written_dir_put(upload->dir);
	free(upload->name);
	intent_release(&upload->intent);
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

void upload_become(struct upload *upload, enum file_state state,
    const struct err *failure)
{
	struct err copy = failure ? *failure : (struct err)ERR_INIT;

	monitor_enter(&upload->monitor);
	upload->state = state;
	upload->failure = copy;
	monitor_leave(&upload->monitor);
}

bool upload_is_open_to_bytes(const struct upload *upload)
{
	return upload->state == FILE_OPEN || upload->state == FILE_LATE ||
	       upload->state == FILE_CUT;
}

void upload_restart(struct upload *upload)
{
	push_give_up(steal(&upload->push), &upload->failure);
	upload_become(upload, upload_first_state(upload), NULL);
}

enum file_state upload_first_state(const struct upload *upload)
{
	return upload->intent.effect == WRITE_NOTHING ? FILE_KEPT : FILE_OPEN;
}

void upload_forget(struct upload *upload)
{
	upload_copy_forget(upload);
	upload_restart(upload);
}

uint64_t upload_size(struct upload *upload)
{
	uint64_t written = spool_size(upload->spool);
	uint64_t copied = atomic_load(&upload->copied);

	return written > copied ? written : copied;
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
	is = upload->openers == 0 && upload->state < FILE_DONE &&
	     caller_has_ended(upload->emptied_by);
	monitor_leave(&upload->monitor);
	return is;
}

void upload_copy_forget(struct upload *upload)
{
	save_put(upload->source);
	upload->source = NULL;
	upload->copied = 0;
}

bool upload_error(struct upload *upload, char *out, size_t size)
{
	bool failed;

	monitor_enter(&upload->monitor);
	failed = upload->failure.code != 0 && upload->state != FILE_CUT &&
		 upload->state != FILE_OVERRUN;
	snprintf(out, size, "%s", upload->failure.msg);
	monitor_leave(&upload->monitor);
	return failed;
}

void upload_type(struct upload *upload, char *out)
{
	monitor_enter(&upload->monitor);
	memcpy(out, upload->type, sizeof(upload->type));
	monitor_leave(&upload->monitor);
}

int upload_set_type(struct upload *upload, const char *value, size_t len,
    struct err *err)
{
	if (value && !artifact_type_valid(value, len))
		return err_set(err, EINVAL,
		    "an artifact type must be a media type without parameters");
	monitor_enter(&upload->monitor);
	snprintf(upload->type, sizeof(upload->type), "%.*s",
	    value ? (int)len : 0, value ? value : "");
	monitor_leave(&upload->monitor);
	return 0;
}

int upload_setxattr(struct upload *upload, const char *name, const void *value,
    size_t len, int flags, struct err *err)
{
	char type[ARTIFACT_TYPE_SIZE];

	if (strcmp(name, XATTR_ARTIFACT_TYPE) != 0)
		return -EOPNOTSUPP;
	upload_type(upload, type);
	if ((!value && !*type) || (flags & XATTR_REPLACE && !*type))
		return err_set(err, ENODATA, "the file has no artifact type");
	if (flags & XATTR_CREATE && *type)
		return err_set(err, EEXIST,
		    "the file already has an artifact type");
	return upload_set_type(upload, value, len, err);
}

void upload_stat(struct upload *upload, struct stat *out)
{
	uint64_t size = upload_size(upload);

	out->st_size = (off_t)size;
	out->st_blocks = (blkcnt_t)((size + 511) / 512);
	monitor_enter(&upload->monitor);
	out->st_mode = S_IFREG | (upload->mode & 07777);
	out->st_mtim = upload->mtime;
	monitor_leave(&upload->monitor);
	out->st_ctim = out->st_mtim;
	out->st_atim = out->st_mtim;
}
