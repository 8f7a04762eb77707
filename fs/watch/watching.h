/* SPDX-License-Identifier: Apache-2.0 */
/* What watches a mount's registries, and what runs when something happens. */
#ifndef FS_WATCH_WATCHING_H
#define FS_WATCH_WATCHING_H

#include "watch.h"

struct watching_options {
	struct watch_options watch;
	const char *webhook; /* as webhook_new(), or NULL */
	const char *hook;    /* a command, or NULL */
};

struct watchers;

/* Starts what the options ask for. mount and strings are borrowed and outlive
 * it. -errno with a sentence. */
int watching_start(struct mount *mount, const struct watching_options *options,
    struct watchers **out, struct err *err);

/* Ends all of it, commands too. What waits for the network has been cut. NULL
 * does nothing. */
void watching_stop(struct watchers *watching);

/* As watch_stop_dropping(). */
bool watching_stop_dropping(struct watchers *watching);

#endif
