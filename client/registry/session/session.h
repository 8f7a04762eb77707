/* SPDX-License-Identifier: Apache-2.0 */
/* A registry that is being talked to, as the parts of this library share it. */
#ifndef CLIENT_REGISTRY_SESSION_H
#define CLIENT_REGISTRY_SESSION_H

#include <stdatomic.h>
#include <stdbool.h>

#include "address.h"
#include "certs.h"
#include "challenge.h"
#include "facts.h"
#include "grants.h"
#include "http/http.h"
#include "limits.h"
#include "registry/registry.h"

/* Constant once open, but for the last six, which many threads may touch. */
struct registry {
	struct http *http;   /* borrowed */
	struct creds *creds; /* borrowed */
	struct address address;
	char *path;         /* before the API's own, or "" */
	char *origin;       /* "https://HOST" */
	char *root;         /* that with the path */
	bool insecure;      /* the user waives the proof of who answers */
	const char *lister; /* that lists it, or NULL; borrowed */
	struct certs certs;
	struct http_tls tls;          /* for the origin */
	struct http_tls tls_abroad;   /* for other hosts */
	struct challenges challenges; /* of GET /v2/ */
	struct grants grants;
	struct limits limits;
	struct facts facts;
	atomic_bool uploads_by_patch; /* what this registry was found to need */
	atomic_bool lists_referrers;  /* it has done so */
	atomic_bool lister_refused;   /* which has been said */
};

/*
 * Whether a url that the registry names may be used: it may lead to plain HTTP
 * only where the registry itself is plain, or where the user does not mind.
 * 0 or -EPROTO with a sentence.
 */
int session_check_url(const struct registry *registry, const char *url,
    struct err *err);

/* How the host of a url is to be trusted. */
const struct http_tls *session_trust(const struct registry *registry,
    const char *url);

/* The path and query of a url, on the registry's own origin: a new string, NULL
 * when out of memory. */
char *session_own_url(const struct registry *registry, const char *url);

/*
 * Where a Location in the answer of base leads, in *out. Proxies make
 * registries lose their port or scheme: on the same host those are put back.
 * -EINVAL, -EPROTO.
 */
int session_location(const struct registry *registry, const char *base,
    const char *location, char **out, struct err *err);

#endif
