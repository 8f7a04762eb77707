/* SPDX-License-Identifier: Apache-2.0 */
/* Who takes the kernel's requests. */
#define FUSE_USE_VERSION 312
#include "loop.h"

#include <errno.h>
#include <fcntl.h>
#include <fuse_lowlevel.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>

#include "base/lock.h"
#include "base/thread.h"
#include "node/lead.h"

enum {
	/* Requests that wait for the network each hold a thread, and where all
	 * do nobody hears of an interrupt: with libfuse's ten, ten slow reads
	 * would stop everything. The kernel reads ahead with 128. */
	THREADS_MAX = 512,
	WAITING_MAX = 8, /* threads that are kept without work */
	/* How long the leader looks for a request before it sleeps. Half of it
	 * is too short for a program that has to be woken on a processor that
	 * a virtual machine has given up; twice of it gained nothing. */
	LOOK_NANOS = 100 * 1000,
};

struct loop {
	struct fuse_session *session;
	void (*at_end)(void *arg);
	void *arg;
	int ended;  /* an eventfd: readable from the end on */
	bool looks; /* there is another processor for programs to run on */

	pthread_mutex_t lock;
	pthread_cond_t lead; /* is free, or the end has come */
	pthread_cond_t left; /* the last thread has ended */
	/* Under lock. */
	bool is_led;
	bool ending;
	int failure; /* negative errno, once it is ending */
	unsigned threads, waiting;

	/* The leader's. */
	int64_t answered; /* when, on the monotonic clock, in ns */
	bool busy;        /* requests follow one another closely */
};

int loop_new(struct fuse_session *session, void (*at_end)(void *arg), void *arg,
    struct loop **out, struct err *err)
{
	struct loop *loop = calloc(1, sizeof(*loop));
	cpu_set_t processors;

	if (!loop)
		return err_nomem(err);
	loop->session = session;
	loop->at_end = at_end;
	loop->arg = arg;
	loop->looks =
	    sched_getaffinity(0, sizeof(processors), &processors) < 0 ||
	    CPU_COUNT(&processors) > 1;
	pthread_mutex_init(&loop->lock, NULL);
	pthread_cond_init(&loop->lead, NULL);
	pthread_cond_init(&loop->left, NULL);
	loop->ended = eventfd(0, EFD_CLOEXEC);
	if (loop->ended < 0 ||
	    fcntl(fuse_session_fd(session), F_SETFL, O_NONBLOCK) < 0) {
		int code = errno;

		loop_free(loop);
		return err_set(err, code,
		    "cannot create the end-of-loop event");
	}
	*out = loop;
	return 0;
}

void loop_free(struct loop *loop)
{
	if (!loop)
		return;
	if (loop->ended >= 0)
		close(loop->ended);
	pthread_cond_destroy(&loop->left);
	pthread_cond_destroy(&loop->lead);
	pthread_mutex_destroy(&loop->lock);
	free(loop);
}

void loop_end(struct loop *loop)
{
	fuse_session_exit(loop->session);
	eventfd_write(loop->ended, 1);
}

static int64_t nanoseconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000000000LL + now.tv_nsec;
}

static bool is_recent(const struct loop *loop)
{
	return nanoseconds() - loop->answered < LOOK_NANOS;
}

/* Sleeps until there is a request, or the end. */
static void await(struct loop *loop)
{
	struct pollfd events[] = {{.fd = fuse_session_fd(loop->session),
				      .events = POLLIN},
	    {.fd = loop->ended, .events = POLLIN}};

	poll(events, sizeof(events) / sizeof(events[0]), -1);
	/* A caller that asks so soon asks one thing after the other. */
	loop->busy = is_recent(loop);
}

/* The next request; 0 at the end. */
static int next_request(struct loop *loop, struct fuse_buf *request)
{
	while (!fuse_session_exited(loop->session)) {
		int r = fuse_session_receive_buf(loop->session, request);

		if (r != -EAGAIN && r != -EINTR)
			return r;
		if (!loop->looks || !loop->busy || !is_recent(loop))
			await(loop);
		else
			sched_yield(); /* a thread that has work goes first */
	}
	return 0;
}

/* Waits for the lead. False: the thread is to end. */
static bool await_lead(struct loop *loop)
{
	SCOPED_LOCK(&loop->lock);
	if (loop->waiting == WAITING_MAX)
		return false;
	loop->waiting++;
	while (loop->is_led && !loop->ending)
		pthread_cond_wait(&loop->lead, &loop->lock);
	loop->waiting--;
	loop->is_led = true;
	return !loop->ending;
}

static void *serve(void *arg);

/* Under lock. Where there can be no more threads, the first that has answered
 * leads. */
static void start_thread(struct loop *loop)
{
	pthread_attr_t attributes;
	pthread_t thread;

	if (loop->threads == THREADS_MAX)
		return;
	pthread_attr_init(&attributes);
	pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
	if (thread_start(&thread, &attributes, serve, loop) == 0)
		loop->threads++;
	pthread_attr_destroy(&attributes);
}

static void give_lead(void *arg)
{
	struct loop *loop = arg;

	SCOPED_LOCK(&loop->lock);
	loop->is_led = false;
	if (loop->waiting > 0)
		pthread_cond_signal(&loop->lead);
	else
		start_thread(loop);
}

/* Nobody is to lead any more. */
static void end_lead(struct loop *loop, int failure)
{
	lead_drop();
	{
		SCOPED_LOCK(&loop->lock);
		loop->failure = failure;
		loop->ending = true;
		pthread_cond_broadcast(&loop->lead);
	}
	loop->at_end(loop->arg);
}

/* Answers one request after the other while it leads. */
static void lead(struct loop *loop, struct fuse_buf *request)
{
	lead_take(give_lead, loop);
	/* The thread that gave the lead away is at work, and may need the
	 * processor. */
	loop->busy = false;
	while (lead_is_held()) {
		int r;

		loop->answered = nanoseconds();
		r = next_request(loop, request);
		if (r > 0)
			fuse_session_process_buf(loop->session, request);
		else
			end_lead(loop, r);
	}
}

static void leave(struct loop *loop)
{
	SCOPED_LOCK(&loop->lock);
	if (--loop->threads == 0)
		pthread_cond_signal(&loop->left);
}

static void *serve(void *arg)
{
	struct loop *loop = arg;
	struct fuse_buf request = {0};

	while (await_lead(loop))
		lead(loop, &request);
	free(request.mem);
	leave(loop);
	return NULL;
}

int loop_run(struct loop *loop, struct err *err)
{
	{
		SCOPED_LOCK(&loop->lock);
		start_thread(loop);
		if (loop->threads == 0)
			return err_set(err, EAGAIN, "cannot start a thread");
		while (loop->threads > 0)
			pthread_cond_wait(&loop->left, &loop->lock);
	}
	return loop->failure == 0
		   ? 0
		   : err_set(err, EIO, "the connection to the kernel broke: %s",
			 strerror(-loop->failure));
}
