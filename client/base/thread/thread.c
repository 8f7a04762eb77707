/* SPDX-License-Identifier: Apache-2.0 */
/* Threads and their signals. */
#include "base/thread.h"

#include <signal.h>
#include <stddef.h>

static void all_but_faults(sigset_t *set)
{
	static const int faults[] = {SIGABRT, SIGBUS, SIGFPE, SIGILL, SIGSEGV,
	    SIGSYS, SIGTRAP};

	sigfillset(set);
	for (size_t i = 0; i < sizeof(faults) / sizeof(*faults); i++)
		sigdelset(set, faults[i]);
}

int thread_start(pthread_t *out, const pthread_attr_t *attributes,
    void *(*run)(void *arg), void *arg)
{
	sigset_t blocked, before;
	int r;

	all_but_faults(&blocked);
	pthread_sigmask(SIG_SETMASK, &blocked, &before);
	r = pthread_create(out, attributes, run, arg);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return r;
}
