/* SPDX-License-Identifier: Apache-2.0 */
/* Interruptible operations and the waits in them. */
#include "base/task.h"

#include <assert.h>
#include <errno.h>
#include <stddef.h>

#include "base/lock.h"

static _Thread_local struct task *current;

void task_begin(struct task *task)
{
	assert(!current);
	pthread_mutex_init(&task->lock, NULL);
	atomic_init(&task->interrupted, false);
	task->wake = NULL;
	task->wake_arg = NULL;
	task->will_wait = NULL;
	current = task;
}

void task_end(struct task *task)
{
	assert(current == task && !task->wake);
	current = NULL;
	pthread_mutex_destroy(&task->lock);
}

void task_interrupt(struct task *task)
{
	SCOPED_LOCK(&task->lock);
	atomic_store(&task->interrupted, true);
	if (task->wake)
		task->wake(task->wake_arg);
}

bool task_interrupted(void)
{
	return current && atomic_load(&current->interrupted);
}

struct task *task_suspend(void)
{
	struct task *task = current;

	current = NULL;
	return task;
}

void task_resume(struct task *task)
{
	assert(!current);
	current = task;
}

void task_block(void (*wake)(void *arg), void *arg)
{
	if (!current)
		return;
	SCOPED_LOCK(&current->lock);
	assert(!current->wake);
	current->wake = wake;
	current->wake_arg = arg;
	if (atomic_load(&current->interrupted))
		wake(arg);
}

void task_unblock(void)
{
	if (!current)
		return;
	SCOPED_LOCK(&current->lock);
	current->wake = NULL;
	current->wake_arg = NULL;
}

void task_will_wait(void)
{
	if (current && current->will_wait)
		current->will_wait();
}

void monitor_init(struct monitor *monitor)
{
	pthread_mutex_init(&monitor->mutex, NULL);
	pthread_cond_init(&monitor->changed, NULL);
}

void monitor_release(struct monitor *monitor)
{
	pthread_cond_destroy(&monitor->changed);
	pthread_mutex_destroy(&monitor->mutex);
}

static void monitor_wake(void *arg)
{
	struct monitor *monitor = arg;
	SCOPED_LOCK(&monitor->mutex);

	pthread_cond_broadcast(&monitor->changed);
}

void monitor_enter(struct monitor *monitor)
{
	task_block(monitor_wake, monitor);
	pthread_mutex_lock(&monitor->mutex);
}

void monitor_leave(struct monitor *monitor)
{
	pthread_mutex_unlock(&monitor->mutex);
	task_unblock();
}

int monitor_wait(struct monitor *monitor)
{
	if (task_interrupted())
		return -EINTR;
	pthread_cond_wait(&monitor->changed, &monitor->mutex);
	return task_interrupted() ? -EINTR : 0;
}

int monitor_wait_until(struct monitor *monitor, const struct timespec *end)
{
	int r;

	if (task_interrupted())
		return -EINTR;
	r = pthread_cond_clockwait(&monitor->changed, &monitor->mutex,
	    CLOCK_MONOTONIC, end);
	return task_interrupted() ? -EINTR : -r;
}

void monitor_notify(struct monitor *monitor)
{
	pthread_cond_broadcast(&monitor->changed);
}
