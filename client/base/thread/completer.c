/* SPDX-License-Identifier: Apache-2.0 */
/* Threads that each bring one piece of work to its end. */
#include "base/completer.h"

#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>

#include "base/budget.h"
#include "base/log.h"
#include "base/task.h"
#include "base/thread.h"

struct completer {
	struct monitor monitor;
	unsigned running; /* in the monitor */
};

/* Of the one who asked for it and of the thread, whichever is there longer. */
struct running {
	struct completer *completer;
	struct work work;
	/* In the monitor. */
	bool done, abandoned;
	int result;
	struct err err;
};

struct completer *completer_new(struct err *err)
{
	struct completer *completer = calloc(1, sizeof(*completer));

	if (completer)
		monitor_init(&completer->monitor);
	else
		err_nomem(err);
	return completer;
}

/* The thread has no use for it any more. */
static void end(struct running *it, int result, const struct err *err)
{
	struct completer *completer = it->completer;
	bool abandoned;

	monitor_enter(&completer->monitor);
	it->done = true;
	it->result = result;
	it->err = *err;
	abandoned = it->abandoned;
	monitor_leave(&completer->monitor);
	if (abandoned && result < 0)
		log_error("an interrupted operation went on and failed: %s",
		    err->msg);
	if (abandoned)
		free(it);
	monitor_enter(&completer->monitor);
	completer->running--;
	monitor_notify(&completer->monitor);
	monitor_leave(&completer->monitor);
}

static void *bring_to_end(void *arg)
{
	struct running *it = arg;
	struct budget budget = {.patient = true};
	struct err err = ERR_INIT;
	int r;

	budget_bind(&budget);
	r = it->work.run(it->work.arg, &err);
	it->work.release(it->work.arg);
	budget_unbind(&budget);
	end(it, r, &err);
	return NULL;
}

static int start(struct running *it)
{
	struct completer *completer = it->completer;
	pthread_attr_t attributes;
	pthread_t thread;
	int r;

	monitor_enter(&completer->monitor);
	completer->running++;
	monitor_leave(&completer->monitor);
	pthread_attr_init(&attributes);
	pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
	r = thread_start(&thread, &attributes, bring_to_end, it);
	pthread_attr_destroy(&attributes);
	if (r == 0)
		return 0;
	monitor_enter(&completer->monitor);
	completer->running--;
	monitor_notify(&completer->monitor);
	monitor_leave(&completer->monitor);
	return -r;
}

/* Whether it is done, or else the caller lets go of it. */
static bool await(struct running *it)
{
	struct completer *completer = it->completer;
	bool done;

	monitor_enter(&completer->monitor);
	while (!it->done && monitor_wait(&completer->monitor) == 0)
		;
	done = it->done;
	it->abandoned = !done;
	monitor_leave(&completer->monitor);
	return done;
}

static int do_here(const struct work *work, struct err *err)
{
	struct task *task = task_suspend();
	int r = work->run(work->arg, err);

	task_resume(task);
	work->release(work->arg);
	return r;
}

int completer_do(struct completer *completer, const struct work *work,
    struct err *err)
{
	struct running *it = calloc(1, sizeof(*it));
	int r;

	if (it)
		*it = (struct running){.completer = completer, .work = *work};
	if (!it || start(it) < 0) {
		free(it);
		return do_here(work, err);
	}
	if (!await(it))
		return err_set(err, EINTR,
		    "interrupted; the operation that has begun goes on to its "
		    "end");
	r = it->result;
	if (r < 0)
		*err = it->err;
	free(it);
	return r;
}

void completer_wait(struct completer *completer)
{
	struct task *task = task_suspend();

	monitor_enter(&completer->monitor);
	while (completer->running > 0)
		monitor_wait(&completer->monitor);
	monitor_leave(&completer->monitor);
	task_resume(task);
}

void completer_free(struct completer *completer)
{
	if (!completer)
		return;
	completer_wait(completer);
	monitor_release(&completer->monitor);
	free(completer);
}
