/* SPDX-License-Identifier: Apache-2.0 */
/* What is asked of a file that is being written, beside its bytes. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "upload_table.h"

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
		    "an artifact type is a media type without parameters");
	monitor_enter(&upload->monitor);
	snprintf(upload->type, sizeof(upload->type), "%.*s",
	    value ? (int)len : 0, value ? value : "");
	monitor_leave(&upload->monitor);
	return 0;
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
