/* SPDX-License-Identifier: Apache-2.0 */
/* Whether anybody answers. */
#include "away.h"

#include <errno.h>

#include "base/budget.h"
#include "base/clock.h"
#include "base/log.h"
#include "images_state.h"

enum { PATIENCE = 1 }; /* s: a registry that is back answers sooner */

/* What says nothing of what was asked for: RFC 5861 names the same statuses for
 * stale-if-error, but 429, by which a registry puts us off. */
static bool is_no_answer(const struct err *err)
{
	switch (err->http) {
	case 0:
		break;
	case 429:
	case 500:
	case 502:
	case 503:
	case 504:
		return true;
	default:
		return false;
	}
	switch (err->code) {
	case ECONNABORTED:
	case ECONNREFUSED:
	case ECONNRESET:
	case EHOSTUNREACH:
	case ENETDOWN:
	case ENETUNREACH:
	case ETIMEDOUT:
		return true;
	default:
		return false;
	}
}

/* Whether it says something of the registry that it broke off. */
static bool says_nothing(int r)
{
	return r == -EINTR || r == -ENOMEM || r == -ESHUTDOWN;
}

/* Inside the monitor. */
static void settle(struct images *images, bool unreachable)
{
	struct away *away = &images->away;

	away->asked = clock_seconds();
	if (unreachable && !away->unreachable)
		away->since = away->asked;
	away->unreachable = unreachable;
}

static bool is_silence(int r, const struct err *err)
{
	return r == -ETIMEDOUT && err->http == 0;
}

bool away_shows_old(const struct images *images)
{
	return images->away.unreachable && !images->options.no_stale;
}

void away_note(struct images *images, int r, const struct err *err)
{
	const char *host = source_name(images->source);
	struct away *away = &images->away;
	bool unreachable = r < 0 && is_no_answer(err), said;

	/* Who wants all to be asked for each time is told what comes of it. */
	if (says_nothing(r) || images->options.tag_ttl == 0)
		return;
	monitor_enter(&images->monitor);
	settle(images, unreachable);
	away->silent = is_silence(r, err);
	away->checked = false;
	if (away->silent)
		away->failure = *err;
	said = away->said;
	away->said = unreachable;
	monitor_leave(&images->monitor);
	if (unreachable && !said && images->options.no_stale)
		log_warn("%s cannot be reached: %s", host, err->msg);
	else if (unreachable && !said)
		log_warn("%s cannot be reached; its tags and lists are shown "
			 "as they were last seen: %s",
		    host, err->msg);
	else if (!unreachable && said)
		log_info("%s can be reached again", host);
}

static int stop(void *arg, const char *name, struct err *err)
{
	(void)arg;
	(void)name;
	(void)err;
	return 1;
}

/* Any answer will do, and the first page of it. What the registry is asked for
 * next shows whether it is back for good: nothing is said here. */
static void ask(void *arg)
{
	struct images *images = arg;
	struct budget *asker = budget_now(), own = {0};
	struct err err = ERR_INIT;
	int r;

	/* What the asker has lost, and what failed for it, was before this. */
	budget_unbind(asker);
	budget_bind(&own);
	r = source_repositories(images->source, stop, NULL, &err);
	budget_unbind(&own);
	budget_bind(asker);
	monitor_enter(&images->monitor);
	settle(images, r < 0 && is_no_answer(&err));
	images->away.checked = true;
	images->away.asking = false;
	monitor_notify(&images->monitor);
	monitor_leave(&images->monitor);
}

bool away_known(const struct images *images)
{
	const struct away *away = &images->away;

	return away_shows_old(images) &&
	       (away->asking || clock_seconds() - away->asked <
				    (int64_t)images->options.tag_ttl);
}

/* Asks, and waits for the answer, but not for long. Inside the monitor. */
static void look_now(struct images *images)
{
	struct away *away = &images->away;
	struct timespec end;

	clock_gettime(CLOCK_MONOTONIC, &end);
	end.tv_sec += PATIENCE;
	away->asking = pool_submit(away->pool, ask, images, ERR_IGNORE) == 0;
	while (away->asking && monitor_wait_until(&images->monitor, &end) == 0)
		;
}

void away_look(struct images *images)
{
	if (away_shows_old(images) && !away_known(images))
		look_now(images);
}

/* Inside the monitor. */
static bool is_checked(const struct images *images)
{
	const struct away *away = &images->away;

	return away->asking ||
	       (away->checked && clock_seconds() - away->asked <
				     (int64_t)images->options.tag_ttl);
}

int away_refuse(struct images *images, struct err *err)
{
	struct away *away = &images->away;
	bool refused;

	if (budget_is_patient())
		return 0;
	monitor_enter(&images->monitor);
	if (away->unreachable && away->silent && !is_checked(images))
		look_now(images);
	refused = away->unreachable && away->silent;
	if (refused)
		*err = away->failure;
	monitor_leave(&images->monitor);
	return refused ? -err->code : 0;
}

void away_note_silence(struct images *images, int r, const struct err *err)
{
	if (is_silence(r, err))
		away_note(images, r, err);
}

bool images_away(struct images *images)
{
	bool away;

	monitor_enter(&images->monitor);
	away = images->away.unreachable;
	monitor_leave(&images->monitor);
	return away;
}
