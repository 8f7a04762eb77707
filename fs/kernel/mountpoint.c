/* SPDX-License-Identifier: Apache-2.0 */
/* Is this a place to mount on? */
#include "mountpoint.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"

static void close_file(FILE **file)
{
	if (*file)
		fclose(*file);
}

/* mountinfo writes space, tab, newline and backslash as \ooo. */
static void unescape(char *text)
{
	char *to = text;

	while (*text) {
		unsigned value;

		if (text[0] == '\\' && sscanf(text + 1, "%3o", &value) == 1) {
			*to++ = (char)value;
			text += 4;
		} else {
			*to++ = *text++;
		}
	}
	*to = '\0';
}

dev_t mountpoint_device(const char *path, bool *is_registryfs)
{
	CLEANUP(close_file) FILE *file = fopen("/proc/self/mountinfo", "re");
	AUTO_FREE char *line = NULL;
	size_t room = 0;
	dev_t device = 0;

	*is_registryfs = false;
	while (file && getline(&line, &room, file) > 0) {
		char where[PATH_MAX];
		const char *type = strstr(line, " - ");
		unsigned major, minor;

		if (sscanf(line, "%*s %*s %u:%u %*s %4095s", &major, &minor,
			where) != 3)
			continue;
		unescape(where);
		if (strcmp(where, path) != 0)
			continue;
		device = makedev(major, minor);
		*is_registryfs =
		    type && !strncmp(type + 3, "fuse.registryfs ", 16);
	}
	return device;
}

/* Takes away a mount whose program is gone: as root directly, else through the
 * program that may. */
static int unmount_stale(const char *path, struct err *err)
{
	pid_t child;
	int status = -1;

	if (umount2(path, MNT_DETACH) == 0)
		return 0;
	child = fork();
	if (child == 0) {
		execlp("fusermount3", "fusermount3", "-uz", "--", path,
		    (char *)NULL);
		_exit(127);
	}
	if (child < 0 || waitpid(child, &status, 0) != child || status != 0)
		return err_set(err, ENOTCONN,
		    "%s is still a mount, whose program has ended; remove it "
		    "with fusermount3 -uz %s",
		    path, path);
	return 0;
}

int mountpoint_check(const char *mountpoint, struct err *err)
{
	char path[PATH_MAX];
	struct statvfs fs;
	struct stat st;
	bool is_registryfs;
	int r;

	/* Unlike stat(), this is never answered from what the kernel kept. */
	if (statvfs(mountpoint, &fs) < 0 && errno == ENOTCONN) {
		r = unmount_stale(mountpoint, err);
		if (r < 0)
			return r;
	}
	if (stat(mountpoint, &st) < 0)
		return err_sys(err, "mount point %s", mountpoint);
	if (!S_ISDIR(st.st_mode))
		return err_set(err, ENOTDIR, "mount point %s: not a directory",
		    mountpoint);
	if (!realpath(mountpoint, path))
		return err_sys(err, "mount point %s", mountpoint);
	if (mountpoint_device(path, &is_registryfs) && is_registryfs)
		return err_set(err, EBUSY,
		    "mount point %s: a registry is mounted there already",
		    mountpoint);
	return 0;
}
