/* SPDX-License-Identifier: Apache-2.0 */
/*
 * HTTP: one thread owns all of libcurl; any number of threads ask it and block.
 * It knows nothing of registries.
 *
 * A response is read like a file:
 *
 *	r = http_open(http, &request, &response, err);
 *	while ((n = http_read(response, chunk, sizeof(chunk), err)) > 0)
 *		…
 *	http_close(response);
 *
 * The network thread fills a small ring and pauses the transfer when it is
 * full, so a slow reader costs no memory and holds nobody up. Every wait ends
 * with -EINTR when the calling thread's task is interrupted (base/task.h).
 */
#ifndef HTTP_HTTP_H
#define HTTP_HTTP_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/err.h"
#include "base/payload.h"

struct http;

struct http_options {
	const char *user_agent;
	unsigned connect_timeout; /* seconds */
	/* Seconds that an attempt waits for an answer's header, and for a body
	 * that moves more slowly than the minimum rate, either way. A full
	 * ring's pause does not count. The budget of an operation is made of
	 * it, see base/budget.h. */
	unsigned stall_timeout;
	uint64_t min_rate; /* bytes a second, not 0 */
	unsigned attempts; /* tries of a request in all, at least 1, unless the
			    * budget is patient */
	unsigned max_wait; /* longest Retry-After that is obeyed, s */
	unsigned host_connections;
	/* Nothing is asked: every request fails with -ENETUNREACH. */
	bool offline;
};

/* Starts the thread. NULL on failure, err filled. */
struct http *http_new(const struct http_options *options, struct err *err);

/* All requests under way fail with -ESHUTDOWN, and later ones. The struct
 * stays until http_free(), which no thread may be using it any more. */
void http_shutdown(struct http *http);
void http_free(struct http *http);

/* Counts since http_new(): requests sent (each attempt), bytes both ways. What
 * a request received or sent is counted at the latest by http_close(). */
struct http_counters {
	uint64_t requests;
	uint64_t bytes_received; /* of bodies */
	uint64_t bytes_sent;
};
struct http_counters http_count(struct http *http);

/* How a TLS server is to be trusted; strings and arrays are borrowed. */
struct http_tls {
	bool insecure; /* take any certificate */
	/* The url's server is this machine by its own tables: no proxy is asked
	 * for it. */
	bool local;
	const char *const *ca_files; /* PEM, beside the system's; NULL-ended */
	const char *cert_file;       /* PEM, NULL if none */
	const char *key_file;
};

struct http_response;

/* Borrowed during http_open(), the body until http_close(). */
struct http_request {
	const char *method; /* "GET", "HEAD", "PUT", … */
	const char *url;
	/* "Name: value" lines, NULL-ended or NULL. "Authorization" (and the
	 * client certificate) goes to the url's own origin only, never to where
	 * it redirects. */
	const char *const *headers;
	struct payload body;
	const struct http_tls *tls; /* NULL: the system's trust */
	/* How many redirects a GET or HEAD follows; 0: a 3xx is the answer.
	 * More are -ELOOP; one from https to http is -EPROTO. */
	unsigned max_redirects;
	/* A failed attempt is made again only when true: the network broke, or
	 * 408, 429, 500, 502, 503, 504, waiting as Retry-After says; as often
	 * as the options and the operation's budget let it. What has failed so
	 * is noted in the budget, and the same request then fails at once, by
	 * -EBUSY or so with err->http where a status was the failure. */
	bool retry;
	/* Together with retry: that the network broke is a failure at once. */
	bool answers_only;
	/* What 2xx answers with may last as long as it moves at the minimum
	 * rate. Any other body is a document, which is of use when it is whole:
	 * its time counts against the budget, however fast it moves. */
	bool bulk;
	/* Or NULL: is shown the header of each answer on the way, those that
	 * are tried again or redirect included; by the calling thread. */
	void (*answered)(void *arg, const struct http_response *response);
	void *arg;
};

/*
 * Sends, and waits for the response's header. 0 for any status; the failures
 * are of the network and TLS: -ECONNREFUSED, -EHOSTUNREACH, -ETIMEDOUT,
 * -ECONNRESET, -EPROTO (TLS: a certificate that is not trusted, or no TLS at
 * all), -EINVAL (url), -EINTR, -ESHUTDOWN, -ENETUNREACH (offline), -EBUSY (a
 * Retry-After past max_wait or the budget), or the last failure of a budget
 * that is spent. *out is to be closed with http_close().
 */
int http_open(struct http *http, const struct http_request *request,
    struct http_response **out, struct err *err);

/* The status of the answer: three digits. */
int http_status(const struct http_response *response);

/* The header's value (names in any case, the first of that name), or NULL. */
const char *http_header(const struct http_response *response, const char *name);

/* The n-th header line of that name, from 0, or NULL. */
const char *http_header_nth(const struct http_response *response,
    const char *name, size_t n);

/* The body's length as announced, or -1. */
int64_t http_length(const struct http_response *response);

/* The url that answered, after redirects. */
const char *http_url(const struct http_response *response);

/* Waits for some of the body: bytes read, 0 at its end, errors as http_open()
 * (a body shorter than announced is -ECONNRESET). */
ssize_t http_read(struct http_response *response, void *data, size_t len,
    struct err *err);

/* From here on http_read() gives at most len bytes, as if the body ended there,
 * whatever more is sent. */
void http_limit(struct http_response *response, uint64_t len);

/* Frees, and ends the transfer where it is under way. */
void http_close(struct http_response *response);

DEFINE_CLEANUP(struct http_response *, http_close);

/* Appends the rest of the body; -EFBIG past out's limit. */
int http_read_all(struct http_response *response, struct buf *out,
    struct err *err);

/*
 * What a status means to a user of files: 401, 403 EACCES, 404 ENOENT, 405
 * EOPNOTSUPP, 409 EBUSY, 412 EPERM, 413 EFBIG, 416 EIO, 429 EBUSY, 504
 * ETIMEDOUT, most others EIO (the table is in status.c). 0 for 2xx.
 */
int http_status_errno(int status);

#endif
