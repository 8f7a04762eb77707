/* SPDX-License-Identifier: Apache-2.0 */
/* The job pool. */
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/pool.h"

enum { JOBS = 1000, THREADS = 4 };

static struct pool *pool_of(unsigned threads)
{
	struct err err = ERR_INIT;
	struct pool *pool = pool_new("a name that is long", threads, &err);

	assert_non_null(pool);
	return pool;
}

static void submit(struct pool *pool, void (*job)(void *arg), void *arg)
{
	struct err err = ERR_INIT;

	assert_int_equal(pool_submit(pool, job, arg, &err), 0);
}

static void an_unused_pool_can_be_freed(void **state)
{
	(void)state;
	pool_free(pool_of(THREADS));
	pool_free(NULL);
}

struct sequence {
	int numbers[JOBS];
	int count;
};

struct numbered {
	struct sequence *sequence;
	int number;
};

static void append_number(void *arg)
{
	struct numbered *job = arg;
	struct sequence *sequence = job->sequence;

	sequence->numbers[sequence->count++] = job->number;
}

static void one_thread_runs_jobs_in_order(void **state)
{
	static struct sequence sequence;
	static struct numbered jobs[JOBS];
	struct pool *pool = pool_of(1);

	(void)state;
	for (int i = 0; i < JOBS; i++) {
		jobs[i] = (struct numbered){&sequence, i};
		submit(pool, append_number, &jobs[i]);
	}
	pool_free(pool);
	assert_int_equal(sequence.count, JOBS);
	for (int i = 0; i < JOBS; i++)
		assert_int_equal(sequence.numbers[i], i);
}

static void count_up(void *arg)
{
	atomic_fetch_add((atomic_int *)arg, 1);
}

static void free_waits_for_every_job(void **state)
{
	struct pool *pool = pool_of(THREADS);
	atomic_int count = 0;

	(void)state;
	for (int i = 0; i < JOBS; i++)
		submit(pool, count_up, &count);
	pool_free(pool);
	assert_int_equal(atomic_load(&count), JOBS);
}

static void meet(void *arg)
{
	pthread_barrier_wait(arg);
}

/* Ends only if all the jobs are running at once. */
static void all_threads_are_used(void **state)
{
	struct pool *pool = pool_of(THREADS);
	pthread_barrier_t barrier;

	(void)state;
	pthread_barrier_init(&barrier, NULL, THREADS + 1);
	for (int round = 0; round < 50; round++) {
		for (int i = 0; i < THREADS; i++)
			submit(pool, meet, &barrier);
		meet(&barrier);
	}
	pool_free(pool);
	pthread_barrier_destroy(&barrier);
}

struct chain {
	struct pool *pool;
	pthread_barrier_t *start;
	atomic_int left;
};

static void next_of_chain(void *arg)
{
	struct chain *chain = arg;

	if (atomic_fetch_sub(&chain->left, 1) > 1)
		submit(chain->pool, next_of_chain, chain);
}

static void start_chain(void *arg)
{
	struct chain *chain = arg;

	meet(chain->start);
	next_of_chain(arg);
}

static void jobs_can_submit_while_the_pool_is_freed(void **state)
{
	struct chain chain = {.pool = pool_of(THREADS), .left = JOBS};
	pthread_barrier_t barrier;

	(void)state;
	pthread_barrier_init(&barrier, NULL, 2);
	chain.start = &barrier;
	submit(chain.pool, start_chain, &chain);
	meet(&barrier);
	pool_free(chain.pool);
	assert_int_equal(atomic_load(&chain.left), 0);
	pthread_barrier_destroy(&barrier);
}

struct identity {
	sigset_t mask;
	char name[16];
};

static void identify(void *arg)
{
	struct identity *identity = arg;

	pthread_sigmask(SIG_BLOCK, NULL, &identity->mask);
	pthread_getname_np(pthread_self(), identity->name,
	    sizeof(identity->name));
}

static void threads_have_a_name_and_take_no_signal(void **state)
{
	struct pool *pool = pool_of(1);
	struct identity identity = {.name = ""};
	sigset_t here;

	(void)state;
	submit(pool, identify, &identity);
	pool_free(pool);
	assert_string_equal(identity.name, "a name that is ");
	assert_int_equal(sigismember(&identity.mask, SIGTERM), 1);
	assert_int_equal(sigismember(&identity.mask, SIGHUP), 1);
	pthread_sigmask(SIG_BLOCK, NULL, &here);
	assert_int_equal(sigismember(&here, SIGTERM), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(an_unused_pool_can_be_freed),
	    cmocka_unit_test(one_thread_runs_jobs_in_order),
	    cmocka_unit_test(free_waits_for_every_job),
	    cmocka_unit_test(all_threads_are_used),
	    cmocka_unit_test(jobs_can_submit_while_the_pool_is_freed),
	    cmocka_unit_test(threads_have_a_name_and_take_no_signal),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
