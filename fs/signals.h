/* SPDX-License-Identifier: Apache-2.0 */
/*
 * SIGTERM and SIGINT end the mount: a push that is under way may end by itself
 * for a while, or until the next such signal. SIGHUP, by which daemons are told
 * to read their configuration again, and which comes when a terminal is closed,
 * leaves it as it is.
 */
#ifndef FS_SIGNALS_H
#define FS_SIGNALS_H

#include <stdbool.h>

#include "base/err.h"

struct signals;

/* How a mount ends; the calls are made from the thread that waits. */
struct ending {
	unsigned grace; /* seconds */
	/* Nothing more is to be begun. Called again until it is true: it may
	 * first have to wait for something, and does not wait itself. */
	bool (*end)(void *arg);
	void (*soon)(void *arg); /* what nobody needs any more is to stop */
	void (*now)(void *arg);  /* all is to stop */
	void *arg;
};

/* For the main thread, before any other is started. */
void signals_block(void);

/* Starts the thread that waits for signals. */
int signals_start(const struct ending *ending, struct signals **out,
    struct err *err);

/* The loop has ended. NULL is allowed. */
void signals_stop(struct signals *signals);

#endif
