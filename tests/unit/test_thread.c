/* SPDX-License-Identifier: Apache-2.0 */
/* Threads: which signals they take. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <signal.h>

#include "base/thread.h"

static const int faults[] = {SIGABRT, SIGBUS, SIGFPE, SIGILL, SIGSEGV, SIGSYS,
    SIGTRAP};

static void *get_mask(void *mask)
{
	pthread_sigmask(SIG_BLOCK, NULL, mask);
	return NULL;
}

static void in_thread(void *(*run)(void *arg), void *arg)
{
	pthread_t thread;

	assert_int_equal(thread_start(&thread, NULL, run, arg), 0);
	pthread_join(thread, NULL);
}

static void only_faults_are_taken(void **state)
{
	sigset_t there, here;

	(void)state;
	in_thread(get_mask, &there);
	assert_int_equal(sigismember(&there, SIGTERM), 1);
	assert_int_equal(sigismember(&there, SIGHUP), 1);
	assert_int_equal(sigismember(&there, SIGUSR1), 1);
	for (size_t i = 0; i < sizeof(faults) / sizeof(*faults); i++)
		assert_int_equal(sigismember(&there, faults[i]), 0);
	pthread_sigmask(SIG_BLOCK, NULL, &here);
	assert_int_equal(sigismember(&here, SIGTERM), 0);
}

static volatile sig_atomic_t handled;

static void handle(int signal)
{
	handled = signal;
}

static void *trap(void *arg)
{
	raise(SIGTRAP);
	return arg;
}

static void a_fault_reaches_its_handler(void **state)
{
	const struct sigaction action = {.sa_handler = handle};
	struct sigaction before;

	(void)state;
	assert_int_equal(sigaction(SIGTRAP, &action, &before), 0);
	in_thread(trap, NULL);
	sigaction(SIGTRAP, &before, NULL);
	assert_int_equal(handled, SIGTRAP);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(only_faults_are_taken),
	    cmocka_unit_test(a_fault_reaches_its_handler),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
