/* SPDX-License-Identifier: Apache-2.0 */
/* A thread that does its work until it is to end, and whose waits then do
 * (base/task.h). */
#ifndef FS_WATCH_WORKER_H
#define FS_WATCH_WORKER_H

#include <stdbool.h>

#include "base/err.h"
#include "base/task.h"

/* Embedded; all zeros: not started. */
struct worker {
	void (*work)(void *arg); /* returns soon after task_interrupted() */
	void *arg;
	pthread_t thread;
	pthread_mutex_t lock;
	struct task task;
	bool started;
	/* Under lock. */
	bool in_task, ending;
};

/* Starts it: -errno with a sentence. */
int worker_start(struct worker *worker, void (*work)(void *arg), void *arg,
    struct err *err);

/* Interrupts what it does and waits for its end; nothing if it was not started.
 */
void worker_stop(struct worker *worker);

#endif
