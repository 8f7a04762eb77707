/* SPDX-License-Identifier: Apache-2.0 */
/* The files in which credentials are looked for, and whether they change. */
#ifndef CREDS_FILES_H
#define CREDS_FILES_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>
#include <time.h>

#include "base/err.h"

enum { AUTH_FILES_MAX = 4 };

/* What tells a file from the one that was there before. */
struct file_identity {
	bool there;
	dev_t device;
	ino_t inode;
	off_t size;
	struct timespec written;
};

/* Whose file it is, which says how hosts are called in it. */
enum auth_file_kind {
	AUTH_FILE_CONTAINERS,
	AUTH_FILE_DOCKER,
	AUTH_FILE_DOCKERCFG, /* docker's former one, which nobody writes */
};

struct auth_file {
	char *path;
	enum auth_file_kind kind;
	struct file_identity seen; /* the last time */
};

struct auth_files {
	char *environment; /* DOCKER_AUTH_CONFIG, NULL if unset */
	struct auth_file file[AUTH_FILES_MAX]; /* in their order */
	size_t count;
};

/*
 * authfile: the only one, or NULL for what the environment says, as
 * creds_new() has it. The struct is zeroed before; to be released also after a
 * failure.
 */
int auth_files_init(struct auth_files *files, const char *authfile,
    struct err *err);
void auth_files_release(struct auth_files *files);

/* Whether one has changed since the last call; the first call says that of
 * those that are there. */
bool auth_files_changed(struct auth_files *files);

#endif
