/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Jobs that wait: for a layer's bytes, or for another process that makes the
 * same index. Nobody is there to interrupt them but the table when it goes.
 */
#ifndef LAYER_JOBS_H
#define LAYER_JOBS_H

#include <pthread.h>
#include <stdbool.h>
#include <sys/queue.h>

#include "base/task.h"

struct layer_jobs {
	pthread_mutex_t lock;
	/* Under lock. */
	LIST_HEAD(, layer_job) list; /* that are under way */
	bool ended;
};

/* A job, in its own thread. */
struct layer_job {
	struct task task;
	LIST_ENTRY(layer_job) link; /* under the lock */
};

void jobs_init(struct layer_jobs *jobs);
void jobs_release(struct layer_jobs *jobs);

/* Interrupts all, and from now on each that begins. */
void jobs_interrupt(struct layer_jobs *jobs);

void job_begin(struct layer_jobs *jobs, struct layer_job *job);
void job_end(struct layer_jobs *jobs, struct layer_job *job);

#endif
