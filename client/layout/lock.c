/* SPDX-License-Identifier: Apache-2.0 */
/* Waits for the lock of a layout. */
#include "lock.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/sysmacros.h>
#include <time.h>
#include <unistd.h>

#include "base/budget.h"
#include "base/log.h"
#include "base/task.h"

enum {
	/* Another process cannot wake us. */
	POLL_MS = 10,
	/* A change takes less. */
	UNSAID_MS = 1000,
};

static void close_file(FILE **file)
{
	if (*file)
		fclose(*file);
}

/* The process that has the lock of a file; 0 where the system does not say, as
 * of one on another machine. */
static pid_t holder(int fd)
{
	CLEANUP(close_file) FILE *locks = fopen("/proc/locks", "re");
	AUTO_FREE char *line = NULL;
	size_t room = 0;
	struct stat st;

	if (!locks || fstat(fd, &st) < 0)
		return 0;
	while (getline(&line, &room, locks) > 0) {
		unsigned major, minor;
		unsigned long ino;
		int pid;

		if (sscanf(line, "%*d: FLOCK %*s %*s %d %x:%x:%lu", &pid,
			&major, &minor, &ino) == 4 &&
		    ino == st.st_ino && makedev(major, minor) == st.st_dev)
			return pid > 0 ? pid : 0;
	}
	return 0;
}

static int stays_locked(const struct layout_source *layouts, const char *path,
    int fd, struct err *err)
{
	pid_t pid = holder(fd);
	char who[64] = "another process";

	if (pid)
		snprintf(who, sizeof(who), "process %d", (int)pid);
	return err_set(err, EBUSY,
	    "%s/%s is locked by %s, which did not give it up within %u "
	    "seconds: "
	    "have it go on, or end it, and try again",
	    layouts->path, path, who, layouts->timeout);
}

/* Tries until it succeeds: 0. */
static int wait_for(const struct layout_source *layouts, const char *path,
    int fd, struct err *err)
{
	const struct timespec poll = {0, POLL_MS * 1000000};
	const uint64_t begun = budget_clock(),
		       patience = layout_patience(layouts);
	uint64_t waited = 0;
	bool said = false;

	for (; flock(fd, LOCK_EX | LOCK_NB) < 0; nanosleep(&poll, NULL)) {
		if (errno != EWOULDBLOCK && errno != EINTR)
			return err_sys(err, "cannot lock %s/%s", layouts->path,
			    path);
		waited = budget_clock() - begun;
		if (task_interrupted())
			return err_set(err, EINTR,
			    "interrupted while another process has the lock "
			    "of %s/%s",
			    layouts->path, path);
		if (waited >= patience) {
			budget_lose(waited);
			return stays_locked(layouts, path, fd, err);
		}
		if (waited >= UNSAID_MS && !said)
			log_warn("%s/%s is locked: waiting for the process "
				 "that changes the layout",
			    layouts->path, path);
		said = waited >= UNSAID_MS;
	}
	return 0;
}

int layout_lock(struct layout_source *layouts, const char *dir, struct err *err)
{
	AUTO_FREE char *path = layout_join(dir, LAYOUT_MARKER);

	return path ? layout_lock_path(layouts, path, err) : err_nomem(err);
}

int layout_lock_path(struct layout_source *layouts, const char *path,
    struct err *err)
{
	AUTO_FD int fd = -1;
	int r;

	/* Some network file systems lock only what can be written. */
	fd = openat(layouts->root, path, O_RDWR | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0)
		fd = openat(layouts->root, path,
		    O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0)
		return err_sys(err, "cannot open %s/%s", layouts->path, path);
	r = wait_for(layouts, path, fd, err);
	return r < 0 ? r : steal_fd(&fd);
}
