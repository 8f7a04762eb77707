/* SPDX-License-Identifier: Apache-2.0 */
/* The life of a mount: from a checked mount point to the last reply. */
#ifndef FS_SESSION_H
#define FS_SESSION_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/err.h"
#include "options.h"

/*
 * Checks the mount point: a directory, no mount of ours on it. One that a
 * killed registryfs left behind is unmounted. 0 or -errno with a sentence.
 */
int session_check_mountpoint(const char *mountpoint, struct err *err);

/*
 * The device number of what is mounted on a path (absolute, without symbolic
 * links): of the topmost mount there, and whether that is a registryfs. 0:
 * nothing is mounted there.
 */
dev_t session_mounted_device(const char *path, bool *is_registryfs);

/*
 * Connects to the registry, mounts it, and serves until it is unmounted or a
 * signal comes. ready(arg) is called when the mount answers. 0, or -errno where
 * it never came to that.
 */
int session_run(const struct options *options, void (*ready)(void *arg),
    void *arg, struct err *err);

#endif
