/* SPDX-License-Identifier: Apache-2.0 */
/* Opens directories of a tree of layouts, name by name. */
#include "tree.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/log.h"

enum { LINKS_MAX = 40 }; /* as the kernel follows */

/* Where a walk has come to. */
struct walk {
	struct layout_source *layouts;
	int at;
	dev_t device;
	unsigned links; /* that it has followed */
};

static void close_file(FILE **file)
{
	if (*file)
		fclose(*file);
}

static bool is_registryfs(dev_t device)
{
	CLEANUP(close_file) FILE *mounts = fopen("/proc/self/mountinfo", "re");
	AUTO_FREE char *line = NULL;
	size_t room = 0;

	while (mounts && getline(&line, &room, mounts) > 0) {
		const char *type = strstr(line, " - ");
		unsigned major, minor;

		if (type && strncmp(type, " - fuse.registryfs ", 19) == 0 &&
		    sscanf(line, "%*s %*s %u:%u", &major, &minor) == 2 &&
		    makedev(major, minor) == device)
			return true;
	}
	return false;
}

/* The walk goes on from the descriptor, which is its own from now on. */
static void move_to(struct walk *walk, int fd, dev_t device)
{
	close(walk->at);
	walk->at = fd;
	walk->device = device;
}

static int follow(struct walk *walk, const char *path);

static int follow_link(struct walk *walk, int link)
{
	AUTO_FREE char *target = malloc(PATH_MAX);
	ssize_t len;
	int root;

	if (!target)
		return -ENOMEM;
	if (++walk->links > LINKS_MAX)
		return -ELOOP;
	len = readlinkat(link, "", target, PATH_MAX - 1);
	if (len < 0)
		return -errno;
	target[len] = '\0';
	if (*target == '/') {
		root = open("/", O_PATH | O_CLOEXEC);
		if (root < 0)
			return -errno;
		move_to(walk, root, 0);
	}
	return follow(walk, target);
}

/* Goes on by one name: 0 or -errno, without a sentence. */
static int step(struct walk *walk, const char *name)
{
	AUTO_FD int fd =
	    openat(walk->at, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	struct statx st;
	dev_t device;

	/* The kernel knows the device by itself: nobody is asked who serves
	 * it. */
	if (fd < 0 ||
	    statx(fd, "", AT_EMPTY_PATH | AT_NO_AUTOMOUNT | AT_STATX_DONT_SYNC,
		0, &st) < 0)
		return -errno;
	device = makedev(st.stx_dev_major, st.stx_dev_minor);
	if (device != walk->device && device != walk->layouts->device &&
	    is_registryfs(device))
		return -EXDEV;
	if (S_ISLNK(st.stx_mode))
		return follow_link(walk, fd);
	move_to(walk, steal_fd(&fd), device);
	return 0;
}

static int follow(struct walk *walk, const char *path)
{
	while (*path) {
		size_t len = strcspn(path, "/");
		char name[NAME_MAX + 1];
		int r = 0;

		if (len > NAME_MAX)
			return -ENAMETOOLONG;
		snprintf(name, sizeof(name), "%.*s", (int)len, path);
		if (len)
			r = step(walk, name);
		if (r < 0)
			return r;
		path += len + (path[len] == '/');
	}
	return 0;
}

static int left_out(struct layout_source *layouts, const char *path,
    struct err *err)
{
	err_set(err, EXDEV,
	    "%s/%s is left out: a registryfs is mounted there, or on the way",
	    layouts->path, path);
	if (layout_says_first(layouts, err->msg))
		log_info("%s", err->msg);
	return -EXDEV;
}

int tree_open(struct layout_source *layouts, const char *path, struct err *err)
{
	struct walk walk = {.layouts = layouts,
	    .at = openat(layouts->root, ".", O_PATH | O_CLOEXEC),
	    .device = layouts->device};
	int r = walk.at < 0 ? -errno : follow(&walk, path);

	if (r == 0)
		return walk.at;
	if (walk.at >= 0)
		close(walk.at);
	switch (r) {
	case -EXDEV:
		return left_out(layouts, path, err);
	case -ELOOP:
	case -ENAMETOOLONG:
	case -ENOTDIR:
		r = -ENOENT;
	}
	errno = -r;
	return err_sys(err, "cannot open %s/%s", layouts->path, path);
}

int tree_open_list(struct layout_source *layouts, const char *path,
    struct err *err)
{
	AUTO_FD int place = tree_open(layouts, path, err);
	int fd;

	if (place < 0)
		return place;
	fd = openat(place, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0 && errno == ENOTDIR)
		errno = ENOENT;
	return fd < 0 ? err_sys(err, "cannot open %s/%s", layouts->path, path)
		      : fd;
}

/* 1, 0, or -errno without a sentence. */
static int has(int dir, const char *name)
{
	if (faccessat(dir, name, F_OK, 0) == 0)
		return 1;
	return errno == ENOENT || errno == ENOTDIR ? 0 : -errno;
}

int tree_has_layout(struct layout_source *layouts, const char *dir,
    struct err *err)
{
	struct err reason = ERR_INIT;
	AUTO_FD int fd = tree_open(layouts, dir, &reason);
	int r;

	if (fd == -ENOENT || fd == -EXDEV)
		return 0;
	if (fd < 0) {
		*err = reason;
		return fd;
	}
	r = has(fd, LAYOUT_INDEX);
	if (r == 1)
		r = has(fd, LAYOUT_MARKER);
	if (r >= 0)
		return r;
	errno = -r;
	return err_sys(err, "cannot open %s/%s", layouts->path, dir);
}
