/* SPDX-License-Identifier: Apache-2.0 */
/*
 * SIGTERM, SIGINT and SIGHUP end the mount: what is under way, a push say, may
 * end by itself for a while; then its transfers are broken off.
 */
#ifndef FS_SIGNALS_H
#define FS_SIGNALS_H

#include "base/err.h"

struct fuse_session;
struct http;
struct signals;

/* For the main thread, before any other is started. */
void signals_block(void);

/* Starts the thread that waits for signals. The caller's thread is then the one
 * that runs the session's loop. grace in seconds. */
int signals_start(struct fuse_session *session, struct http *http,
    unsigned grace, struct signals **out, struct err *err);

/* The loop has ended. NULL is allowed. */
void signals_stop(struct signals *signals);

#endif
