/* SPDX-License-Identifier: Apache-2.0 */
/* One thread, a queue of events, and the program. */
#include "hook.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "base/lock.h"
#include "base/log.h"
#include "base/run.h"
#include "base/strf.h"
#include "worker.h"

enum {
	WAITING_MAX = 1000,
	SECONDS_MAX = 600,
	OUTPUT_MAX = 16 << 10,
	FIELDS = 9,
};

struct waiting {
	char *line;
	char *environment[FIELDS + 1]; /* NULL-ended */
	struct waiting *next;
};

struct hook {
	char *command;
	char *mountpoint;
	struct worker worker;
	struct monitor monitor;
	/* In the monitor. */
	struct waiting *first, **last;
	unsigned count, dropped;
};

static void waiting_free(struct waiting *waiting)
{
	if (!waiting)
		return;
	for (size_t i = 0; i < FIELDS; i++)
		free(waiting->environment[i]);
	free(waiting->line);
	free(waiting);
}

DEFINE_CLEANUP(struct waiting *, waiting_free);
DEFINE_CLEANUP(struct hook *, hook_free);

static int add_field(struct waiting *waiting, size_t *count, const char *name,
    const char *value)
{
	/* A command that a mount's hook starts is to see nothing old. */
	char *field = strf("REGISTRYFS_%s=%s", name, value ? value : "");

	waiting->environment[(*count)++] = field;
	return field ? 0 : -ENOMEM;
}

static struct waiting *waiting_new(const struct hook *hook,
    const struct image_event *event, const char *line)
{
	CLEANUP(waiting_free_p)
	struct waiting *waiting = calloc(1, sizeof(*waiting));
	char digest[DIGEST_TEXT_SIZE], before[DIGEST_TEXT_SIZE];
	const struct {
		const char *name, *value;
	} fields[FIELDS] = {
	    {"EVENT", event->name},
	    {"REGISTRY", event->registry},
	    {"REPOSITORY", event->repository},
	    {"TAG", event->tag},
	    {"DIGEST",
		event->digest ? digest_format(event->digest, digest) : NULL},
	    {"BEFORE",
		event->before ? digest_format(event->before, before) : NULL},
	    {"BY", event->by},
	    {"ERROR", event->error},
	    {"MOUNTPOINT", hook->mountpoint},
	};
	size_t count = 0;

	if (!waiting || !(waiting->line = strdup(line)))
		return NULL;
	for (size_t i = 0; i < FIELDS; i++)
		if (add_field(waiting, &count, fields[i].name,
			fields[i].value) < 0)
			return NULL;
	return steal(&waiting);
}

void hook_add(struct hook *hook, const struct image_event *event,
    const char *line)
{
	CLEANUP(waiting_free_p)
	struct waiting *waiting = waiting_new(hook, event, line);

	SCOPED_LOCK(&hook->monitor.mutex);
	if (waiting && hook->count < WAITING_MAX) {
		*hook->last = waiting;
		hook->last = &waiting->next;
		hook->count++;
		waiting = NULL;
		monitor_notify(&hook->monitor);
	} else {
		hook->dropped++;
	}
}

/* NULL: the mount ends. */
static struct waiting *next(struct hook *hook, unsigned *dropped)
{
	struct waiting *waiting = NULL;

	monitor_enter(&hook->monitor);
	while (!hook->first && monitor_wait(&hook->monitor) == 0)
		;
	if (!task_interrupted()) {
		waiting = hook->first;
		hook->first = waiting->next;
		if (!hook->first)
			hook->last = &hook->first;
		hook->count--;
	}
	*dropped = hook->dropped;
	hook->dropped = 0;
	monitor_leave(&hook->monitor);
	return waiting;
}

/* Lines of its own, which the log cuts and cleans. */
static void log_output(char *text)
{
	char *line;

	while ((line = strsep(&text, "\n")))
		if (*line)
			log_info("hook: %s", line);
}

static void run_one(struct hook *hook, const struct waiting *waiting)
{
	const char *const argv[] = {"/bin/sh", "-c", hook->command, NULL};
	const struct run program = {.argv = argv,
	    .environment = (const char *const *)waiting->environment,
	    .input = waiting->line,
	    .seconds = SECONDS_MAX,
	    .all_output = true};
	AUTO_BUF struct buf out = BUF_INIT(OUTPUT_MAX);
	struct err err = ERR_INIT;
	int status = run_program(&program, &out, &err);

	if (out.len)
		log_output(out.data);
	if (status == -EINTR)
		return;
	if (status < 0)
		log_warn("hook: %s: %s: %s", waiting->environment[0],
		    hook->command, err.msg);
	else if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
		log_warn("hook: %s: %s: failed with status %d",
		    waiting->environment[0], hook->command,
		    WIFEXITED(status) ? WEXITSTATUS(status)
				      : 128 + WTERMSIG(status));
}

static void run_all(void *arg)
{
	struct hook *hook = arg;
	struct waiting *waiting;
	unsigned dropped;

	while ((waiting = next(hook, &dropped))) {
		if (dropped)
			log_warn("hook: %u events were dropped, since %d "
				 "waited already",
			    dropped, WAITING_MAX);
		run_one(hook, waiting);
		waiting_free(waiting);
	}
}

struct hook *hook_new(const char *command, const char *mountpoint,
    struct err *err)
{
	CLEANUP(hook_free_p) struct hook *hook = calloc(1, sizeof(*hook));

	if (!hook) {
		err_nomem(err);
		return NULL;
	}
	monitor_init(&hook->monitor);
	hook->last = &hook->first;
	hook->command = strdup(command);
	hook->mountpoint = strdup(mountpoint);
	if (!hook->command || !hook->mountpoint) {
		err_nomem(err);
		return NULL;
	}
	if (worker_start(&hook->worker, run_all, hook, err) < 0)
		return NULL;
	return steal(&hook);
}

void hook_free(struct hook *hook)
{
	if (!hook)
		return;
	worker_stop(&hook->worker);
	while (hook->first) {
		struct waiting *waiting = hook->first;

		hook->first = waiting->next;
		waiting_free(waiting);
	}
	monitor_release(&hook->monitor);
	free(hook->command);
	free(hook->mountpoint);
	free(hook);
}
