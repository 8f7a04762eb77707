/* SPDX-License-Identifier: Apache-2.0 */
/* Finding out how a registry is to be talked to. */
#include "registry/registry.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "answer/refusal.h"
#include "answer/reply.h"
#include "base/hosts.h"
#include "base/strf.h"
#include "probe.h"
#include "session/session.h"

/* ms that TLS is given before plain HTTP is tried beside it: on this machine a
 * handshake takes a few. */
enum { HEAD_START = 250 };

/* A way to talk to it. */
struct way {
	bool plain;
	bool insecure; /* any certificate will do */
};

enum { WAYS_MAX = 2 };

/* The ways that are allowed, best first. */
static size_t choose_ways(const struct address *address, bool insecure,
    struct way ways[WAYS_MAX])
{
	/* Nobody is between us and our own machine; and to read all CAs takes
	 * longer than all the rest of a start. */
	bool any = insecure || address->loopback;
	size_t n = 0;

	if (address->scheme != ADDRESS_HTTP)
		ways[n++] = (struct way){.insecure = any};
	if (address->scheme == ADDRESS_HTTP ||
	    (address->scheme == ADDRESS_ANY && any))
		ways[n++] = (struct way){.plain = true};
	return n;
}

static int set_way(struct registry *registry, const struct way *way,
    struct err *err)
{
	const struct certs *certs = &registry->certs;

	free(registry->origin);
	free(registry->root);
	registry->origin = strf("%s://%s", way->plain ? "http" : "https",
	    registry->address.server);
	registry->root = registry->origin
			     ? strf("%s%s", registry->origin, registry->path)
			     : NULL;
	if (!registry->root)
		return err_nomem(err);
	registry->tls = (struct http_tls){
	    .insecure = way->insecure,
	    .local = registry->address.loopback,
	    .ca_files = (const char *const *)certs->ca_files,
	    .cert_file = certs->cert_file,
	    .key_file = certs->key_file,
	};
	/* A certificate of ours is for the registry alone. */
	registry->tls_abroad = (struct http_tls){
	    .insecure = registry->insecure,
	    .ca_files = registry->tls.ca_files,
	};
	return 0;
}

static bool is_page(const struct http_response *response)
{
	return reply_is_page(response) && !reply_is_registrys(response);
}

static int asks_for_certificate(const struct registry *registry,
    struct err *err)
{
	return err_set(err, EACCES,
	    "%s asks for a client certificate: put one as client.cert, and its "
	    "key as client.key, into ~/.config/containers/certs.d/%s "
	    "(containers-certs.d(5))",
	    registry->address.host, registry->address.host);
}

static int no_registry(const struct registry *registry,
    struct http_response *response, struct err *err)
{
	const char *type = http_header(response, "Content-Type");
	struct refusal refusal;
	const char *quote;

	refusal_read(response, &refusal);
	/* What nginx says of it. */
	if (refusal.status == 400 &&
	    strstr(refusal.message, "required SSL certificate"))
		return asks_for_certificate(registry, err);
	quote = *refusal.message ? "\"" : "";
	err_set(err, EPROTONOSUPPORT,
	    "there is no registry at %s: GET /v2/ is answered with "
	    "%d%s%.100s%s%s%s%s",
	    registry->root, refusal.status, type ? " " : "", type ? type : "",
	    *quote ? ": " : "", quote, refusal.message, quote);
	err->http = refusal.status;
	return -EPROTONOSUPPORT;
}

/* Whether this is how a registry answers GET /v2/. */
static int judge(struct registry *registry, struct http_response *response,
    struct err *err)
{
	struct challenges *challenges = &registry->challenges;
	int status = http_status(response);

	challenges_read(response, challenges);
	if (status == 200 && !is_page(response))
		return 0;
	if (status == 401 &&
	    (challenges->bearer || challenges->basic || !is_page(response)))
		return 0;
	if (status == 403 || status == 429 || status >= 500) {
		struct refusal refusal;

		refusal_read(response, &refusal);
		return refusal_err(&refusal, registry->address.host,
		    "asking whether it is a registry", NULL, err);
	}
	return no_registry(registry, response, err);
}

static int ping(struct registry *registry, struct err *err)
{
	CLEANUP(http_close_p) struct http_response *response = NULL;
	int r = probe_ask(registry->http, registry->root, &registry->tls,
	    &response, err);

	return r < 0 ? r : judge(registry, response, err);
}

/* The way that was being asked while another one was. */
static int take(struct registry *registry, const struct way *way,
    struct probe *probe, struct err *err)
{
	CLEANUP(http_close_p) struct http_response *response = NULL;
	int r = probe_end(probe, &response, err);

	if (r == 0)
		r = set_way(registry, way, err);
	return r < 0 ? r : judge(registry, response, err);
}

/* Whether a failure leaves hope for another way to talk. */
static bool is_other_protocol(int code)
{
	return code == EPROTO || code == ECONNREFUSED || code == ECONNRESET;
}

static int try_way(struct registry *registry, const struct way *way,
    struct err *err)
{
	int r = set_way(registry, way, err);

	return r < 0 ? r : ping(registry, err);
}

/*
 * Two ways. A server that does not know TLS may take a TLS hello for the begin
 * of a request, and wait for the rest of it: so the second way is tried beside
 * the first, unless that has answered soon.
 */
static int try_both(struct registry *registry, const struct way ways[WAYS_MAX],
    struct err *err)
{
	CLEANUP(probe_free_p) struct probe *probe = NULL;
	struct http_tls tls;
	struct err first = ERR_INIT, second = ERR_INIT;
	int r = set_way(registry, &ways[0], err);

	if (r < 0)
		return r;
	tls = registry->tls;
	probe = probe_start(registry->http, registry->root, &tls, err);
	if (!probe)
		return -err->code;
	if (!probe_wait(probe, HEAD_START)) {
		if (try_way(registry, &ways[1], &second) == 0)
			return 0;
	}
	r = take(registry, &ways[0], steal(&probe), &first);
	if (r == 0)
		return 0;
	if (!is_other_protocol(first.code)) {
		*err = first;
		return second.code
			   ? err_wrap(err, "%s; and with TLS", second.msg)
			   : r;
	}
	if (second.code == 0)
		return try_way(registry, &ways[1], err);
	*err = second;
	return -err->code;
}

/* One way after the other. */
static int try_ways(struct registry *registry, const struct way *ways,
    size_t count, struct err *err)
{
	struct err failure = ERR_INIT;
	int r = -EPROTO;

	for (size_t i = 0; i < count; i++) {
		r = try_way(registry, &ways[i], &failure);
		if (r == 0)
			return 0;
		if (!is_other_protocol(failure.code))
			break;
	}
	*err = failure;
	return r;
}

static int settle(struct registry *registry, struct err *err)
{
	const struct address *address = &registry->address;
	struct way ways[WAYS_MAX];
	size_t count = choose_ways(address, registry->insecure, ways);
	int r;

	r = count == 2 && address->loopback
		? try_both(registry, ways, err)
		: try_ways(registry, ways, count, err);
	/* Nothing was answered that could have refused anything. */
	if (r == -EACCES && err->http == 0)
		return asks_for_certificate(registry, err);
	if (r == -EPROTO && !registry->insecure)
		err_wrap(err,
		    "%s cannot be trusted (the option insecure would do so)",
		    address->host);
	if (r == -ETIMEDOUT && address->loopback && count == 1 &&
	    !ways[0].plain)
		err_wrap(err,
		    "%s does not answer with TLS (without it the address is "
		    "http://%s)",
		    address->host, address->host);
	return r;
}

int registry_open(struct http *http, struct creds *creds,
    const struct registry_options *options, struct registry **out,
    struct err *err)
{
	CLEANUP(registry_close_p)
	struct registry *registry = calloc(1, sizeof(*registry));
	AUTO_BUF struct buf hosts = hosts_read();
	int r;

	if (!registry)
		return err_nomem(err);
	registry->http = http;
	registry->creds = creds;
	registry->insecure = options->insecure;
	registry->lister = options->lister;
	registry->path = strdup(options->path ? options->path : "");
	if (!registry->path)
		return err_nomem(err);
	grants_init(&registry->grants);
	limits_init(&registry->limits);
	facts_init(&registry->facts);
	r = address_parse(&registry->address, options->address, err);
	if (r == 0)
		registry->address.loopback |=
		    hosts_loopback(buf_str(&hosts), registry->address.server);
	if (r == 0)
		r = options->ca_files || options->cert_file
			? certs_take(options->ca_files, options->cert_file,
			      options->key_file, &registry->certs, err)
			: certs_find(registry->address.host, &registry->certs,
			      err);
	if (r == 0)
		r = settle(registry, err);
	if (r == 0)
		*out = steal(&registry);
	return r;
}

int registry_parse_host(const char *text, char **out, struct err *err)
{
	struct address address;
	int r = address_parse(&address, text, err);

	if (r < 0)
		return r;
	*out = strdup(address.host);
	return *out ? 0 : err_nomem(err);
}

void registry_close(struct registry *registry)
{
	if (!registry)
		return;
	grants_release(&registry->grants);
	limits_release(&registry->limits);
	facts_release(&registry->facts);
	certs_release(&registry->certs);
	free(registry->path);
	free(registry->origin);
	free(registry->root);
	free(registry);
}

int registry_reference(const struct registry *registry, const char *repository,
    struct reference *out, struct err *err)
{
	bool plain = strncmp(registry->origin, "http:", 5) == 0;

	return address_reference(&registry->address, plain, repository, out,
	    err);
}

int registry_address_reference(const char *text, const char *repository,
    struct reference *out, struct err *err)
{
	struct address address;
	int r = address_parse(&address, text, err);

	return r < 0
		   ? r
		   : address_reference(&address, address.scheme == ADDRESS_HTTP,
			 repository, out, err);
}

int registry_address_host(const char *text, char out[REFERENCE_HOST_MAX + 1],
    struct err *err)
{
	struct address address;
	int r = address_parse(&address, text, err);

	if (r < 0)
		return r;
	memcpy(out, address.host, sizeof(address.host));
	if (address.hub)
		memcpy(out, REFERENCE_HUB, sizeof(REFERENCE_HUB));
	return 0;
}

struct source_limit registry_limit(struct registry *registry)
{
	return limits_get(&registry->limits);
}
