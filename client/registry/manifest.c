/* SPDX-License-Identifier: Apache-2.0 */
/* Manifests. */
#include <errno.h>
#include <string.h>

#include "base/file.h"
#include "call.h"
#include "oci/manifest.h"
#include "reply.h"

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
    struct registry_manifest *out)
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

/*
 * A tag's digest is that of the bytes, whatever the server says: too many say
 * something else. But it may choose the algorithm.
 */
static int check_digest(const struct http_response *response,
    const struct digest *want, struct registry_manifest *out, struct err *err)
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
	if (r < 0 || !digest_is_set(want) || digest_equal(want, &out->digest))
		return r;
	/* Its digest leaves the signatures out. */
	if (strcmp(out->media_type, MEDIA_DOCKER_SCHEMA1_SIGNED) == 0)
		return err_set(err, ENOTSUP,
		    "the image has the old format schema 1");
	return err_set(err, EBADMSG, "the manifest %s came as %s",
	    digest_format(want, want_text),
	    digest_format(&out->digest, got_text));
}

static int read_manifest(struct http_response *response,
    const struct digest *want, struct registry_manifest *out, struct err *err)
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

int registry_manifest_get(struct registry *registry, const char *repository,
    const char *reference, struct registry_manifest *out, struct err *err)
{
	CLEANUP(http_close_p) struct http_response *response = NULL;
	CLEANUP(call_release) struct call call;
	struct call_what it = call_what(repository, reference);
	struct digest want;
	int r = call_init(&call, registry, "GET", repository, "pull", err,
	    "manifests/%s", reference);

	call.headers[0] = ACCEPT;
	call.max_redirects = CALL_REDIRECTS;
	call.retry = true;
	if (r == 0)
		r = wanted_digest(reference, &want, err);
	if (r == 0)
		r = call_send(registry, &call, &response, err);
	if (r < 0)
		return r;
	if (http_status(response) != 200)
		return call_refused(registry, &call, response, it.text, err);
	r = read_manifest(response, &want, out, err);
	return r < 0 ? err_wrap(err, "%s: %s", registry_host(registry), it.text)
		     : 0;
}

static int get_for_head(struct registry *registry, const char *repository,
    const char *reference, struct registry_manifest *out, struct err *err)
{
	int r =
	    registry_manifest_get(registry, repository, reference, out, err);

	if (r == 0)
		buf_release(&out->body);
	return r;
}

int registry_manifest_head(struct registry *registry, const char *repository,
    const char *reference, struct registry_manifest *out, struct err *err)
{
	CLEANUP(http_close_p) struct http_response *response = NULL;
	CLEANUP(call_release) struct call call;
	struct call_what it = call_what(repository, reference);
	int r = call_init(&call, registry, "HEAD", repository, "pull", err,
	    "manifests/%s", reference);

	call.headers[0] = ACCEPT;
	call.max_redirects = CALL_REDIRECTS;
	call.retry = true;
	if (r == 0)
		r = call_send(registry, &call, &response, err);
	if (r < 0)
		return r;
	if (http_status(response) == 404)
		return call_refused(registry, &call, response, it.text, err);
	out->body = BUF_INIT(MANIFEST_MAX_BYTES);
	copy_media_type(response, out);
	if (http_status(response) == 200 &&
	    reply_digest(response, &out->digest))
		return 0;
	/* Refusals of a HEAD have no body that says why, and some servers
	 * refuse nothing else. */
	return get_for_head(registry, repository, reference, out, err);
}

int registry_manifest_put(struct registry *registry, const char *repository,
    const char *reference, const char *media_type, const void *data, size_t len,
    const struct digest *digest, struct err *err)
{
	CLEANUP(http_close_p) struct http_response *response = NULL;
	AUTO_FREE char *type = file_path("Content-Type: %s", media_type);
	CLEANUP(call_release) struct call call;
	struct call_what it = call_what(repository, reference);
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
	r = call_send(registry, &call, &response, err);
	if (r < 0)
		return r;
	if (!reply_is_success(response))
		return call_refused(registry, &call, response, it.text, err);
	r = reply_check_digest(response, digest, it.text, err);
	return r < 0 ? r : http_header(response, "OCI-Subject") != NULL;
}

/* How registries say that they know no such DELETE: docker's takes a tag for a
 * digest that is none. */
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
	int r = call_init(&call, registry, "DELETE", repository, "delete", err,
	    "manifests/%s", reference);

	call.headers[0] = ACCEPT;
	call.retry = true;
	if (r == 0)
		r = call_send(registry, &call, &response, err);
	if (r < 0)
		return r;
	if (reply_is_success(response))
		return 0;
	r = call_refused(registry, &call, response, it.text, err);
	if (is_unsupported(err))
		err->code = EOPNOTSUPP;
	return r < 0 ? -err->code : r;
}
