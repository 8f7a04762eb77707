/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Writing blobs, distribution-spec "Pushing blobs". A session's url is the
 * registry's secret: taken from the Location of every answer, as it is.
 */
#include <errno.h>
#include <string.h>

#include "answer/reply.h"
#include "base/budget.h"
#include "base/log.h"
#include "base/strf.h"
#include "call.h"
#include "http/grammar.h"

enum {
	/* A session that broke cannot be taken up (nobody knows what of it
	 * arrived), so the whole upload is repeated. */
	UPLOAD_ATTEMPTS = 3,
};

struct upload {
	struct registry *registry;
	const char *repository;
	const struct digest *digest;
	const struct payload *body;
	char text[DIGEST_TEXT_SIZE];
	struct call_what what;
	char *session; /* its url now, NULL while there is none */
};

static void upload_release(struct upload *upload)
{
	free(upload->session);
}

/* Ends a session that nobody will use, by a call that is authorized for it.
 * Failure is harmless: registries expire abandoned sessions. */
static void cancel_by(struct upload *upload, struct call *call)
{
	CLEANUP(http_close_p) struct http_response *response = NULL;

	call->method = "DELETE";
	call->final = true;
	call->retry = false;
	if (call_take_url(call, steal(&upload->session), ERR_IGNORE) == 0)
		call_send(upload->registry, call, &response, ERR_IGNORE);
}

static void cancel(struct upload *upload)
{
	CLEANUP(call_release) struct call call = {0};

	if (upload->session &&
	    call_init(&call, upload->registry, "DELETE", upload->repository,
		"pull,push", ERR_IGNORE, "blobs/uploads/") == 0)
		cancel_by(upload, &call);
}

/* Where the session goes on, as an answer says; NULL if it does not. */
static const char *location_of(const struct http_response *response)
{
	const char *location = http_header(response, "Location");

	return location && *location ? location : NULL;
}

/* The session's url from an answer's Location; where there is none, the old one
 * stays. */
static int follow(struct upload *upload, const struct call *call,
    const struct http_response *response, struct err *err)
{
	const char *location = location_of(response);
	char *url;
	int r;

	if (!location)
		return 0;
	r = session_location(upload->registry, call->url, location, &url, err);
	if (r < 0)
		return r;
	free(upload->session);
	upload->session = url;
	return 0;
}

/* Which 2xx begins or continues a session, registries do not agree on. */
static bool is_success(const struct http_response *response)
{
	return http_status(response) >= 200 && http_status(response) < 300;
}

static int start(struct upload *upload, struct err *err)
{
	CLEANUP(http_close_p) struct http_response *response = NULL;
	CLEANUP(call_release) struct call call;
	int r = call_init(&call, upload->registry, "POST", upload->repository,
	    "pull,push", err, "blobs/uploads/");

	call.retry = true;
	if (r == 0)
		r = call_send(upload->registry, &call, &response, err);
	if (r < 0)
		return r;
	if (is_success(response) && location_of(response))
		return follow(upload, &call, response, err);
	call_refused(upload->registry, &call, response, upload->repository,
	    err);
	return is_success(response)
		   ? err_wrap(err,
			 "the registry named no place to upload %s to",
			 upload->text)
		   : -err->code;
}

/* Sends a body, or none, to the session: the call, and any answer to it. */
static int send(struct upload *upload, const char *method,
    const struct payload *body, char *url, struct call *call,
    struct http_response **out, struct err *err)
{
	static const char type[] = "Content-Type: application/octet-stream";
	int r = call_init(call, upload->registry, method, upload->repository,
	    "pull,push", err, "blobs/uploads/");

	if (r == 0)
		r = call_take_url(call, url, err);
	else
		free(url);
	call->headers[0] = type;
	if (body)
		call->body = *body;
	return r < 0 ? r : call_send(upload->registry, call, out, err);
}

/* The blob's bytes. A 200 that does not even say where the session goes on is
 * no registry's. */
static int patch(struct upload *upload, struct err *err)
{
	CLEANUP(http_close_p) struct http_response *response = NULL;
	CLEANUP(call_release) struct call call = {0};
	int r = send(upload, "PATCH", upload->body, strdup(upload->session),
	    &call, &response, err);

	if (r < 0)
		return r;
	if (is_success(response) &&
	    (http_status(response) != 200 || location_of(response)))
		return follow(upload, &call, response, err);
	return call_refused(upload->registry, &call, response,
	    upload->what.text, err);
}

/* Whether the blob is there, though the answer to its PUT does not say so. */
static bool arrived(const struct upload *upload, const struct err *answer)
{
	if (registry_blob_head(upload->registry, upload->repository,
		upload->digest, upload->body->size, ERR_IGNORE) != 1)
		return false;
	log_debug(LOG_PUSH, "%s: it is there: %s", upload->what.text,
	    answer->msg);
	return true;
}

/* Ends the session with what is left of the blob. */
static int put(struct upload *upload, const struct payload *body,
    struct err *err)
{
	CLEANUP(http_close_p) struct http_response *response = NULL;
	CLEANUP(call_release) struct call call = {0};
	struct err answer = ERR_INIT;
	char *url = strf("%s%sdigest=%s", upload->session,
	    strchr(upload->session, '?') ? "&" : "?", upload->text);
	int r = send(upload, "PUT", body, url, &call, &response, &answer);

	if (r == 0 && http_status(response) == 201)
		r = reply_check_digest(response, upload->digest,
		    upload->what.text, &answer);
	else if (r == 0)
		r = call_refused(upload->registry, &call, response,
		    upload->what.text, &answer);
	if (r < 0 && refusal_is_open(&answer) && arrived(upload, &answer))
		r = 0;
	if (r == 0)
		free(steal(&upload->session));
	else
		*err = answer;
	return r;
}

/* One way or the other, from the session's start to its end. */
static int attempt(struct upload *upload, bool by_patch, struct err *err)
{
	int r = start(upload, err);

	if (r == 0 && by_patch)
		r = patch(upload, err);
	if (r == 0)
		r = put(upload, by_patch ? NULL : upload->body, err);
	if (r < 0)
		cancel(upload);
	return r;
}

/* Whether a PUT of all at once was refused as such (Artifactory does). */
static bool wants_patch(const struct err *err)
{
	return err->http == 404 || err->http == 405 || err->http == 415 ||
	       err->http == 416 || err->code == EOPNOTSUPP;
}

static bool may_pass(const struct err *err)
{
	if (err->http)
		return err->http == 408 || err->http == 429 ||
		       (err->http >= 500 && err->http != 501);
	return err->code == ECONNREFUSED || err->code == ECONNRESET ||
	       err->code == EHOSTUNREACH || err->code == ETIMEDOUT;
}

static int persist(struct upload *upload, bool by_patch, struct err *err)
{
	unsigned n = 0;
	int r;

	do
		r = attempt(upload, by_patch, err);
	while (r < 0 && ++n < UPLOAD_ATTEMPTS && may_pass(err));
	return r;
}

int registry_blob_upload(struct registry *registry, const char *repository,
    const struct digest *digest, const struct payload *body, struct err *err)
{
	CLEANUP(upload_release)
	struct upload upload = {.registry = registry,
	    .repository = repository,
	    .digest = digest,
	    .body = body};
	struct err failure = ERR_INIT;
	bool by_patch = atomic_load(&registry->uploads_by_patch);
	int r;

	budget_be_patient();
	upload.what = call_what(repository, digest_format(digest, upload.text));
	r = persist(&upload, by_patch, &failure);
	if (r < 0 && !by_patch && wants_patch(&failure)) {
		by_patch = true;
		r = persist(&upload, by_patch, &failure);
	}
	if (r < 0)
		*err = failure;
	else if (by_patch)
		atomic_store(&registry->uploads_by_patch, true);
	return r;
}

/* Lets the call pull from the other repository too. */
static int add_source(struct call *call, const char *source, struct err *err)
{
	char *scope = strf("%s repository:%s:pull", call->scope, source);

	if (!scope)
		return err_nomem(err);
	free(call->scope);
	call->scope = scope;
	return 0;
}

static int init_mount(struct call *call, struct upload *upload,
    const char *from, struct err *err)
{
	AUTO_FREE char *source = call_repository(upload->registry, from);
	AUTO_FREE char *escaped = source ? http_url_escape(source) : NULL;
	int r;

	if (!escaped)
		return err_nomem(err);
	r = call_init(call, upload->registry, "POST", upload->repository,
	    "pull,push", err, "blobs/uploads/?mount=%s&from=%s", upload->text,
	    escaped);
	call->retry = true;
	return r < 0 ? r : add_source(call, source, err);
}

int registry_blob_mount(struct registry *registry, const char *repository,
    const struct digest *digest, const char *from, struct err *err)
{
	CLEANUP(upload_release)
	struct upload upload = {.registry = registry,
	    .repository = repository,
	    .digest = digest};
	CLEANUP(http_close_p) struct http_response *response = NULL;
	CLEANUP(call_release) struct call call = {0};
	struct err refused = ERR_INIT;
	int r;

	digest_format(digest, upload.text);
	r = init_mount(&call, &upload, from, err);
	if (r < 0)
		return r;
	r = call_send(registry, &call, &response, &refused);
	/* No right to read there: then it is not to be had from there. */
	if (r == -EACCES)
		return 0;
	if (r < 0) {
		*err = refused;
		return r;
	}
	if (http_status(response) == 201)
		return digest->algorithm == DIGEST_SHA256
			   ? 1
			   : registry_blob_head(registry, repository, digest,
				 UINT64_MAX, err);
	if (http_status(response) == 202 &&
	    follow(&upload, &call, response, &refused) == 0)
		cancel_by(&upload, &call);
	return 0;
}
