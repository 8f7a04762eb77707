/* SPDX-License-Identifier: Apache-2.0 */
/* Jobs that can be interrupted together. */
#include "jobs.h"

#include "base/lock.h"

void jobs_init(struct layer_jobs *jobs)
{
	pthread_mutex_init(&jobs->lock, NULL);
	LIST_INIT(&jobs->list);
	jobs->ended = false;
}

void jobs_release(struct layer_jobs *jobs)
{
	pthread_mutex_destroy(&jobs->lock);
}

void jobs_interrupt(struct layer_jobs *jobs)
{
	struct layer_job *job;

	SCOPED_LOCK(&jobs->lock);
	jobs->ended = true;
	LIST_FOREACH(job, &jobs->list, link)
	task_interrupt(&job->task);
}

void job_begin(struct layer_jobs *jobs, struct layer_job *job)
{
	task_begin(&job->task);
	SCOPED_LOCK(&jobs->lock);
	LIST_INSERT_HEAD(&jobs->list, job, link);
	if (jobs->ended)
		task_interrupt(&job->task);
}

void job_end(struct layer_jobs *jobs, struct layer_job *job)
{
	{
		SCOPED_LOCK(&jobs->lock);
		LIST_REMOVE(job, link);
	}
	task_end(&job->task);
}
