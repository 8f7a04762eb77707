/* SPDX-License-Identifier: Apache-2.0 */
/* A request from its first attempt to the answer: retries and redirects. */
#include "http/http.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "engine.h"
#include "http/grammar.h"
#include "redirect.h"
#include "response.h"
#include "retry.h"

struct http {
	struct http_options options;
	char *user_agent;
	struct engine engine;
};

/* A request on its way through attempts and redirects. */
struct errand {
	struct http *http;
	const struct http_request *request;
	char *url; /* where it goes now */
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
	if (request->answered)
		request->answered(request->arg, response);
	*out = steal(&response);
	return 0;
}

static bool may_repeat(const struct errand *errand)
{
	return errand->request->retry &&
	       errand->attempts < errand->http->options.attempts;
}

/* Seconds that the server asks us to wait, if it does; response may be NULL. */
static bool asked_wait(const struct http_response *response, uint64_t *seconds)
{
	const char *field =
	    response ? http_header(response, "Retry-After") : NULL;

	return field && http_retry_after(field, time(NULL), seconds);
}

static int choose_wait(const struct errand *errand,
    const struct http_response *response, uint64_t *ms, struct err *err)
{
	unsigned max_wait = errand->http->options.max_wait;
	uint64_t seconds;

	if (!asked_wait(response, &seconds)) {
		*ms = retry_backoff(errand->attempts, arc4random());
		return 0;
	}
	if (seconds <= max_wait) {
		*ms = seconds * 1000;
		return 0;
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
	int r = engine_sleep(&errand->http->engine, ms);

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
	bool may_pass = r < 0 ? retry_helps_error(failure.code)
			      : retry_helps_status(http_status(response));

	if (may_pass && may_repeat(errand)) {
		r = choose_wait(errand, response, ms, err);
		if (r == 0 && response)
			response_drain(response);
		return r < 0 ? r : 1;
	}
	if (r < 0)
		*err = failure;
	else
		*out = steal(&response);
	return r;
}

/* Attempts at one url. */
static int persist(struct errand *errand, struct http_response **out,
    struct err *err)
{
	uint64_t ms;
	int r;

	while ((r = attempt_or_wait(errand, out, &ms, err)) == 1) {
		r = wait_ms(errand, ms, err);
		if (r < 0)
			break;
	}
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

int http_open(struct http *http, const struct http_request *request,
    struct http_response **out, struct err *err)
{
	struct errand errand = {.http = http,
	    .request = request,
	    .url = strdup(request->url)};
	int r;

	if (!errand.url)
		return err_nomem(err);
	do
		r = hop(&errand, out, err);
	while (r == 1);
	free(errand.url);
	return r;
}
