/* SPDX-License-Identifier: Apache-2.0 */
/* A request from its first attempt to the answer: retries and redirects. */
#include "http/http.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/budget.h"
#include "base/strf.h"
#include "engine/cost.h"
#include "engine/engine.h"
#include "engine/response.h"
#include "engine/retry.h"
#include "http/grammar.h"
#include "redirect.h"

struct http {
	struct http_options options;
	char *user_agent;
	struct engine engine;
	/* A patient operation has spent all of its budget on what could not be
	 * reached, and nothing has answered since: that is no restart. */
	atomic_bool away;
};

/* A request on its way through attempts and redirects. */
struct errand {
	struct http *http;
	const struct http_request *request;
	char *what; /* as the budget knows it */
	char *url;  /* where it goes now */
	unsigned attempts;
	unsigned redirects;
};

struct http *http_new(const struct http_options *options, struct err *err)
{
	AUTO_FREE struct http *http = calloc(1, sizeof(*http));
	AUTO_FREE char *user_agent = strdup(options->user_agent);

	if (!http || !user_agent ||
	    curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) {
		err_nomem(err);
		return NULL;
	}
	http->options = *options;
	http->options.user_agent = user_agent;
	atomic_init(&http->away, false);
	if (engine_init(&http->engine, options->host_connections, err) < 0) {
		curl_global_cleanup();
		return NULL;
	}
	http->user_agent = steal(&user_agent);
	return steal(&http);
}

void http_shutdown(struct http *http)
{
	engine_stop(&http->engine);
}

void http_free(struct http *http)
{
	if (!http)
		return;
	engine_stop(&http->engine);
	engine_release(&http->engine);
	curl_global_cleanup();
	free(http->user_agent);
	free(http);
}

struct http_counters http_count(struct http *http)
{
	struct counts *counts = &http->engine.counts;

	return (struct http_counters){
	    .requests = atomic_load(&counts->requests),
	    .bytes_received = atomic_load(&counts->received),
	    .bytes_sent = atomic_load(&counts->sent),
	};
}

/* One attempt. */
static int attempt(struct errand *errand, struct http_response **out,
    struct err *err)
{
	struct http *http = errand->http;
	const struct http_request *request = errand->request;
	struct destination to = {errand->url,
	    http_same_origin(request->url, errand->url)};
	CLEANUP(http_close_p) struct http_response *response = NULL;
	int r;

	errand->attempts++;
	response =
	    response_new(&http->engine, &http->options, request, &to, err);
	if (!response)
		return -err->code;
	r = engine_start(&http->engine, response, err);
	if (r == 0)
		r = response_wait(response, err);
	if (r < 0)
		return r;
	atomic_store(&http->away, false);
	if (request->answered)
		request->answered(request->arg, response);
	*out = steal(&response);
	return 0;
}

/* Whether patience applies to this failure. What is not sent again may have
 * met the first second of a restart, and says nothing of the next. */
static bool waits_for(const struct errand *errand, int code)
{
	return errand->request->retry && !errand->request->answers_only &&
	       retry_is_patient(code);
}

/* Whether a failure (0: a status) is worth another attempt. */
static bool may_repeat(const struct errand *errand, int code)
{
	const struct http_options *options = &errand->http->options;

	if (!errand->request->retry || budget_now()->once ||
	    cost_left(options) == 0 ||
	    (code != 0 && errand->request->answers_only))
		return false;
	if (budget_is_patient() && !atomic_load(&errand->http->away) &&
	    waits_for(errand, code))
		return true;
	return (code == 0 || retry_helps_error(code)) &&
	       errand->attempts < options->attempts;
}

/* Seconds that the server asks us to wait, if it does; response may be NULL. */
static bool asked_wait(const struct http_response *response, uint64_t *seconds)
{
	const char *field =
	    response ? http_header(response, "Retry-After") : NULL;

	return field && http_retry_after(field, time(NULL), seconds);
}

/* The longest waits leave time for what they wait for. */
static uint64_t backoff(const struct errand *errand, unsigned attempts)
{
	uint64_t ms = retry_backoff(attempts, arc4random());
	uint64_t longest = cost_limit(&errand->http->options) / 8;

	return ms < longest ? ms : longest;
}

/* Whether the budget has so many ms, and an eighth of the timeout for an
 * attempt after them. */
static bool has_time(const struct errand *errand, uint64_t ms)
{
	const struct http_options *options = &errand->http->options;

	return ms + cost_limit(options) / 20 < cost_left(options);
}

/* Whether a limit of requests is used up, as headers say (Docker Hub's, those
 * of the draft on RateLimit fields). Its window is longer than anybody waits.
 */
static bool is_used_up(const struct http_response *response)
{
	const char *left = http_header(response, "ratelimit-remaining");
	size_t zeros = left ? strspn(left, "0") : 0;

	return http_status(response) == 429 && zeros > 0 &&
	       (left[zeros] == '\0' || left[zeros] == ';');
}

/* 1 with how long, 0 if the budget has no time for it or it would not help,
 * -EBUSY if the server wants more than that, or than anybody waits. */
static int choose_wait(const struct errand *errand,
    const struct http_response *response, uint64_t *ms, struct err *err)
{
	uint64_t seconds;

	if (response && is_used_up(response))
		return 0;
	if (!asked_wait(response, &seconds)) {
		*ms = backoff(errand, errand->attempts);
		return has_time(errand, *ms);
	}
	if (seconds <= errand->http->options.max_wait &&
	    has_time(errand, seconds * 1000)) {
		*ms = seconds * 1000;
		return 1;
	}
	err_set(err, EBUSY,
	    "%s %s: the server answers %d and asks to wait %llu seconds",
	    response->method, response->shown, http_status(response),
	    (unsigned long long)seconds);
	err->http = http_status(response);
	return -EBUSY;
}

static int wait_ms(const struct errand *errand, uint64_t ms, struct err *err)
{
	const char *method = errand->request->method;
	int r;

	if (ms == 0)
		return 0;
	r = engine_sleep(&errand->http->engine, ms);
	budget_lose(ms);
	if (r == -ESHUTDOWN)
		return err_set(err, ESHUTDOWN, "%s: shutting down", method);
	if (r == -EINTR)
		return err_set(err, EINTR,
		    "%s: interrupted while waiting to try again", method);
	return 0;
}

/* 0 with the answer, 1 if it is worth another attempt after *ms. */
static int attempt_or_wait(struct errand *errand, struct http_response **out,
    uint64_t *ms, struct err *err)
{
	CLEANUP(http_close_p) struct http_response *response = NULL;
	struct err failure = ERR_INIT;
	int r = attempt(errand, &response, &failure);
	bool fails = r < 0 || retry_helps_status(http_status(response));
	int again = 0;

	if (fails && may_repeat(errand, failure.code))
		again = choose_wait(errand, response, ms, err);
	if (again == 1 && response)
		response_drain(response);
	if (again != 0)
		return again;
	if (r < 0)
		*err = failure;
	else
		*out = steal(&response);
	return r;
}

/* Attempts at one url. The first waits, too, where a body has just broken. */
static int persist(struct errand *errand, struct http_response **out,
    struct err *err)
{
	unsigned failures = budget_failures(errand->what);
	uint64_t ms = failures > 0 ? backoff(errand, failures) : 0;
	int r;

	if (ms > 0 && !has_time(errand, ms)) {
		*err = budget_now()->last;
		return -err->code;
	}
	do {
		r = wait_ms(errand, ms, err);
		if (r == 0)
			r = attempt_or_wait(errand, out, &ms, err);
	} while (r == 1);
	return r;
}

/* 0 with the answer, 1 if the errand goes on at another url. */
static int hop(struct errand *errand, struct http_response **out,
    struct err *err)
{
	CLEANUP(http_close_p) struct http_response *response = NULL;
	char *url;
	int r = persist(errand, &response, err);

	if (r < 0)
		return r;
	r = redirect_target(errand->request, response, errand->redirects, &url,
	    err);
	if (r == 0)
		*out = steal(&response);
	if (r != 1)
		return r;
	response_drain(response);
	free(errand->url);
	errand->url = url;
	errand->redirects++;
	return 1;
}

static int run(struct errand *errand, struct http_response **out,
    struct err *err)
{
	struct err failure = ERR_INIT;
	int r;

	do
		r = hop(errand, out, &failure);
	while (r == 1);
	if (r < 0)
		*err = failure;
	else if (retry_helps_status(http_status(*out)))
		cost_refused(*out, &failure);
	if (failure.code && errand->request->retry)
		budget_note(errand->what, &failure);
	if (r < 0 && budget_is_patient() && waits_for(errand, failure.code))
		atomic_store(&errand->http->away, true);
	return r;
}

/* Whether the operation has no more to spend on this. */
static bool is_spent(const struct errand *errand, struct err *err)
{
	const struct budget *budget = budget_now();

	if (errand->request->retry && budget_recall(errand->what, err) < 0)
		return true;
	if (!budget || cost_left(&errand->http->options) > 0)
		return false;
	*err = budget->last;
	return true;
}

static int run_within(struct errand *errand, struct http_response **out,
    struct err *err)
{
	struct budget own = {0};
	bool alone = !budget_now();
	int r;

	if (is_spent(errand, err))
		return -err->code;
	if (alone)
		budget_bind(&own);
	r = run(errand, out, err);
	if (alone)
		budget_unbind(&own);
	return r;
}

static int is_offline(const struct http_request *request, struct err *err)
{
	/* What follows the path may be a secret. */
	return err_set(err, ENETUNREACH,
	    "%s %.*s is not asked, since the mount is offline: mount it "
	    "without -o offline for what the cache does not have",
	    request->method, (int)strcspn(request->url, "?#"), request->url);
}

int http_open(struct http *http, const struct http_request *request,
    struct http_response **out, struct err *err)
{
	struct errand errand = {.http = http,
	    .request = request,
	    .what = strf("%s %s", request->method, request->url),
	    .url = strdup(request->url)};
	int r = !errand.url || !errand.what ? err_nomem(err)
		: http->options.offline     ? is_offline(request, err)
					    : run_within(&errand, out, err);

	free(errand.what);
	free(errand.url);
	return r;
}
