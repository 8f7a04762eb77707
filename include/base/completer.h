/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Work that has to be brought to its end once it has begun: a tag that is moved
 * in two steps. The task that waits for it can be interrupted (task.h): it is
 * let go at once, while the work goes on.
 */
#ifndef BASE_COMPLETER_H
#define BASE_COMPLETER_H

#include "base/cleanup.h"
#include "base/err.h"

struct completer;

struct work {
	int (*run)(void *arg, struct err *err); /* as no task */
	void (*release)(void *arg);             /* afterwards */
	void *arg;
};

/* NULL on failure, err filled. */
struct completer *completer_new(struct err *err);

/*
 * Does the work, in a thread of its own, and waits for it: what run() returned,
 * with its error. -EINTR where the calling thread's task is interrupted before
 * that: the work goes on, and its failure goes to the log. Takes the argument.
 */
int completer_do(struct completer *completer, const struct work *work,
    struct err *err);

/* Waits until all work has ended. */
void completer_wait(struct completer *completer);

/* The same, and frees. NULL is allowed. */
void completer_free(struct completer *completer);

DEFINE_CLEANUP(struct completer *, completer_free);

#endif
