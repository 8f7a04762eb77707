/* SPDX-License-Identifier: Apache-2.0 */
/* registryfs status [MOUNTPOINT]: what the mounts of a user do now. */
#include <errno.h>
#include <limits.h>
#include <mntent.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "base/strf.h"
#include "status_lines.h"
#include "words.h"

enum {
	STATUS_MAX = 4 << 20,
	SCREEN_MAX = 1 << 20,
	MOUNTS_MAX = 64,
	MOUNT_LINE_MAX = 3 * PATH_MAX,
};

/* A mount of registryfs, and what it said when it was last asked. */
struct watched {
	char *path;
	json_t *status; /* NULL: it was not asked, or did not answer */
	struct timespec at;
};

struct watching {
	struct watched mounts[MOUNTS_MAX];
	size_t count;
	const char *only; /* what the user named; NULL: all */
};

static void watching_release(struct watching *watching)
{
	for (size_t i = 0; i < watching->count; i++) {
		free(watching->mounts[i].path);
		json_decref(watching->mounts[i].status);
	}
}

static int add_mount(struct watching *watching, const char *path,
    struct err *err)
{
	for (size_t i = 0; i < watching->count; i++)
		if (strcmp(watching->mounts[i].path, path) == 0)
			return 0;
	if (watching->count == MOUNTS_MAX)
		return 0;
	watching->mounts[watching->count].path = strdup(path);
	if (!watching->mounts[watching->count].path)
		return err_nomem(err);
	watching->count++;
	return 0;
}

/* Mounts that are new since the last time. */
static int find_mounts(struct watching *watching, struct err *err)
{
	static const char path[] = "/proc/self/mounts";
	FILE *table = setmntent(path, "re");
	char line[MOUNT_LINE_MAX];
	struct mntent entry;
	int r = 0;

	if (!table)
		return err_sys(err, "%s", path);
	while (r == 0 && getmntent_r(table, &entry, line, sizeof(line)))
		if (strcmp(entry.mnt_type, "fuse.registryfs") == 0)
			r = add_mount(watching, entry.mnt_dir, err);
	endmntent(table);
	return r;
}

static int ask(const char *mountpoint, json_t **out, struct err *err)
{
	AUTO_FREE char *path = strf("%s/.registryfs/status.json", mountpoint);
	AUTO_BUF struct buf text = BUF_INIT(STATUS_MAX);
	int r;

	if (!path)
		return err_nomem(err);
	r = file_slurp(path, &text, err);
	if (r == -ENOTCONN)
		return err_set(err, ENOTCONN,
		    "%s: the registryfs of this mount has ended: unmount it "
		    "with fusermount3 -u %s",
		    mountpoint, mountpoint);
	if (r < 0)
		return r;
	*out = json_loadb(text.data, text.len, 0, NULL);
	return *out ? 0
		    : err_set(err, EINVAL, "%s is not a status of registryfs",
			  path);
}

static double seconds_between(const struct timespec *from,
    const struct timespec *to)
{
	return (double)(to->tv_sec - from->tv_sec) +
	       (double)(to->tv_nsec - from->tv_nsec) / 1e9;
}

/* Another user's mount is left out, unless it was named. */
static bool is_others(const struct watching *watching, int r)
{
	return !watching->only && (r == -EACCES || r == -EPERM);
}

/* Its lines; what went wrong is a line, too, where there may be others. */
static int show_mount(struct watching *watching, struct watched *mount,
    const struct status_style *style, struct buf *out, struct err *err)
{
	json_t *before = mount->status;
	struct timespec at;
	struct err reason = ERR_INIT;
	int r;

	mount->status = NULL;
	clock_gettime(CLOCK_MONOTONIC, &at);
	r = ask(mount->path, &mount->status, &reason);
	if (r == 0)
		r = status_lines(mount->status, before,
		    seconds_between(&mount->at, &at), style, out, err);
	else if (watching->only)
		*err = reason;
	else
		r = is_others(watching, r) || r == -ENOENT
			? 0
			: buf_addf(out, err, "%s\n", reason.msg);
	json_decref(before);
	mount->at = at;
	return r;
}

static int show_all(struct watching *watching, const struct status_style *style,
    struct buf *out, struct err *err)
{
	int r = watching->only ? add_mount(watching, watching->only, err)
			       : find_mounts(watching, err);

	for (size_t i = 0; r == 0 && i < watching->count; i++)
		r = show_mount(watching, &watching->mounts[i], style, out, err);
	if (r == 0 && !out->len)
		r = buf_addstr(out, "nothing is mounted\n", err);
	return r;
}

static struct status_style style_of(int fd)
{
	struct winsize window = {.ws_col = 0};
	bool terminal = isatty(fd);

	if (terminal)
		ioctl(fd, TIOCGWINSZ, &window);
	return (struct status_style){terminal, window.ws_col};
}

/* Draws one screen over the last one, or on no terminal one after another. */
static int show_once(struct watching *watching, bool again, struct err *err)
{
	const struct status_style style = style_of(STDOUT_FILENO);
	AUTO_BUF struct buf out = BUF_INIT(SCREEN_MAX);
	int r = show_all(watching, &style, &out, err);

	if (r < 0)
		return r;
	if (style.bars && again)
		fputs("\033[H\033[J", stdout);
	else if (again)
		fputs("\n", stdout);
	fputs(buf_str(&out), stdout);
	if (fflush(stdout) != 0)
		return err_sys(err, "standard output");
	return 0;
}

int status_run(const struct command_words *words, struct err *err)
{
	CLEANUP(watching_release)
	struct watching watching = {.only = words->operand};
	const struct timespec second = {.tv_sec = 1};
	bool on_terminal = isatty(STDOUT_FILENO);
	int r = show_once(&watching, words->watch && on_terminal, err);

	while (r == 0 && words->watch) {
		nanosleep(&second, NULL);
		r = show_once(&watching, true, err);
	}
	return r;
}
