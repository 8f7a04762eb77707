/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The command of the user that is run for each event of the journal: with its
 * line as standard input and its fields in the environment, one after the
 * other, each for ten minutes at most. Its output goes to the log.
 */
#ifndef FS_WATCH_HOOK_H
#define FS_WATCH_HOOK_H

#include "image/journal.h"

struct hook;

/* Starts the thread that runs it, by /bin/sh -c; strings are copied. NULL on
 * failure, err filled. */
struct hook *hook_new(const char *command, const char *mountpoint,
    struct err *err);

/* Kills the command that runs, if one does, and forgets the events that wait.
 * NULL does nothing. */
void hook_free(struct hook *hook);

/* The event is one of those that wait, and it does not wait itself: past a
 * thousand it is dropped, which the log says. */
void hook_add(struct hook *hook, const struct image_event *event,
    const char *line);

#endif
