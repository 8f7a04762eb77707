/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The threads that serve the kernel's requests.
 *
 * One thread at a time leads: it takes a request, answers it, and takes the
 * next. Where an answer may have to wait for something, it first gives the lead
 * to another thread. Most of what programs ask for in a tree that is known
 * needs no waiting: there one thread does all the work.
 *
 * The leader that has just answered looks for the next request for a moment
 * before it sleeps. To wake a thread on another processor takes longer than to
 * answer, above all in virtual machines; while a program walks through a tree
 * nothing has to be woken but that program.
 */
#ifndef FS_LOOP_H
#define FS_LOOP_H

#include "base/err.h"

struct fuse_session;
struct loop;

/* For a session (borrowed) that is mounted. at_end(arg) is called once when no
 * request is taken any more, while those that were are still answered. */
int loop_new(struct fuse_session *session, void (*at_end)(void *arg), void *arg,
    struct loop **out, struct err *err);

/* Serves until the file system is unmounted, or loop_end(), and all that was
 * begun is answered. -EIO: the connection to the kernel broke. */
int loop_run(struct loop *loop, struct err *err);

/* No request is taken any more. From any thread. */
void loop_end(struct loop *loop);

/* NULL is allowed. */
void loop_free(struct loop *loop);

#endif
