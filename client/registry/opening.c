/* SPDX-License-Identifier: Apache-2.0 */
/* One opens the registry, the others wait. */
#include "opening.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/turn.h"

/* Seconds: who looks at many names there waits for an answer once. */
enum { FAILED_FOR = 5 };

struct opening {
	struct http *http;
	struct creds *creds;
	struct registry_options options;
	char *address;                       /* that options have */
	_Atomic(struct registry *) registry; /* NULL: it is not open */
	struct monitor monitor;
	struct turn turn;   /* at opening it; in the monitor, as what follows */
	struct err failure; /* of the last try */
	int64_t failed_at;  /* monotonic, seconds; 0: it has not */
};

struct opening *opening_new(struct http *http, struct creds *creds,
    const struct registry_options *options, struct err *err)
{
	struct opening *opening = calloc(1, sizeof(*opening));

	if (!opening) {
		err_nomem(err);
		return NULL;
	}
	opening->http = http;
	opening->creds = creds;
	opening->options = *options;
	opening->address = strdup(options->address);
	opening->options.address = opening->address;
	monitor_init(&opening->monitor);
	if (opening->address)
		return opening;
	err_nomem(err);
	opening_free(opening);
	return NULL;
}

void opening_free(struct opening *opening)
{
	struct registry *registry;

	if (!opening)
		return;
	registry = opening_known(opening);
	if (registry)
		registry_close(registry);
	monitor_release(&opening->monitor);
	free(opening->address);
	free(opening);
}

struct registry *opening_known(struct opening *opening)
{
	return atomic_load(&opening->registry);
}

/* What is public can be read without a login that is refused. */
static void warn_of_login(struct registry *registry)
{
	struct err err = ERR_INIT;

	if (registry_check_login(registry, NULL, &err) < 0)
		log_warn("%s", err.msg);
}

/* Has the turn. */
static int open_now(struct opening *opening, struct err *err)
{
	struct registry *registry;
	int r = registry_open(opening->http, opening->creds, &opening->options,
	    &registry, err);

	if (r < 0)
		return r;
	warn_of_login(registry);
	atomic_store(&opening->registry, registry);
	return 0;
}

/* Inside the monitor. */
static bool has_just_failed(const struct opening *opening)
{
	return opening->failed_at &&
	       clock_seconds() - opening->failed_at < FAILED_FOR;
}

static void note_failure(struct opening *opening, int r, const struct err *err)
{
	opening->failed_at = 0;
	if (r == 0 || r == -EINTR || r == -ENOMEM)
		return;
	opening->failure = *err;
	opening->failed_at = clock_seconds();
}

/* Inside the monitor, which is left for the time of a request. */
static int open_in_turn(struct opening *opening, struct err *err)
{
	int r = turn_wait(&opening->turn, &opening->monitor, err);

	if (r < 0 || opening_known(opening))
		return r;
	if (has_just_failed(opening)) {
		*err = opening->failure;
		return -err->code;
	}
	turn_take(&opening->turn, 0);
	monitor_leave(&opening->monitor);
	r = open_now(opening, err);
	monitor_enter(&opening->monitor);
	note_failure(opening, r, err);
	turn_end(&opening->turn, &opening->monitor, r < 0 ? err : NULL);
	return r;
}

struct registry *opening_get(struct opening *opening, struct err *err)
{
	struct registry *registry = opening_known(opening);

	if (registry)
		return registry;
	monitor_enter(&opening->monitor);
	open_in_turn(opening, err);
	monitor_leave(&opening->monitor);
	return opening_known(opening);
}
