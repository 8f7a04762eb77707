/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A task is the operation that a thread carries out for somebody who may lose
 * interest: a file system request whose process was killed. It is bound to the
 * thread, so that whatever blocks deep below honours the interrupt without
 * every function on the way carrying a parameter for it.
 *
 *	struct task task;
 *
 *	task_begin(&task);            // now the calling thread's
 *	...                           // task_interrupt(&task) from any thread
 *	task_end(&task);
 *
 * A thread without a task cannot be interrupted. Tasks do not nest.
 */
#ifndef BASE_TASK_H
#define BASE_TASK_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <time.h>

struct task {
	pthread_mutex_t lock;
	atomic_bool interrupted;
	void (*wake)(void *arg); /* under lock: set while the thread blocks */
	void *wake_arg;          /* under lock */
	/* What the thread does before it waits for long; NULL: nothing. Set
	 * by the thread after task_begin(). */
	void (*will_wait)(void);
};

/* The struct is the caller's and stays until task_end(), which the same thread
 * calls, while nothing blocks in it. */
void task_begin(struct task *task);
void task_end(struct task *task);

/* Wakes the task's thread where it blocks; what it waits for ends -EINTR. */
void task_interrupt(struct task *task);

/* Whether the calling thread's task has been interrupted. */
bool task_interrupted(void);

/*
 * For what has to be done to its end once it has begun: until task_resume() of
 * what it returns (may be NULL), nothing that the calling thread does can be
 * interrupted.
 */
struct task *task_suspend(void);
void task_resume(struct task *task);

/*
 * For code that is about to block: until task_unblock(), an interrupt of the
 * calling thread's task calls wake(arg) once, from the interrupting thread and
 * under the task's lock (so wake must not call task_ functions, and the caller
 * must not hold a lock that wake takes). Calls wake at once when the interrupt
 * came before. Does nothing in a thread without a task.
 */
void task_block(void (*wake)(void *arg), void *arg);
void task_unblock(void);

/* The calling thread is about to wait for what takes long, where its task was
 * not begun as one that does. It holds no lock. */
void task_will_wait(void);

/*
 * A monitor is a mutex with a condition whose wait an interrupt ends.
 *
 *	monitor_enter(&m);
 *	while (!ready && (r = monitor_wait(&m)) == 0)
 *		;
 *	monitor_leave(&m);
 *
 * Not recursive, and one at a time in a thread that waits on it.
 */
struct monitor {
	pthread_mutex_t mutex;
	pthread_cond_t changed;
};

/* No thread is in it when it is released. */
void monitor_init(struct monitor *monitor);
void monitor_release(struct monitor *monitor);

/* Locks, so that monitor_wait() can be interrupted. */
void monitor_enter(struct monitor *monitor);
void monitor_leave(struct monitor *monitor);

/* 0 after a change (or for no reason), -EINTR once the task is interrupted. */
int monitor_wait(struct monitor *monitor);

/* The same until a time of the monotonic clock: then -ETIMEDOUT. */
int monitor_wait_until(struct monitor *monitor, const struct timespec *end);

/* Wakes all that wait. Call it inside. */
void monitor_notify(struct monitor *monitor);

#endif
