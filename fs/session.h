/* SPDX-License-Identifier: Apache-2.0 */
/* The life of a mount: from a checked mount point to the last reply. */
#ifndef FS_SESSION_H
#define FS_SESSION_H

#include "base/err.h"
#include "options.h"

/*
 * Connects to the registry, mounts it, and serves until it is unmounted or a
 * signal comes. ready(arg) is called when the mount answers. 0, or -errno where
 * it never came to that.
 */
int session_run(const struct options *options, void (*ready)(void *arg),
    void *arg, struct err *err);

#endif
