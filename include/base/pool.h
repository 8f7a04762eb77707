/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A few threads that run jobs in the order in which they were given.
 */
#ifndef BASE_POOL_H
#define BASE_POOL_H

#include "base/cleanup.h"
#include "base/err.h"

struct pool;

/* NULL on failure, err filled. Threads start when they are first needed. */
struct pool *pool_new(const char *name, unsigned threads, struct err *err);

/*
 * Runs job(arg) in one of the threads, with all signals blocked, and with a
 * copy of the calling thread's budget (base/budget.h). A job can submit others.
 * 0 or -ENOMEM, -EAGAIN.
 */
int pool_submit(struct pool *pool, void (*job)(void *arg), void *arg,
    struct err *err);

/* Lets all jobs that were given end, then frees. */
void pool_free(struct pool *pool);

DEFINE_CLEANUP(struct pool *, pool_free);

#endif
