/* SPDX-License-Identifier: Apache-2.0 */
/* The job pool. */
#include "base/pool.h"

#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/budget.h"
#include "base/lock.h"
#include "base/thread.h"

struct pool_job {
	struct pool_job *next;
	void (*run)(void *arg);
	void *arg;
	struct budget budget;
};

struct pool {
	char name[16];  /* what the kernel keeps of a thread's name */
	unsigned limit; /* how many threads there can be */
	pthread_mutex_t lock;
	pthread_cond_t changed;

	/* Under lock. */
	struct pool_job *first;
	struct pool_job **last; /* where the next job's address goes */
	unsigned queued;
	unsigned idle; /* threads that wait for a job */
	unsigned started;
	bool closing;

	pthread_t threads[]; /* under lock; the first `started` exist */
};

struct pool *pool_new(const char *name, unsigned threads, struct err *err)
{
	struct pool *pool;

	assert(threads > 0);
	pool = calloc(1, sizeof(*pool) + threads * sizeof(pool->threads[0]));
	if (!pool) {
		err_nomem(err);
		return NULL;
	}
	snprintf(pool->name, sizeof(pool->name), "%s", name);
	pool->limit = threads;
	pool->last = &pool->first;
	pthread_mutex_init(&pool->lock, NULL);
	pthread_cond_init(&pool->changed, NULL);
	return pool;
}

/* Waits for a job; NULL once the pool is closing and none is left. */
static struct pool_job *next_job(struct pool *pool)
{
	SCOPED_LOCK(&pool->lock);
	struct pool_job *job;

	pool->idle++;
	while (!pool->first && !pool->closing)
		pthread_cond_wait(&pool->changed, &pool->lock);
	pool->idle--;
	job = pool->first;
	if (!job)
		return NULL;
	pool->first = job->next;
	if (!pool->first)
		pool->last = &pool->first;
	pool->queued--;
	return job;
}

static void *work(void *arg)
{
	struct pool *pool = arg;
	struct pool_job *job;

	pthread_setname_np(pthread_self(), pool->name);
	while ((job = next_job(pool))) {
		budget_bind(&job->budget);
		job->run(job->arg);
		budget_unbind(&job->budget);
		free(job);
	}
	return NULL;
}

/* Under lock. 0 or a positive errno. */
static int start_thread(struct pool *pool)
{
	int r = thread_start(&pool->threads[pool->started], NULL, work, pool);

	if (r == 0)
		pool->started++;
	return r;
}

int pool_submit(struct pool *pool, void (*run)(void *arg), void *arg,
    struct err *err)
{
	struct pool_job *job = malloc(sizeof(*job));

	if (!job)
		return err_nomem(err);
	*job = (struct pool_job){.run = run, .arg = arg};
	if (budget_now())
		job->budget = *budget_now();
	SCOPED_LOCK(&pool->lock);
	/* Without another thread the job waits; without any, it never runs. */
	if (pool->queued >= pool->idle && pool->started < pool->limit &&
	    start_thread(pool) != 0 && pool->started == 0) {
		free(job);
		return err_set(err, EAGAIN, "cannot start a thread");
	}
	*pool->last = job;
	pool->last = &job->next;
	pool->queued++;
	pthread_cond_signal(&pool->changed);
	return 0;
}

void pool_free(struct pool *pool)
{
	unsigned started;

	if (!pool)
		return;
	pthread_mutex_lock(&pool->lock);
	pool->closing = true;
	pthread_cond_broadcast(&pool->changed);
	pthread_mutex_unlock(&pool->lock);
	/* A job that still runs can submit another and so start a thread. */
	for (unsigned i = 0;; i++) {
		pthread_mutex_lock(&pool->lock);
		started = pool->started;
		pthread_mutex_unlock(&pool->lock);
		if (i == started)
			break;
		pthread_join(pool->threads[i], NULL);
	}
	pthread_cond_destroy(&pool->changed);
	pthread_mutex_destroy(&pool->lock);
	free(pool);
}
