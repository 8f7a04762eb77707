/* SPDX-License-Identifier: Apache-2.0 */
/* A thread with a task. */
#include "worker.h"

#include "base/lock.h"
#include "base/thread.h"

static void begin(struct worker *worker)
{
	bool ending;

	pthread_mutex_lock(&worker->lock);
	task_begin(&worker->task);
	worker->in_task = true;
	ending = worker->ending;
	pthread_mutex_unlock(&worker->lock);
	if (ending)
		task_interrupt(&worker->task);
}

static void *run(void *arg)
{
	struct worker *worker = arg;

	begin(worker);
	worker->work(worker->arg);
	SCOPED_LOCK(&worker->lock);
	worker->in_task = false;
	task_end(&worker->task);
	return NULL;
}

int worker_start(struct worker *worker, void (*work)(void *arg), void *arg,
    struct err *err)
{
	int r;

	worker->work = work;
	worker->arg = arg;
	pthread_mutex_init(&worker->lock, NULL);
	r = thread_start(&worker->thread, NULL, run, worker);
	if (r) {
		pthread_mutex_destroy(&worker->lock);
		return err_set(err, r, "cannot start a thread");
	}
	worker->started = true;
	return 0;
}

void worker_stop(struct worker *worker)
{
	if (!worker->started)
		return;
	pthread_mutex_lock(&worker->lock);
	worker->ending = true;
	if (worker->in_task)
		task_interrupt(&worker->task);
	pthread_mutex_unlock(&worker->lock);
	pthread_join(worker->thread, NULL);
	pthread_mutex_destroy(&worker->lock);
	worker->started = false;
}
