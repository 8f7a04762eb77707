/* SPDX-License-Identifier: Apache-2.0 */
/* Registries behind routes. */
#include "backend.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/lock.h"
#include "base/log.h"
#include "registry/source.h"

/* Whether two places are one as far as a connection goes. */
static bool is_same(const struct backend *backend, const char *address,
    bool insecure, const struct endpoint *endpoint)
{
	const struct endpoint_trust *a = backend->trust, *b = endpoint->trust;

	return strcmp(backend->address, address) == 0 &&
	       strcmp(backend->path, endpoint->path) == 0 &&
	       backend->insecure == insecure &&
	       (a == b || (!a->ca_files && !b->ca_files && !a->cert_file &&
			      !b->cert_file));
}

static void backend_free(struct backend *backend)
{
	if (backend->source)
		source_close(backend->source);
	pthread_mutex_destroy(&backend->lock);
	free(backend->address);
	free(backend);
}

DEFINE_CLEANUP(struct backend *, backend_free);

static struct backend *backend_new(const struct backends *backends,
    const char *address, bool insecure, const struct endpoint *endpoint,
    struct err *err)
{
	const struct endpoint_trust *trust = endpoint->trust;
	const struct registry_options options = {
	    .address = address,
	    .insecure = insecure,
	    .lister = backends->options.lister,
	    .path = endpoint->path,
	    .ca_files = (const char *const *)trust->ca_files,
	    .cert_file = trust->cert_file,
	    .key_file = trust->key_file,
	};
	CLEANUP(backend_free_p)
	struct backend *backend = calloc(1, sizeof(*backend));

	if (!backend) {
		err_nomem(err);
		return NULL;
	}
	pthread_mutex_init(&backend->lock, NULL);
	backend->path = endpoint->path;
	backend->trust = trust;
	backend->insecure = insecure;
	backend->address = strdup(address);
	if (!backend->address) {
		err_nomem(err);
		return NULL;
	}
	if (registry_source_later(backends->http, backends->creds, &options,
		&backend->source, err) < 0)
		return NULL;
	return steal(&backend);
}

struct backend *backends_get(struct backends *backends,
    const struct endpoint *endpoint, struct err *err)
{
	const struct routes_options *options = &backends->options;
	const bool own = strcmp(endpoint->address, backends->host) == 0;
	const char *address = own ? options->address : endpoint->address;
	const bool insecure =
	    endpoint->trust->insecure || (own && options->insecure);
	SCOPED_LOCK(&backends->lock);
	struct backend *backend = backends->first;

	while (backend && !is_same(backend, address, insecure, endpoint))
		backend = backend->next;
	if (backend)
		return backend;
	backend = backend_new(backends, address, insecure, endpoint, err);
	if (backend) {
		backend->next = backends->first;
		backends->first = backend;
	}
	return backend;
}

void backends_release(struct backends *backends)
{
	while (backends->first) {
		struct backend *backend = backends->first;

		backends->first = backend->next;
		backend_free(backend);
	}
	pthread_mutex_destroy(&backends->lock);
}

/* One asks whether it is back; the others do not wait for its answer. */
int backend_check(const struct backends *backends, struct backend *backend,
    struct err *err)
{
	SCOPED_LOCK(&backend->lock);

	if (backend->alone_until > clock_seconds())
		return err_set(err, EBUSY,
		    "%s has failed, and is left alone for a while",
		    backend->address);
	if (backend->alone_until > 0)
		backend->alone_until =
		    clock_seconds() + backends->options.pause;
	return 0;
}

/* Sets until when it is left alone: whether it was so far. */
static bool set_alone(struct backend *backend, int64_t until)
{
	SCOPED_LOCK(&backend->lock);
	bool was = backend->alone_until > 0;

	backend->alone_until = until;
	return was;
}

void backend_worked(struct backend *backend)
{
	if (set_alone(backend, 0))
		log_info("the mirror %s is back", backend->address);
}

void backend_failed(const struct backends *backends, struct backend *backend,
    const struct err *why)
{
	const unsigned pause = backends->options.pause;

	if (!set_alone(backend, clock_seconds() + pause))
		log_warn("the mirror %s is left alone until it answers, and "
			 "asked each %u seconds: %s",
		    backend->address, pause, why->msg);
}
