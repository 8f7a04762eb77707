/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the requests of one system call have spent of its budget
 * (base/budget.h).
 *
 * The kernel makes several requests of a call: a lookup for each name of a
 * path, a read that looks ahead and then the one that was asked for. They come
 * from the same thread, one right after the other, and none says which call it
 * is of.
 * - A request that is answered well, though a server failed on the way (the
 *   time of an image is then not known), may be followed by others of its call:
 *   they go on with what is left. That a name is not there is an answer, too:
 *   the call may go on to make it. What they need may be another thing than
 *   what failed, and be there: so half of the timeout is left for the next of
 *   them, and again where that does not fail, too.
 * - One that fails ends its call: the next one of that thread begins a new
 *   budget. But after a read that failed the kernel reads once more, which is
 *   given the same answer.
 */
#ifndef FS_SPENT_H
#define FS_SPENT_H

#include <sys/types.h>

#include "base/budget.h"

struct spent;

/* timeout: seconds, the mount's. NULL on failure, err filled. */
struct spent *spent_new(unsigned timeout, struct err *err);
void spent_free(struct spent *spent);

/* The budget with which a request of that thread begins. */
void spent_begin(struct spent *spent, pid_t thread, bool reads,
    struct budget *out);

/* The thread opens what is read without a request of its own: that is another
 * call. */
void spent_forget(struct spent *spent, pid_t thread);

/* The request has been carried out, and failed or not. */
void spent_end(struct spent *spent, pid_t thread, bool reads, bool failed,
    const struct budget *budget);

#endif
