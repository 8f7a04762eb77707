/* SPDX-License-Identifier: Apache-2.0 */
/* The thread that waits for signals. */
#include "signals.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <time.h>

#include "base/log.h"

struct signals {
	struct ending ending;
	pthread_t thread;
	atomic_bool stopped; /* the loop has ended */
};

static void ending_signals(sigset_t *set)
{
	sigemptyset(set);
	sigaddset(set, SIGTERM);
	sigaddset(set, SIGINT);
}

static void all_signals(sigset_t *set)
{
	ending_signals(set);
	sigaddset(set, SIGHUP);
}

void signals_block(void)
{
	const struct sigaction none = {.sa_handler = SIG_IGN};
	sigset_t set;

	all_signals(&set);
	pthread_sigmask(SIG_BLOCK, &set, NULL);
	sigaction(SIGPIPE, &none, NULL);
}

static time_t seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec;
}

/* Until the loop has ended; what was taken before it knew begins later. Past
 * the grace, or at another signal, all is to stop. */
static void end_loop(struct signals *signals, const sigset_t *set)
{
	const struct timespec pause = {0, 50 * 1000 * 1000};
	const struct ending *ending = &signals->ending;
	time_t cut = seconds() + ending->grace;
	bool told = false;

	while (!atomic_load(&signals->stopped)) {
		bool again;

		told = told || ending->end(ending->arg);
		again = sigtimedwait(set, NULL, &pause) > 0;
		ending->soon(ending->arg);
		if (!atomic_load(&signals->stopped) &&
		    (again || seconds() >= cut))
			ending->now(ending->arg);
	}
}

/* The next one that ends the mount. */
static int await_end(void)
{
	sigset_t set;
	int number;

	all_signals(&set);
	for (;;) {
		if (sigwait(&set, &number) != 0)
			continue;
		if (number != SIGHUP)
			return number;
		log_info("SIGHUP: the mount continues; credentials are read "
			 "again at each login, options only by a new mount");
	}
}

static void *signals_thread(void *arg)
{
	struct signals *signals = arg;
	int number = await_end();
	sigset_t set;

	if (atomic_load(&signals->stopped))
		return NULL;
	log_info("ending on signal %d", number);
	ending_signals(&set);
	end_loop(signals, &set);
	return NULL;
}

int signals_start(const struct ending *ending, struct signals **out,
    struct err *err)
{
	struct signals *signals = calloc(1, sizeof(*signals));
	int r;

	if (!signals)
		return err_nomem(err);
	signals->ending = *ending;
	r = pthread_create(&signals->thread, NULL, signals_thread, signals);
	if (r) {
		free(signals);
		return err_set(err, r,
		    "cannot start the thread that waits for signals");
	}
	*out = signals;
	return 0;
}

void signals_stop(struct signals *signals)
{
	if (!signals)
		return;
	atomic_store(&signals->stopped, true);
	pthread_kill(signals->thread, SIGTERM);
	pthread_join(signals->thread, NULL);
	free(signals);
}
