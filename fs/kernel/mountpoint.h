/* SPDX-License-Identifier: Apache-2.0 */
/* Places to mount on. */
#ifndef FS_MOUNTPOINT_H
#define FS_MOUNTPOINT_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/err.h"

/*
 * Checks a mount point: a directory, no mount of ours on it. One that a killed
 * registryfs left behind is unmounted. 0 or -errno with a sentence.
 */
int mountpoint_check(const char *path, struct err *err);

/*
 * The device number of what is mounted on a path (absolute, without symbolic
 * links): of the topmost mount there, and whether that is a registryfs. 0:
 * nothing is mounted there.
 */
dev_t mountpoint_device(const char *path, bool *is_registryfs);

#endif
