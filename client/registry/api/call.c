/* SPDX-License-Identifier: Apache-2.0 */
/* Requests to a registry. */
#include "call.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/strf.h"
#include "creds/secret.h"
#include "http/grammar.h"
#include "session/auth.h"

char *call_repository(const struct registry *registry, const char *repository)
{
	return strf("%s%s",
	    address_official(&registry->address, repository) ? "library/" : "",
	    repository);
}

static int set_names(struct call *call, const struct registry *registry,
    const char *repository, const char *actions, const char *path,
    struct err *err)
{
	if (repository) {
		call->repository = call_repository(registry, repository);
		if (!call->repository)
			return err_nomem(err);
		call->url =
		    strf("%s/v2/%s/%s", registry->root, call->repository, path);
		call->scope =
		    strf("repository:%s:%s", call->repository, actions);
	} else {
		call->url = strf("%s/v2/%s", registry->root, path);
		call->scope = strdup(actions);
	}
	return call->url && call->scope ? 0 : err_nomem(err);
}

int call_init(struct call *call, const struct registry *registry,
    const char *method, const char *repository, const char *actions,
    struct err *err, const char *fmt, ...)
{
	AUTO_FREE char *path = NULL;
	va_list args;
	int len;

	*call = (struct call){.method = method};
	va_start(args, fmt);
	len = vasprintf(&path, fmt, args);
	va_end(args);
	if (len < 0) {
		path = NULL;
		return err_nomem(err);
	}
	return set_names(call, registry, repository, actions, path, err);
}

void call_release(struct call *call)
{
	free(call->url);
	free(call->repository);
	free(call->scope);
}

int call_take_url(struct call *call, char *url, struct err *err)
{
	if (!url)
		return err_nomem(err);
	free(call->url);
	call->url = url;
	return 0;
}

static void answered(void *arg, const struct http_response *response)
{
	struct registry *registry = arg;

	/* Storage that it redirects to has limits of its own. */
	if (http_same_origin(http_url(response), registry->origin))
		limits_read(&registry->limits, response);
}

static int send(struct registry *registry, const struct call *call,
    const char *authorization, struct http_response **out, struct err *err)
{
	const char *headers[CALL_HEADERS_MAX + 2] = {NULL};
	AUTO_SECRET char *line = NULL;
	struct http_request request = {.method = call->method,
	    .url = call->url,
	    .headers = headers,
	    .body = call->body,
	    .tls = session_trust(registry, call->url),
	    .max_redirects = call->max_redirects,
	    .retry = call->retry,
	    .bulk = call->bulk,
	    .answered = answered,
	    .arg = registry};
	size_t n = 0;

	while (n < CALL_HEADERS_MAX && call->headers[n]) {
		headers[n] = call->headers[n];
		n++;
	}
	if (authorization) {
		line = strf("Authorization: %s", authorization);
		if (!line)
			return err_nomem(err);
		headers[n] = line;
	}
	return http_open(registry->http, &request, out, err);
}

/* What to answer to a 401: 1 if it is something new, 0 if the 401 stands. */
static int renew(struct registry *registry, const struct call *call,
    const struct http_response *response, const char *refused, char **value,
    struct err *err)
{
	struct challenges own;
	int r;

	challenges_read(response, &own);
	if (!own.basic && !own.bearer && !registry->challenges.basic &&
	    !registry->challenges.bearer)
		return 0;
	r = auth_authorize(registry, call->repository, call->scope, &own,
	    refused, value, err);
	if (r < 0)
		return r;
	return !refused || strcmp(*value, refused) != 0;
}

int call_send(struct registry *registry, const struct call *call,
    struct http_response **out, struct err *err)
{
	/* Another server to which the registry redirects must not learn who we
	 * are. */
	bool ours = http_same_origin(call->url, registry->origin);
	CLEANUP(http_close_p) struct http_response *response = NULL;
	AUTO_SECRET char *authorization = NULL, *renewed = NULL;
	int r = 0;

	if (ours) {
		creds_ask_again(registry->creds, registry->address.host,
		    call->changes ? CREDS_CHANGE : CREDS_FINE);
		r = auth_authorize(registry, call->repository, call->scope,
		    NULL, NULL, &authorization, err);
	}
	if (r == 0)
		r = send(registry, call, authorization, &response, err);
	if (r == 0 && ours && !call->final && http_status(response) == 401)
		r = renew(registry, call, response, authorization, &renewed,
		    err);
	if (r == 1) {
		http_close(steal(&response));
		r = send(registry, call, renewed, &response, err);
	}
	if (r == 0)
		*out = steal(&response);
	return r;
}

struct call_what call_what(const char *repository, const char *reference)
{
	struct call_what what;

	snprintf(what.text, sizeof(what.text), "%s%c%s", repository,
	    strchr(reference, ':') ? '@' : ':', reference);
	return what;
}

/* Whether a password was sent, and so is what a 401 is about. */
static bool sent_password(struct registry *registry, const struct call *call)
{
	AUTO_SECRET char *value = NULL;

	grants_peek(&registry->grants, call->scope, 0, &value, ERR_IGNORE);
	return value && strncmp(value, "Basic ", 6) == 0;
}

int call_refused_by(struct registry *registry, const struct call *call,
    const struct refusal *refusal, const char *what, struct err *err)
{
	int r = refusal_err(refusal, registry->address.host, what, call->scope,
	    err);

	if (refusal->status == 401 && sent_password(registry, call))
		err_wrap(err,
		    "the stored user and password are refused (log in again "
		    "with registryfs login %s)",
		    registry->address.host);
	else if (r == -EACCES &&
		 registry_lacks_login(registry, call->repository))
		err_wrap(err,
		    "no credentials were found (log in with registryfs login "
		    "%s)",
		    registry->address.host);
	return r;
}

int call_refused(struct registry *registry, const struct call *call,
    struct http_response *response, const char *what, struct err *err)
{
	struct refusal refusal;

	refusal_read(response, &refusal);
	return call_refused_by(registry, call, &refusal, what, err);
}
