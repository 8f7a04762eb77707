/* SPDX-License-Identifier: Apache-2.0 */
/* Asking for a registry. */
#include "probe.h"

#include <string.h>
#include <time.h>

#include "base/lock.h"
#include "base/strf.h"
#include "base/task.h"
#include "base/thread.h"

/* Redirects of GET /v2/ itself: a host that moved. */
enum { PROBE_REDIRECTS = 5 };

struct probe {
	struct http *http;
	char *root;
	const struct http_tls *tls;
	pthread_t thread;
	struct task task;

	pthread_mutex_t lock;
	pthread_cond_t changed;
	/* Under lock. */
	bool given_up, running, done;

	/* The thread's until it is joined. */
	struct http_response *response;
	int result;
	struct err err;
};

int probe_ask(struct http *http, const char *root, const struct http_tls *tls,
    struct http_response **out, struct err *err)
{
	AUTO_FREE char *url = strf("%s/v2/", root);
	struct http_request request = {.method = "GET",
	    .url = url,
	    .tls = tls,
	    .retry = true,
	    .answers_only = true,
	    .max_redirects = PROBE_REDIRECTS};

	return url ? http_open(http, &request, out, err) : err_nomem(err);
}

/* False if it was given up before it began. */
static bool begin(struct probe *probe)
{
	SCOPED_LOCK(&probe->lock);

	if (probe->given_up)
		return false;
	task_begin(&probe->task);
	probe->running = true;
	return true;
}

static void end(struct probe *probe)
{
	SCOPED_LOCK(&probe->lock);

	task_end(&probe->task);
	probe->running = false;
	probe->done = true;
	pthread_cond_broadcast(&probe->changed);
}

static void *run(void *arg)
{
	struct probe *probe = arg;

	if (!begin(probe))
		return NULL;
	probe->result = probe_ask(probe->http, probe->root, probe->tls,
	    &probe->response, &probe->err);
	end(probe);
	return NULL;
}

static void release(struct probe *probe)
{
	http_close(probe->response);
	pthread_mutex_destroy(&probe->lock);
	pthread_cond_destroy(&probe->changed);
	free(probe->root);
	free(probe);
}

struct probe *probe_start(struct http *http, const char *root,
    const struct http_tls *tls, struct err *err)
{
	struct probe *probe = calloc(1, sizeof(*probe));

	if (!probe) {
		err_nomem(err);
		return NULL;
	}
	probe->http = http;
	probe->tls = tls;
	pthread_mutex_init(&probe->lock, NULL);
	pthread_cond_init(&probe->changed, NULL);
	probe->root = strdup(root);
	if (probe->root && thread_start(&probe->thread, NULL, run, probe) == 0)
		return probe;
	err_nomem(err);
	release(probe);
	return NULL;
}

bool probe_wait(struct probe *probe, unsigned ms)
{
	SCOPED_LOCK(&probe->lock);
	struct timespec until;

	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += ms / 1000;
	until.tv_nsec += (long)(ms % 1000) * 1000000;
	if (until.tv_nsec >= 1000000000) {
		until.tv_nsec -= 1000000000;
		until.tv_sec++;
	}
	while (!probe->done && pthread_cond_clockwait(&probe->changed,
				   &probe->lock, CLOCK_MONOTONIC, &until) == 0)
		;
	return probe->done;
}

int probe_end(struct probe *probe, struct http_response **out, struct err *err)
{
	int r;

	pthread_join(probe->thread, NULL);
	r = probe->result;
	if (r < 0)
		*err = probe->err;
	else
		*out = steal(&probe->response);
	release(probe);
	return r;
}

void probe_free(struct probe *probe)
{
	{
		SCOPED_LOCK(&probe->lock);
		probe->given_up = true;
		if (probe->running)
			task_interrupt(&probe->task);
	}
	pthread_join(probe->thread, NULL);
	release(probe);
}
