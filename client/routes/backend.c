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
	backend = calloc(1, sizeof(*backend));
	if (backend && !(backend->address = strdup(address)))
		free(steal(&backend));
	if (!backend) {
		err_nomem(err);
		return NULL;
	}
	backend->path = endpoint->path;
	backend->trust = endpoint->trust;
	backend->insecure = insecure;
	monitor_init(&backend->monitor);
	backend->next = backends->first;
	backends->first = backend;
	return backend;
}

void backends_release(struct backends *backends)
{
	while (backends->first) {
		struct backend *backend = backends->first;

		backends->first = backend->next;
		if (backend->source)
			source_close(backend->source);
		monitor_release(&backend->monitor);
		free(backend->address);
		free(backend);
	}
	pthread_mutex_destroy(&backends->lock);
}

static int connect_it(struct backends *backends, const struct backend *backend,
    struct source **out, struct err *err)
{
	const struct endpoint_trust *trust = backend->trust;
	const struct registry_options options = {
	    .address = backend->address,
	    .insecure = backend->insecure,
	    .path = backend->path,
	    .ca_files = (const char *const *)trust->ca_files,
	    .cert_file = trust->cert_file,
	    .key_file = trust->key_file,
	};
	struct err login = ERR_INIT;
	struct registry *registry;
	int r = registry_open(backends->http, backends->creds, &options,
	    &registry, err);

	if (r < 0)
		return r;
	/* What is public can be read without a login that is refused. */
	if (registry_check_login(registry, NULL, &login) < 0)
		log_warn("%s", login.msg);
	return registry_source(registry, out, err);
}

/* In the monitor. One asks whether a mirror is back; the others do not wait for
 * its answer. */
static int check_alone(const struct backends *backends, struct backend *backend,
    struct err *err)
{
	if (backend->alone_until > clock_seconds())
		return err_set(err, EBUSY,
		    "%s has failed, and is left alone for a while",
		    backend->address);
	if (backend->alone_until > 0)
		backend->alone_until =
		    clock_seconds() + backends->options.pause;
	return 0;
}

/* In the monitor, which it leaves meanwhile. */
static int open_once(struct backends *backends, struct backend *backend,
    struct err *err)
{
	struct source *source = NULL;
	int r = turn_wait(&backend->opening, &backend->monitor, err);

	if (r < 0 || backend->source)
		return r;
	turn_take(&backend->opening, 0);
	monitor_leave(&backend->monitor);
	r = connect_it(backends, backend, &source, err);
	monitor_enter(&backend->monitor);
	backend->source = source;
	turn_end(&backend->opening, &backend->monitor, r < 0 ? err : NULL);
	return r;
}

int backend_open(struct backends *backends, struct backend *backend,
    bool mirror, struct source **out, struct err *err)
{
	int r = 0;

	monitor_enter(&backend->monitor);
	if (mirror)
		r = check_alone(backends, backend, err);
	if (r == 0)
		r = open_once(backends, backend, err);
	*out = backend->source;
	monitor_leave(&backend->monitor);
	return r;
}

void backend_worked(struct backend *backend)
{
	bool back;

	monitor_enter(&backend->monitor);
	back = backend->alone_until > 0;
	backend->alone_until = 0;
	monitor_leave(&backend->monitor);
	if (back)
		log_info("the mirror %s is back", backend->address);
}

void backend_failed(struct backends *backends, struct backend *backend,
    const struct err *why)
{
	bool first;

	monitor_enter(&backend->monitor);
	first = backend->alone_until == 0;
	backend->alone_until = clock_seconds() + backends->options.pause;
	monitor_leave(&backend->monitor);
	if (first)
		log_warn("the mirror %s is left alone until it answers, and "
			 "asked each %u seconds: %s",
		    backend->address, backends->options.pause, why->msg);
}
