/* SPDX-License-Identifier: Apache-2.0 */
/* Which servers are asked, and in which order. */
#include "walk.h"

#include <errno.h>
#include <string.h>

#include "base/budget.h"
#include "base/lock.h"
#include "base/log.h"
#include "base/strf.h"

/* Of a route, who is asked in turn. */
struct walk_list {
	struct {
		const struct endpoint *endpoint;
		bool mirror;
	} * list;
	size_t count;
	const struct endpoint *registry; /* whose failure counts */
};

static void add(struct walk_list *candidates, const struct endpoint *endpoint,
    bool mirror)
{
	candidates->list[candidates->count].endpoint = endpoint;
	candidates->list[candidates->count++].mirror = mirror;
}

static void candidates_release(struct walk_list *candidates)
{
	free(candidates->list);
}

char *walk_name(const struct routes *routes, const char *repository)
{
	bool official = strcmp(routes->host, REFERENCE_HUB) == 0 &&
			!strchr(repository, '/');

	return strf("%s%s", official && *repository ? "library/" : "",
	    repository);
}

static bool is_written(struct routes *routes, const char *repository)
{
	SCOPED_LOCK(&routes->lock);

	return map_get(&routes->written, repository) != NULL;
}

void walk_wrote(struct routes *routes, const char *repository)
{
	AUTO_FREE char *name = walk_name(routes, repository);
	SCOPED_LOCK(&routes->lock);

	/* Without memory for it, mirrors are asked first as before. */
	if (name)
		map_put(&routes->written, name, routes);
}

/* Mirrors that are of use for it, or those that are not. */
static void add_mirrors(struct walk_list *candidates, const struct route *route,
    bool by_tag, bool of_use)
{
	for (size_t i = 0; i + 1 < route->count; i++) {
		const struct endpoint *mirror = &route->reads[i];

		if ((by_tag ? mirror->by_tag : mirror->by_digest) == of_use)
			add(candidates, mirror, true);
	}
}

static int choose(const struct route *route, enum walk_order order,
    bool written, struct walk_list *out, struct err *err)
{
	const struct endpoint *registry = &route->reads[route->count - 1];

	*out = (struct walk_list){.registry = registry};
	out->list = calloc(route->count + 1, sizeof(*out->list));
	if (!out->list)
		return err_nomem(err);
	if (written)
		add(out, &route->writes, false);
	if (order != WALK_LISTS)
		add_mirrors(out, route, order == WALK_BY_TAG, true);
	add(out, registry, false);
	if (order == WALK_LISTS)
		add_mirrors(out, route, true, true);
	/* What a tag there names may be nowhere else yet. */
	if (order == WALK_BY_DIGEST)
		add_mirrors(out, route, false, false);
	return 0;
}

/* Whether a failure says something of the server, and not of what was asked. */
static bool is_servers(const struct err *err)
{
	switch (err->code) {
	case EBADMSG:
	case ECONNREFUSED:
	case ECONNRESET:
	case EHOSTUNREACH:
	case EPROTO:
	case EPROTONOSUPPORT:
	case ETIMEDOUT:
		return true;
	default:
		return err->http == 429 || err->http >= 500;
	}
}

/* Whether a failure is no server's, so that another cannot help. */
static bool is_ours(const struct err *err)
{
	return err->code == EINTR || err->code == ESHUTDOWN ||
	       err->code == ENOMEM || err->code == ECANCELED;
}

static int ask(const struct endpoint *endpoint, struct backend *backend,
    bool mirror, walk_fn *fn, void *arg, struct err *err)
{
	const struct walk_step step = {.source = backend->source,
	    .repository = endpoint->repository,
	    .by = backend,
	    .mirror = mirror};

	return fn(&step, arg, err);
}

/* A mirror has one attempt: what is next has all the others. */
static int ask_mirror(struct routes *routes, const struct endpoint *endpoint,
    struct backend *backend, walk_fn *fn, void *arg, struct err *err)
{
	struct budget own, *outer;
	int r = backend_check(&routes->backends, backend, err);

	if (r < 0)
		return r;
	outer = budget_detour(&own);
	r = ask(endpoint, backend, true, fn, arg, err);
	budget_return(&own, outer);
	if (r < 0)
		log_debug(LOG_FETCH, "the mirror %s: %s", backend->address,
		    err->msg);
	if (r < 0 && is_servers(err))
		backend_failed(&routes->backends, backend, err);
	else if (r >= 0 || !is_ours(err))
		backend_worked(backend);
	return r;
}

static int blocked(const struct routes *routes, const char *repository,
    const struct route *route, struct err *err)
{
	return err_set(err, EPERM, "%s%s%s is blocked by %s", routes->host,
	    *repository ? "/" : "", repository, route->blocked_by);
}

static int ask_all(struct routes *routes, const struct walk_list *candidates,
    walk_fn *fn, void *arg, struct err *err)
{
	struct err failure = ERR_INIT;

	for (size_t i = 0; i < candidates->count; i++) {
		const struct endpoint *endpoint = candidates->list[i].endpoint;
		const bool mirror = candidates->list[i].mirror;
		struct err reason = ERR_INIT;
		struct backend *backend =
		    backends_get(&routes->backends, endpoint, err);
		int r;

		if (!backend)
			return -err->code;
		r = mirror ? ask_mirror(routes, endpoint, backend, fn, arg,
				 &reason)
			   : ask(endpoint, backend, false, fn, arg, &reason);
		if (r >= 0)
			return r;
		if (is_ours(&reason) || endpoint == candidates->registry)
			failure = reason;
		if (is_ours(&reason))
			break;
	}
	*err = failure;
	return -err->code;
}

int walk(struct routes *routes, const char *repository, const char *reference,
    enum walk_order order, walk_fn *fn, void *arg, struct err *err)
{
	CLEANUP(route_release) struct route route = {0};
	CLEANUP(candidates_release) struct walk_list candidates = {0};
	AUTO_FREE char *name = walk_name(routes, repository);
	int r = name ? registries_route(routes->registries, name, reference,
			   &route, err)
		     : err_nomem(err);

	if (r == 0 && route.blocked_by)
		return blocked(routes, name, &route, err);
	if (r == 0)
		r = choose(&route, order, is_written(routes, name), &candidates,
		    err);
	return r < 0 ? r : ask_all(routes, &candidates, fn, arg, err);
}

int walk_write(struct routes *routes, const char *repository,
    const char *reference, walk_fn *fn, void *arg, struct err *err)
{
	CLEANUP(route_release) struct route route = {0};
	AUTO_FREE char *name = walk_name(routes, repository);
	struct backend *backend;
	int r = name ? registries_route(routes->registries, name, reference,
			   &route, err)
		     : err_nomem(err);

	if (r < 0)
		return r;
	if (route.blocked_by)
		return blocked(routes, name, &route, err);
	backend = backends_get(&routes->backends, &route.writes, err);
	return backend ? ask(&route.writes, backend, false, fn, arg, err)
		       : -err->code;
}
