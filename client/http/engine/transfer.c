/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An easy handle for a response, and the callbacks that libcurl calls from the
 * network thread.
 */
#include "transfer.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/budget.h"
#include "base/file.h"
#include "base/lock.h"
#include "counts.h"
#include "failure.h"
#include "grammar/url.h"
#include "http/grammar.h"
#include "sockets.h"

enum {
	/* What one receive can bring; beyond this nothing gets faster. */
	RECEIVE_SIZE = 128 * 1024,
	SEND_SIZE = 512 * 1024,
	/*
	 * A server that will answer 401 (a token that ran out) need not take
	 * the body first, so a big one waits for 100 Continue. Servers that do
	 * not know it cost this wait, once a body: more than most round trips,
	 * and little beside the time that such a body takes. A smaller one is
	 * sent at once.
	 */
	EXPECT_SIZE = 1024 * 1024,
	EXPECT_WAIT = 250, /* ms */
	/* Of all of an answer's headers (1xx come before the last one) and
	 * trailers together; each header has its own limit. */
	HEADERS_LIMIT = 256 * 1024,
};

/* Of any but bulk the reader needs the end. */
static void begin_answer(struct http_response *r)
{
	bool well = r->header.status >= 200 && r->header.status < 300;

	if (!r->bulk || !well)
		pace_bound(&r->pace, transfer_moved(r), budget_clock());
	response_set_headed(r);
}

static size_t on_header(char *data, size_t size, size_t count, void *arg)
{
	struct http_response *r = arg;
	size_t len = size * count;
	int end;

	r->header_bytes += len;
	if (r->header_bytes > HEADERS_LIMIT) {
		/* Without end, and libcurl keeps it all. */
		err_set(&r->cause, EPROTO, "the answer's %s too long",
		    r->headed ? "trailers are" : "header is");
		return 0;
	}
	/* Only this thread sets it, so that it may look without the lock. */
	if (r->headed)
		return len; /* a trailer */
	end = header_add_line(&r->header, data, len, &r->cause);
	if (end == -EFBIG)
		err_set(&r->cause, EPROTO, "the answer's header is too long");
	if (end < 0)
		return 0;
	/* After 1xx another header comes; after this 417 libcurl sends the
	 * request again. */
	if (end && r->header.status >= 200 &&
	    !(r->header.status == 417 && r->expects))
		begin_answer(r);
	return len;
}

static size_t on_body(char *data, size_t size, size_t count, void *arg)
{
	struct http_response *r = arg;
	size_t len = size * count;
	int put;

	if (!r->headed)
		return len; /* of an answer that is not the last */
	put = response_put(r, data, len);
	if (put < 0) {
		err_nomem(&r->cause);
		return 0;
	}
	if (put == 0) {
		pace_stop(&r->pace, transfer_moved(r), budget_clock());
		return CURL_WRITEFUNC_PAUSE;
	}
	atomic_fetch_add(&r->counts->received, len);
	return len;
}

static size_t sent(struct http_response *r, size_t len)
{
	r->body_position += len;
	if (r->body.sent)
		atomic_fetch_add(r->body.sent, len);
	return len;
}

static size_t on_send(char *data, size_t size, size_t count, void *arg)
{
	struct http_response *r = arg;
	const struct payload *body = &r->body;
	uint64_t left = body->size - r->body_position;
	size_t len = size * count;
	ssize_t n;

	if (len > left)
		len = (size_t)left;
	if (body->data) {
		memcpy(data, (const char *)body->data + r->body_position, len);
		return sent(r, len);
	}
	n = file_pread(body->fd, data, len, body->offset + r->body_position,
	    &r->cause);
	if (n < 0)
		return CURL_READFUNC_ABORT;
	if ((size_t)n < len) {
		err_set(&r->cause, EIO, "the file to send became shorter");
		return CURL_READFUNC_ABORT;
	}
	return sent(r, len);
}

static int on_seek(void *arg, curl_off_t offset, int origin)
{
	struct http_response *r = arg;

	if (origin != SEEK_SET || (uint64_t)offset > r->body.size)
		return CURL_SEEKFUNC_FAIL;
	r->body_position = (uint64_t)offset;
	return CURL_SEEKFUNC_OK;
}

/*
 * The clock runs from here on: while libcurl keeps a request until one of the
 * host's connections is free nobody waits for the server.
 */
static void begin(struct http_response *r)
{
	if (!r->begun)
		pace_start(&r->pace, budget_clock());
	r->begun = true;
}

static int on_resolve(void *resolver, void *reserved, void *arg)
{
	(void)resolver;
	(void)reserved;
	begin(arg);
	return 0;
}

static curl_socket_t on_socket(void *arg, curlsocktype purpose,
    struct curl_sockaddr *address)
{
	struct http_response *r = arg;

	(void)purpose;
	r->socket = -1;
	begin(r);
	return sockets_open(r->sockets, address);
}

/* libcurl is connected, and will send the request. */
static int on_connected(void *arg, char *ip, char *own_ip, int port,
    int own_port)
{
	struct http_response *r = arg;
	const struct ends ends = {ip, own_ip, port, own_port};

	r->socket = sockets_find(r->sockets, &ends);
	/* Again when libcurl replaces a connection that the server had closed
	 * meanwhile: the server saw one request. */
	if (!r->asked)
		atomic_fetch_add(&r->counts->requests, 1);
	r->asked = true;
	begin(r);
	return CURL_PREREQFUNC_OK;
}

static void set_callbacks(struct http_response *r)
{
	CURL *easy = r->easy;

	curl_easy_setopt(easy, CURLOPT_PRIVATE, r);
	curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, r->detail);
	curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_header);
	curl_easy_setopt(easy, CURLOPT_HEADERDATA, r);
	curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body);
	curl_easy_setopt(easy, CURLOPT_WRITEDATA, r);
	curl_easy_setopt(easy, CURLOPT_READFUNCTION, on_send);
	curl_easy_setopt(easy, CURLOPT_READDATA, r);
	curl_easy_setopt(easy, CURLOPT_SEEKFUNCTION, on_seek);
	curl_easy_setopt(easy, CURLOPT_SEEKDATA, r);
	curl_easy_setopt(easy, CURLOPT_RESOLVER_START_FUNCTION, on_resolve);
	curl_easy_setopt(easy, CURLOPT_RESOLVER_START_DATA, r);
	curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, on_socket);
	curl_easy_setopt(easy, CURLOPT_OPENSOCKETDATA, r);
	curl_easy_setopt(easy, CURLOPT_PREREQFUNCTION, on_connected);
	curl_easy_setopt(easy, CURLOPT_PREREQDATA, r);
}

static void set_manners(CURL *easy, const struct http_options *options)
{
	curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
	/* The network thread must not wait for a name that does not resolve. */
	curl_easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L);
	curl_easy_setopt(easy, CURLOPT_HTTP_VERSION,
	    (long)CURL_HTTP_VERSION_2TLS);
	curl_easy_setopt(easy, CURLOPT_HTTP_TRANSFER_DECODING, 1L);
	curl_easy_setopt(easy, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
	curl_easy_setopt(easy, CURLOPT_TCP_KEEPALIVE, 1L);
	curl_easy_setopt(easy, CURLOPT_BUFFERSIZE, (long)RECEIVE_SIZE);
	curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT,
	    (long)options->connect_timeout);
}

/*
 * A proxy cannot reach this machine's loopback; other clients of registries go
 * past it, too. Unlike libcurl they take HTTP_PROXY in upper case as well:
 * libcurl serves CGI programs, for which it is a header of a request.
 */
static CURLcode set_proxy(const struct http_response *r)
{
	const char *proxy = getenv("HTTP_PROXY");
	const struct tls *tls = &r->tls;
	bool local = tls->identify && tls->wanted && tls->wanted->local;

	if (local || url_is_loopback(r->url))
		return curl_easy_setopt(r->easy, CURLOPT_PROXY, "");
	if (!proxy || !*proxy || getenv("http_proxy") ||
	    !http_url_is_plain(r->url))
		return CURLE_OK;
	return curl_easy_setopt(r->easy, CURLOPT_PROXY, proxy);
}

/* These copy strings, and so can run out of memory. */
static CURLcode set_strings(struct http_response *r, const char *user_agent)
{
	CURLcode c = curl_easy_setopt(r->easy, CURLOPT_URL, r->url);

	if (c == CURLE_OK)
		c = curl_easy_setopt(r->easy, CURLOPT_PROTOCOLS_STR,
		    "http,https");
	if (c == CURLE_OK)
		c = curl_easy_setopt(r->easy, CURLOPT_USERAGENT, user_agent);
	if (c == CURLE_OK)
		c = set_proxy(r);
	return c;
}

static CURLcode set_method(struct http_response *r)
{
	const char *method = r->method;
	bool bodiless =
	    strcmp(method, "GET") == 0 || strcmp(method, "DELETE") == 0;

	if (strcmp(method, "HEAD") == 0)
		return curl_easy_setopt(r->easy, CURLOPT_NOBODY, 1L);
	if (r->body.size > 0 || !bodiless) {
		curl_easy_setopt(r->easy, CURLOPT_UPLOAD, 1L);
		curl_easy_setopt(r->easy, CURLOPT_UPLOAD_BUFFERSIZE,
		    (long)SEND_SIZE);
		curl_easy_setopt(r->easy, CURLOPT_INFILESIZE_LARGE,
		    (curl_off_t)r->body.size);
		curl_easy_setopt(r->easy, CURLOPT_EXPECT_100_TIMEOUT_MS,
		    (long)EXPECT_WAIT);
	}
	return curl_easy_setopt(r->easy, CURLOPT_CUSTOMREQUEST, method);
}

static int add_field(struct http_response *r, const char *line)
{
	struct curl_slist *longer = curl_slist_append(r->fields, line);

	if (!longer)
		return -ENOMEM;
	r->fields = longer;
	return 0;
}

static bool is_authorization(const char *line)
{
	return strncasecmp(line, "Authorization:", 14) == 0;
}

static int add_fields(struct http_response *r,
    const struct http_request *request)
{
	/* A blob's digest and ranges are of its bytes as they are. */
	if (add_field(r, "Accept-Encoding: identity") < 0)
		return -ENOMEM;
	r->expects = r->body.size > EXPECT_SIZE;
	if (!r->expects && add_field(r, "Expect:") < 0)
		return -ENOMEM;
	for (const char *const *line = request->headers; line && *line; line++)
		if ((r->tls.identify || !is_authorization(*line)) &&
		    add_field(r, *line) < 0)
			return -ENOMEM;
	curl_easy_setopt(r->easy, CURLOPT_HTTPHEADER, r->fields);
	return 0;
}

int transfer_init(struct http_response *r, const struct http_options *options,
    const struct http_request *request, struct err *err)
{
	r->easy = curl_easy_init();
	if (!r->easy)
		return err_nomem(err);
	set_callbacks(r);
	set_manners(r->easy, options);
	if (set_strings(r, options->user_agent) != CURLE_OK ||
	    set_method(r) != CURLE_OK || add_fields(r, request) < 0)
		return err_nomem(err);
	return tls_apply(&r->tls, r->easy, err);
}

void transfer_result(const struct http_response *r, CURLcode curl,
    struct err *err)
{
	struct failure failure = {.curl = curl,
	    .asked = r->asked,
	    .detail = r->detail};

	if (curl == CURLE_OK)
		return;
	curl_easy_getinfo(r->easy, CURLINFO_OS_ERRNO, &failure.os_errno);
	if (r->cause.code)
		*err = r->cause;
	else if (curl == CURLE_OPERATION_TIMEDOUT && r->pace.bounded)
		err_set(err, ETIMEDOUT, "the answer does not end in time");
	else
		failure_err(&failure, err);
	err_wrap(err, "%s %s", r->method, r->shown);
}

/*
 * Bytes of the body that the other end has. A socket's queue can hold what a
 * slow line takes a minute to carry, in which libcurl sends nothing; a
 * shorter queue would make fast lines slow. It has some bytes of headers and
 * TLS, too: those are few.
 */
static uint64_t arrived(const struct http_response *r)
{
	uint64_t sent = transfer_sent(r);
	uint64_t queued = sent > 0 ? socket_queued(r->socket) : 0;

	return sent > queued ? sent - queued : 0;
}

uint64_t transfer_moved(const struct http_response *r)
{
	curl_off_t received = 0;

	curl_easy_getinfo(r->easy, CURLINFO_SIZE_DOWNLOAD_T, &received);
	return (uint64_t)received + arrived(r);
}

uint64_t transfer_sent(const struct http_response *r)
{
	curl_off_t sent = 0;

	curl_easy_getinfo(r->easy, CURLINFO_SIZE_UPLOAD_T, &sent);
	return (uint64_t)sent;
}
