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
	is = upload->openers == 0 && upload->state == UPLOAD_OPEN &&
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
	failed = upload->error.code != 0;
	snprintf(out, size, "%s", upload->error.msg);
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
