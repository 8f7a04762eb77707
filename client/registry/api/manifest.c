/* SPDX-License-Identifier: Apache-2.0 */
/* Manifests. */
#include <errno.h>
#include <string.h>

#include "answer/reply.h"
#include "base/log.h"
#include "base/strf.h"
#include "call.h"
#include "oci/manifest.h"

/*
 * All of them, in every request: registries answer 404 for a manifest of a type
 * that was not asked for. Schema 1 too, so that it is told from what is not
 * there.
 */
#define ACCEPT \
	"Accept: " MEDIA_OCI_INDEX ", " MEDIA_OCI_MANIFEST \
	", " MEDIA_DOCKER_LIST ", " MEDIA_DOCKER_MANIFEST \
	", " MEDIA_DOCKER_SCHEMA1_SIGNED ", " MEDIA_DOCKER_SCHEMA1 ", */*"

static void copy_media_type(const struct http_response *response,
    struct source_manifest *out)
{
	const char *type = http_header(response, "Content-Type");
	size_t len = type ? strcspn(type, "; \t") : 0;

	if (len >= sizeof(out->media_type))
		len = 0;
	memcpy(out->media_type, type ? type : "", len);
	out->media_type[len] = '\0';
}

/* 0 with what the reference asks for, unset if it is a tag. */
static int wanted_digest(const char *reference, struct digest *out,
    struct err *err)
{
	*out = (struct digest){0};
	return strchr(reference, ':') ? digest_parse(out, reference, err) : 0;
}

static bool is_object(const struct buf *body)
{
	const char *text = buf_str(body);

	return text[strspn(text, " \t\r\n")] == '{';
}

/*
 * Whether what came for a tag is a manifest, though it may be one that is not
 * supported: nothing else says so, and the digest of an error document leads to
 * a manifest that nobody has.
 */
static int check_shape(const struct source_manifest *got, struct err *err)
{
	CLEANUP(manifest_free_p) struct manifest *manifest = NULL;
	const char *type = *got->media_type ? got->media_type : NULL;
	struct err wrong = ERR_INIT;
	char why[sizeof(wrong.msg)];
	int r = manifest_parse(got->body.data, got->body.len, type, &manifest,
	    &wrong);

	if (r == 0 || r == -ENOTSUP)
		return 0;
	if (r == -ENOMEM)
		return err_nomem(err);
	refusal_of_body(buf_str(&got->body), got->body.len, err);
	memcpy(why, err->msg, sizeof(why));
	err_set(err, EIO, "%s, which is not a manifest: %s", why, wrong.msg);
	err->http = 200;
	return -EIO;
}

/*
 * A tag's digest is that of the bytes, whatever the server says: too many say
 * something else. But it may choose the algorithm.
 */
static int check_digest(const struct http_response *response,
    const struct digest *want, struct source_manifest *out, struct err *err)
{
	enum digest_algorithm algorithm = want->algorithm;
	char want_text[DIGEST_TEXT_SIZE], got_text[DIGEST_TEXT_SIZE];
	struct digest said;
	int r;

	if (algorithm == DIGEST_NONE)
		algorithm = reply_digest(response, &said) ? said.algorithm
							  : DIGEST_SHA256;
	r = digest_of(algorithm, out->body.data, out->body.len, &out->digest,
	    err);
	if (r < 0 || (digest_is_set(want) && digest_equal(want, &out->digest)))
		return r;
	if (!is_object(&out->body))
		return refusal_of_body(buf_str(&out->body), out->body.len, err);
	if (!digest_is_set(want))
		return check_shape(out, err);
	/* Its digest leaves the signatures out. */
	if (strcmp(out->media_type, MEDIA_DOCKER_SCHEMA1_SIGNED) == 0)
		return err_set(err, ENOTSUP,
		    "the image has the old format schema 1");
	return err_set(err, EBADMSG,
	    "the manifest %s was received with the digest %s",
	    digest_format(want, want_text),
	    digest_format(&out->digest, got_text));
}

static int read_manifest(struct http_response *response,
    const struct digest *want, struct source_manifest *out, struct err *err)
{
	int r;

	out->body = BUF_INIT(MANIFEST_MAX_BYTES);
	copy_media_type(response, out);
	r = http_read_all(response, &out->body, err);
	if (r == 0)
		r = check_digest(response, want, out, err);
	if (r < 0)
		buf_release(&out->body);
	return r;
}

/* Asks for a manifest; release the call also after a failure. */
static int ask(struct registry *registry, const char *method,
    const char *repository, const char *reference, struct call *call,
    struct http_response **out, struct err *err)
{
	int r = call_init(call, registry, method, repository, "pull", err,
	    "manifests/%s", reference);

	call->headers[0] = ACCEPT;
	call->max_redirects = CALL_REDIRECTS;
	call->retry = true;
	return r < 0 ? r : call_send(registry, call, out, err);
}

/* A 404 counts as the registry's own word only. */
static int refused(struct registry *registry, const struct call *call,
    struct http_response *response, const char *what, struct err *err)
{
	struct refusal refusal;
	int r;

	refusal_read(response, &refusal);
	r = call_refused_by(registry, call, &refusal, what, err);
	if (r == -ENOENT && !refusal_is_absence(&refusal))
		err->code = EIO;
	return -err->code;
}

/* Where a limit is used up, no more is asked for that counts. */
static int check_limit(struct registry *registry, const char *what,
    struct err *err)
{
	if (!limits_used_up(&registry->limits))
		return 0;
	err_set(err, EBUSY,
	    "%s: %s: the limit of requests is used up; what counts is asked "
	    "for again a minute after the last refusal",
	    registry_host(registry), what);
	err->http = 429;
	return -EBUSY;
}

int registry_manifest_get(struct registry *registry, const char *repository,
    const char *reference, struct source_manifest *out, struct err *err)
{
	CLEANUP(http_close_p) struct http_response *response = NULL;
	CLEANUP(call_release) struct call call = {0};
	struct call_what it = call_what(repository, reference);
	struct digest want;
	int r = wanted_digest(reference, &want, err);

	if (r == 0)
		r = check_limit(registry, it.text, err);
	if (r == 0)
		r = ask(registry, "GET", repository, reference, &call,
		    &response, err);
	if (r < 0)
		return r;
	if (http_status(response) != 200)
		return refused(registry, &call, response, it.text, err);
	r = read_manifest(response, &want, out, err);
	return r < 0 ? err_wrap(err, "%s: %s", registry_host(registry), it.text)
		     : 0;
}

static int get_for_head(struct registry *registry, const char *repository,
    const char *reference, struct digest *out, struct err *err)
{
	struct source_manifest got;
	int r =
	    registry_manifest_get(registry, repository, reference, &got, err);

	if (r < 0)
		return r;
	buf_release(&got.body);
	*out = got.digest;
	return 0;
}

int registry_manifest_head(struct registry *registry, const char *repository,
    const char *reference, struct digest *out, struct err *err)
{
	CLEANUP(http_close_p) struct http_response *response = NULL;
	CLEANUP(call_release) struct call call;
	struct call_what it = call_what(repository, reference);
	int r =
	    ask(registry, "HEAD", repository, reference, &call, &response, err);

	if (r < 0)
		return r;
	if (http_status(response) == 404)
		return call_refused(registry, &call, response, it.text, err);
	if (http_status(response) == 200 && reply_digest(response, out))
		return 0;
	/* Refusals of a HEAD have no body that says why, and some servers
	 * refuse nothing else. */
	return get_for_head(registry, repository, reference, out, err);
}

int registry_manifest_look(struct registry *registry, const char *repository,
    const char *reference, struct digest *out, struct err *err)
{
	struct err missing = ERR_INIT;
	int r = registry_manifest_head(registry, repository, reference, out,
	    &missing);

	/* Only a GET has the body that tells whose word a 404 is. */
	if (r == -ENOENT)
		r = get_for_head(registry, repository, reference, out,
		    &missing);
	if (r < 0 && r != -ENOENT)
		*err = missing;
	return r == -ENOENT ? 0 : r < 0 ? r : 1;
}

/*
 * What became of a request whose answer leaves that open: 0 if the reference
 * now names what it should (NULL: nothing). err has the answer, and then gets
 * what was found in front of it.
 */
static int find_out(struct registry *registry, const char *repository,
    const char *reference, const struct digest *should, struct err *err)
{
	struct call_what it = call_what(repository, reference);
	struct err failure = ERR_INIT;
	struct digest now;
	int r = registry_manifest_look(registry, repository, reference, &now,
	    &failure);

	if (r == (should ? 1 : 0) && (!should || digest_equal(&now, should))) {
		log_debug(LOG_HTTP, "%s: it was done: %s", it.text, err->msg);
		return 0;
	}
	if (r == -EINTR)
		*err = failure;
	else if (r < 0)
		log_debug(LOG_HTTP, "%s: what it names: %s", it.text,
		    failure.msg);
	return err_wrap(err, r < 0 ? "whether the change was made is not known"
			     : should ? "the manifest was not stored"
				      : "the manifest was not removed");
}

int registry_manifest_put(struct registry *registry, const char *repository,
    const char *reference, const char *media_type, const void *data, size_t len,
    const struct digest *digest, struct err *err)
{
	CLEANUP(http_close_p) struct http_response *response = NULL;
	AUTO_FREE char *type = strf("Content-Type: %s", media_type);
	CLEANUP(call_release) struct call call;
	struct call_what it = call_what(repository, reference);
	struct err answer = ERR_INIT;
	int r = call_init(&call, registry, "PUT", repository, "pull,push", err,
	    "manifests/%s", reference);

	if (r == 0 && !type)
		r = err_nomem(err);
	if (r == 0 && strpbrk(type, "\r\n"))
		r = err_set(err, EINVAL, "%s: not a media type", it.text);
	if (r < 0)
		return r;
	call.headers[0] = type;
	call.body.data = data;
	call.body.size = len;
	call.retry = true;
	call.changes = true;
	r = call_send(registry, &call, &response, &answer);
	if (r == 0 && http_status(response) == 201)
		r = reply_check_digest(response, digest, it.text, &answer);
	else if (r == 0)
		r = call_refused(registry, &call, response, it.text, &answer);
	if (r < 0 && refusal_is_open(&answer))
		r = find_out(registry, repository, reference, digest, &answer);
	if (r < 0)
		*err = answer;
	return r < 0 ? r : response && http_header(response, "OCI-Subject");
}

/* How registries say that they know no such DELETE: docker's takes a tag for a
 * digest that is not valid. */
static bool is_unsupported(const struct err *err)
{
	return err->http == 405 ||
	       (err->http == 400 && err->code != EPERM && err->code != EACCES);
}

int registry_manifest_delete(struct registry *registry, const char *repository,
    const char *reference, struct err *err)
{
	CLEANUP(http_close_p) struct http_response *response = NULL;
	CLEANUP(call_release) struct call call;
	struct call_what it = call_what(repository, reference);
	struct err answer = ERR_INIT;
	int r = call_init(&call, registry, "DELETE", repository, "delete", err,
	    "manifests/%s", reference);

	call.headers[0] = ACCEPT;
	call.retry = true;
	call.changes = true;
	if (r < 0)
		return r;
	r = call_send(registry, &call, &response, &answer);
	if (r == 0 && http_status(response) == 202)
		return 0;
	if (r == 0)
		call_refused(registry, &call, response, it.text, &answer);
	if (is_unsupported(&answer))
		answer.code = EOPNOTSUPP;
	if (refusal_is_open(&answer) &&
	    find_out(registry, repository, reference, NULL, &answer) == 0)
		return 0;
	*err = answer;
	return -err->code;
}

int registry_manifest_remove(struct registry *registry, const char *repository,
    const char *reference, struct err *err)
{
	struct err missing = ERR_INIT;
	int r =
	    registry_manifest_delete(registry, repository, reference, &missing);

	if (r == -ENOENT) {
		missing.code = EIO;
		r = find_out(registry, repository, reference, NULL, &missing);
	}
	if (r < 0)
		*err = missing;
	return r;
}
