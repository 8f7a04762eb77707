/* SPDX-License-Identifier: Apache-2.0 */
/* Files of secrets, written. */
#include "replace.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "base/strf.h"

/* What the path leads to, a new string; the path itself where nothing is. */
static char *resolve(const char *path)
{
	char *target = realpath(path, NULL);

	return target ? target : strdup(path);
}

static int make_parent(const char *path, struct err *err)
{
	const char *slash = strrchr(path, '/');
	AUTO_FREE char *parent = NULL;

	if (!slash || slash == path)
		return 0;
	parent = strndup(path, (size_t)(slash - path));
	return parent ? file_mkdirs(parent, 0700, err) : err_nomem(err);
}

/* root writes the file of another user, who is to read it afterwards. */
static int keep_owner(int fd, const char *path, struct err *err)
{
	struct stat st;

	if (geteuid() != 0 || stat(path, &st) < 0)
		return 0;
	if (fchown(fd, st.st_uid, st.st_gid) < 0)
		return err_sys(err, "cannot change the owner");
	return 0;
}

static int write_temp(int fd, const char *path, const char *text,
    struct err *err)
{
	int r = keep_owner(fd, path, err);

	if (r == 0)
		r = file_pwrite(fd, text, strlen(text), 0, err);
	if (r == 0 && fsync(fd) < 0)
		return err_sys(err, "cannot sync");
	return r;
}

int replace_file(const char *path, const char *text, struct err *err)
{
	AUTO_FREE char *target = resolve(path);
	AUTO_FREE char *temp = target ? strf("%s.XXXXXX", target) : NULL;
	AUTO_FD int fd = -1;
	int r;

	if (!temp)
		return err_nomem(err);
	r = make_parent(target, err);
	if (r < 0)
		return r;
	/* It makes files for their owner alone. */
	fd = mkstemp(temp);
	if (fd < 0)
		return err_sys(err, "cannot write %s", target);
	r = write_temp(fd, target, text, err);
	if (r == 0 && rename(temp, target) < 0)
		r = err_sys(err, "cannot rename");
	if (r == 0)
		return 0;
	unlink(temp);
	return err_wrap(err, "%s", target);
}
