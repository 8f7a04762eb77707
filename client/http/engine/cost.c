/* SPDX-License-Identifier: Apache-2.0 */
/* What attempts cost. */
#include "cost.h"

#include <errno.h>

#include "base/budget.h"
#include "retry.h"

enum {
	/* A body that breaks after this much is worth being asked for again
	 * at once, however often. */
	GOT_ON = 64 * 1024,
};

uint64_t cost_limit(const struct http_options *options)
{
	return 2500 * (uint64_t)options->stall_timeout;
}

uint64_t cost_left(const struct http_options *options)
{
	uint64_t limit = cost_limit(options), lost = budget_lost();

	return lost < limit ? limit - lost : 0;
}

struct pace cost_pace(const struct http_options *options)
{
	return (
	    struct pace){.patience = 1000 * (uint64_t)options->stall_timeout,
	    .rate = options->min_rate,
	    .allowance = cost_left(options)};
}

int cost_refused(const struct http_response *r, struct err *err)
{
	int status = http_status(r);

	err_set(err, http_status_errno(status), "%s %s: the server answers %d",
	    r->method, r->shown, status);
	err->http = status;
	return -err->code;
}

/* That its reader gave it up is no failure, nor that the mount ends. */
static bool has_failed(const struct http_response *r, struct err *err)
{
	if (r->result.code == 0 || r->result.code == EINTR) {
		if (!r->headed || !retry_helps_status(http_status(r)))
			return false;
		cost_refused(r, err);
		return true;
	}
	*err = r->result;
	return err->code != ESHUTDOWN;
}

void cost_charge(const struct http_response *r)
{
	struct err failure = ERR_INIT;

	if (r->received >= GOT_ON)
		budget_got_on(r->what);
	if (has_failed(r, &failure)) {
		budget_lose(pace_lost(&r->pace));
		budget_failed(r->what, &failure);
		return;
	}
	budget_gain(r->pace.good);
	budget_lose(pace_beyond(&r->pace));
	budget_got_on(r->what);
}
