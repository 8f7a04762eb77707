/* SPDX-License-Identifier: Apache-2.0 */
/* Options of the mount, as mount(8) has them: -o NAME[=VALUE],... */
#ifndef FS_MOUNT_OPTIONS_H
#define FS_MOUNT_OPTIONS_H

#include "base/buf.h"
#include "options.h"

/* Sets those of a list, which is cut up: values point into it. -EINVAL with a
 * sentence. */
int mount_options_set(struct options *options, char *list, struct err *err);

/* Appends a line or two for each, for --help. */
int mount_options_help(struct buf *out, struct err *err);

/*
 * The same for programs that complete command lines, a line for each word that
 * can follow, its fields separated by tabs: the word ("ro", "cache="), what
 * follows it ("DIR"), the values that are offered, separated by spaces, and the
 * help.
 */
int mount_options_list(struct buf *out, struct err *err);

#endif
