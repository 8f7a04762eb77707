/* SPDX-License-Identifier: Apache-2.0 */
/* Reading blobs. */
#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

#include "answer/reply.h"
#include "base/log.h"
#include "call.h"
#include "http/grammar.h"

/* Reads past what a server that ignores Range sends first. */
static int skip(struct http_response *response, uint64_t count, struct err *err)
{
	char chunk[16 << 10];

	while (count > 0) {
		size_t want =
		    count < sizeof(chunk) ? (size_t)count : sizeof(chunk);
		ssize_t n = http_read(response, chunk, want, err);

		if (n < 0)
			return (int)n;
		if (n == 0)
			return err_set(err, EIO,
			    "the blob ends before the bytes that were asked "
			    "for");
		count -= (uint64_t)n;
	}
	return 0;
}

/* Bytes of a blob: len 0 is to its end. */
struct byte_range {
	uint64_t offset, len;
};

/* Fewer bytes than were asked for are no error: the blob may end there. */
static int check_range(const struct http_response *response,
    const struct byte_range *part, struct err *err)
{
	const char *field = http_header(response, "Content-Range");
	uint64_t first, last, total;

	if (field && http_content_range(field, &first, &last, &total) &&
	    first == part->offset &&
	    (part->len == 0 || last - first < part->len))
		return 0;
	return err_set(err, EIO,
	    "the server sent a different byte range (asked from %" PRIu64 ")",
	    part->offset);
}

/* Puts the response's reading position at the offset, and its end. */
static int seek(struct http_response *response, const struct byte_range *part,
    struct err *err)
{
	int r = http_status(response) == 206
		    ? check_range(response, part, err)
		    : skip(response, part->offset, err);

	if (r == 0 && part->len > 0)
		http_limit(response, part->len);
	return r;
}

/* The header line that asks for the part; NULL where that is the blob. */
static const char *range_line(const struct byte_range *part, char out[64])
{
	if (part->len > 0)
		snprintf(out, 64, "Range: bytes=%" PRIu64 "-%" PRIu64,
		    part->offset, part->offset + part->len - 1);
	else if (part->offset > 0)
		snprintf(out, 64, "Range: bytes=%" PRIu64 "-", part->offset);
	else
		return NULL;
	return out;
}

int registry_blob_open(struct registry *registry, const char *repository,
    const struct digest *digest, uint64_t offset, uint64_t len,
    struct http_response **out, struct err *err)
{
	CLEANUP(http_close_p) struct http_response *response = NULL;
	CLEANUP(call_release) struct call call;
	const struct byte_range part = {offset, len};
	char text[DIGEST_TEXT_SIZE], range[64];
	struct call_what what =
	    call_what(repository, digest_format(digest, text));
	int status;
	int r = call_init(&call, registry, "GET", repository, "pull", err,
	    "blobs/%s", text);

	assert(len <= UINT64_MAX - offset);
	/* Offsets are of the blob's own bytes. */
	call.headers[0] = "Accept-Encoding: identity";
	call.headers[1] = range_line(&part, range);
	call.max_redirects = CALL_REDIRECTS;
	call.retry = true;
	call.bulk = true;
	if (r == 0)
		r = call_send(registry, &call, &response, err);
	if (r < 0)
		return r;
	status = http_status(response);
	if (status != 200 && status != 206)
		return call_refused(registry, &call, response, what.text, err);
	r = seek(response, &part, err);
	if (r < 0)
		return err_wrap(err, "%s: %s", registry_host(registry),
		    what.text);
	*out = steal(&response);
	return 0;
}

/* Whether a 200 to a HEAD can be of this blob: what it says of it must be so,
 * and it may say nothing. */
static bool can_be(const struct http_response *response,
    const struct digest *digest, uint64_t size)
{
	int64_t length = http_length(response);
	struct digest named;

	if (length >= 0 && size != UINT64_MAX && (uint64_t)length != size)
		return false;
	if (reply_digest(response, &named))
		return named.algorithm != digest->algorithm ||
		       digest_equal(&named, digest);
	return !reply_is_page(response);
}

int registry_blob_head(struct registry *registry, const char *repository,
    const struct digest *digest, uint64_t size, struct err *err)
{
	CLEANUP(http_close_p) struct http_response *response = NULL;
	CLEANUP(call_release) struct call call;
	char text[DIGEST_TEXT_SIZE];
	struct call_what what =
	    call_what(repository, digest_format(digest, text));
	int r = call_init(&call, registry, "HEAD", repository, "pull", err,
	    "blobs/%s", text);

	call.max_redirects = CALL_REDIRECTS;
	call.retry = true;
	if (r == 0)
		r = call_send(registry, &call, &response, err);
	if (r < 0)
		return r;
	if (http_status(response) == 404)
		return 0;
	if (http_status(response) == 200) {
		if (can_be(response, digest, size))
			return 1;
		log_debug(LOG_HTTP, "%s: what is there is something else",
		    what.text);
		return 0;
	}
	/* The registry knows where it is; that the storage takes no HEAD (urls
	 * are signed for a GET) is between us and it. */
	if (!http_same_origin(http_url(response), call.url))
		return 1;
	return call_refused(registry, &call, response, what.text, err);
}
