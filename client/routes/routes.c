/* SPDX-License-Identifier: Apache-2.0 */
/* The source: what is read and listed is led, what is written is not. */
#include "routes/routes.h"

#include <errno.h>
#include <string.h>

#include "base/lock.h"
#include "base/log.h"
#include "lists.h"
#include "reads.h"
#include "registry/source.h"

static struct routes *routes_of(struct source *source)
{
	return (struct routes *)source;
}

static void close_source(struct source *source)
{
	struct routes *routes = routes_of(source);

	backends_release(&routes->backends);
	if (routes->registries)
		registries_close(routes->registries);
	map_release(&routes->written);
	pthread_mutex_destroy(&routes->lock);
	free(routes->address);
	free(routes->repository);
	free(routes->host);
	free(routes);
}

static int reference(struct source *source, const char *repository,
    struct reference *out, struct err *err)
{
	return registry_address_reference(routes_of(source)->address,
	    repository, out, err);
}

/* The registry's own source, as long as the routes; NULL where it was not asked
 * yet. */
static struct source *own_source(struct routes *routes)
{
	SCOPED_LOCK(&routes->backends.lock);

	for (struct backend *each = routes->backends.first; each;
	     each = each->next)
		if (strcmp(each->address, routes->address) == 0 && each->source)
			return each->source;
	return NULL;
}

static void limit(struct source *source, struct source_limit *out)
{
	struct source *own = own_source(routes_of(source));

	if (own)
		*out = source_limit(own);
}

static bool lacks_login(struct source *source, const char *repository)
{
	struct source *own = own_source(routes_of(source));

	return own && source_lacks_login(own, repository);
}

/* A call that goes to the registry. */
struct write_args {
	const char *reference, *media_type, *from;
	const void *data;
	size_t len;
	uint64_t size;
	const struct digest *digest;
	const struct payload *payload;
};

static int pulls_through_step(const struct walk_step *step, void *arg,
    struct err *err)
{
	(void)arg;
	return source_pulls_through(step->source, step->repository, err);
}

static int pulls_through(struct source *source, const char *repository,
    struct err *err)
{
	return walk_write(routes_of(source), repository, NULL,
	    pulls_through_step, NULL, err);
}

/* What changes a repository; -EIO: it is not known whether it was changed. */
static int write_manifest(struct source *source, const char *repository,
    walk_fn *fn, struct write_args *args, struct err *err)
{
	struct routes *routes = routes_of(source);
	int r = walk_write(routes, repository, args->reference, fn, args, err);

	if (r >= 0 || r == -EIO)
		walk_wrote(routes, repository);
	return r;
}

static int put_step(const struct walk_step *step, void *arg, struct err *err)
{
	const struct write_args *args = arg;

	return source_manifest_put(step->source, step->repository,
	    args->reference, args->media_type, args->data, args->len,
	    args->digest, err);
}

static int manifest_put(struct source *source, const char *repository,
    const char *ref, const char *media_type, const void *data, size_t len,
    const struct digest *digest, struct err *err)
{
	struct write_args args = {.reference = ref,
	    .media_type = media_type,
	    .data = data,
	    .len = len,
	    .digest = digest};

	return write_manifest(source, repository, put_step, &args, err);
}

static int delete_step(const struct walk_step *step, void *arg, struct err *err)
{
	const struct write_args *args = arg;

	return source_manifest_delete(step->source, step->repository,
	    args->reference, err);
}

static int manifest_delete(struct source *source, const char *repository,
    const char *ref, struct err *err)
{
	struct write_args args = {.reference = ref};

	return write_manifest(source, repository, delete_step, &args, err);
}

static int remove_step(const struct walk_step *step, void *arg, struct err *err)
{
	const struct write_args *args = arg;

	return source_manifest_remove(step->source, step->repository,
	    args->reference, err);
}

static int manifest_remove(struct source *source, const char *repository,
    const char *ref, struct err *err)
{
	struct write_args args = {.reference = ref};

	return write_manifest(source, repository, remove_step, &args, err);
}

static int make_step(const struct walk_step *step, void *arg, struct err *err)
{
	(void)arg;
	return source_make(step->source, step->repository, err);
}

static int make_repository(struct source *source, const char *repository,
    struct err *err)
{
	return walk_write(routes_of(source), repository, NULL, make_step, NULL,
	    err);
}

static int drop_step(const struct walk_step *step, void *arg, struct err *err)
{
	(void)arg;
	return source_drop(step->source, step->repository, err);
}

static int drop_repository(struct source *source, const char *repository,
    struct err *err)
{
	return walk_write(routes_of(source), repository, NULL, drop_step, NULL,
	    err);
}

/* What the registry's own service says. */
struct fact_args {
	const char *tag;
	unsigned age;
	source_fact_fn *each;
	void *arg;
};

static int facts_step(const struct walk_step *step, void *arg, struct err *err)
{
	const struct fact_args *args = arg;

	return source_facts(step->source, step->repository, args->tag,
	    args->age, args->each, args->arg, err);
}

static int facts(struct source *source, const char *repository, const char *tag,
    unsigned age, source_fact_fn *each, void *arg, struct err *err)
{
	struct fact_args args = {tag, age, each, arg};

	return walk_write(routes_of(source), repository, NULL, facts_step,
	    &args, err);
}

static int head_step(const struct walk_step *step, void *arg, struct err *err)
{
	const struct write_args *args = arg;

	return source_blob_head(step->source, step->repository, args->digest,
	    args->size, err);
}

/* What is not there is pushed there: mirrors are not asked. */
static int blob_head(struct source *source, const char *repository,
    const struct digest *digest, uint64_t size, struct err *err)
{
	struct write_args args = {.digest = digest, .size = size};

	return walk_write(routes_of(source), repository, NULL, head_step, &args,
	    err);
}

static int mount_step(const struct walk_step *step, void *arg, struct err *err)
{
	const struct write_args *args = arg;

	return source_blob_mount(step->source, step->repository, args->digest,
	    args->from, err);
}

static int blob_mount(struct source *source, const char *repository,
    const struct digest *digest, const char *from, struct err *err)
{
	AUTO_FREE char *name = walk_name(routes_of(source), from);
	struct write_args args = {.digest = digest, .from = name};

	return name ? walk_write(routes_of(source), repository, NULL,
			  mount_step, &args, err)
		    : err_nomem(err);
}

static int blob_put_step(const struct walk_step *step, void *arg,
    struct err *err)
{
	const struct write_args *args = arg;

	return source_blob_put(step->source, step->repository, args->digest,
	    args->payload, err);
}

static int blob_put(struct source *source, const char *repository,
    const struct digest *digest, const struct payload *payload, struct err *err)
{
	struct write_args args = {.digest = digest, .payload = payload};

	return walk_write(routes_of(source), repository, NULL, blob_put_step,
	    &args, err);
}

static const struct source_ops routes_ops = {
    .close = close_source,
    .reference = reference,
    .limit = limit,
    .lacks_login = lacks_login,
    .repositories = lists_repositories,
    .repositories_below = lists_repositories_below,
    .facts = facts,
    .make = make_repository,
    .drop = drop_repository,
    .search = lists_search,
    .pulls_through = pulls_through,
    .tags = lists_tags,
    .manifest_get = reads_manifest_get,
    .manifest_head = reads_manifest_head,
    .manifest_look = reads_manifest_look,
    .manifest_put = manifest_put,
    .manifest_delete = manifest_delete,
    .manifest_remove = manifest_remove,
    .referrers = reads_referrers,
    .blob_read = reads_blob,
    .blob_wrong = reads_blob_wrong,
    .blob_head = blob_head,
    .blob_mount = blob_mount,
    .blob_put = blob_put,
};

static int reach_step(const struct walk_step *step, void *arg, struct err *err)
{
	(void)arg;
	return registry_source_reach(step->source, err);
}

/* The registry, or where it cannot be reached a mirror. */
static int reach(struct routes *routes, struct err *err)
{
	return walk(routes, routes->repository, NULL, WALK_LISTS, reach_step,
	    NULL, err);
}

static int make(struct http *http, struct creds *creds,
    const struct routes_options *options, struct routes *routes,
    struct err *err)
{
	char host[REFERENCE_HOST_MAX + 1];
	int r;

	pthread_mutex_init(&routes->lock, NULL);
	pthread_mutex_init(&routes->backends.lock, NULL);
	routes->address = strdup(options->address);
	routes->repository =
	    strdup(options->repository ? options->repository : "");
	if (!routes->address || !routes->repository)
		return err_nomem(err);
	r = registry_address_host(options->address, host, err);
	if (r < 0)
		return r;
	routes->host = strdup(host);
	if (!routes->host)
		return err_nomem(err);
	routes->source = (struct source){.ops = &routes_ops,
	    .name = routes->host,
	    .kind = "registry",
	    .can = registry_source_abilities(options->address)};
	routes->backends.http = http;
	routes->backends.creds = creds;
	routes->backends.options = *options;
	routes->backends.options.address = routes->address;
	routes->backends.options.repository = routes->repository;
	routes->backends.host = routes->host;
	return registries_open(host, &routes->registries, err);
}

/* The mount goes on: a login is seen, and so is a logout, after which what is
 * public can be read. */
static void warn_of_login(struct registry *registry, const char *repository)
{
	struct err err = ERR_INIT;

	if (registry_check_login(registry,
		repository && *repository ? repository : NULL, &err) < 0)
		log_warn("%s", err.msg);
}

/* The registry's own source, where it is not led anywhere. */
static int take_own(const struct routes *routes, struct source **out,
    struct err *err)
{
	const struct backends *backends = &routes->backends;
	const struct registry_options options = {.address = routes->address,
	    .lister = backends->options.lister,
	    .insecure = backends->options.insecure ||
			registries_trust(routes->registries)->insecure};
	struct registry *registry;
	int r;

	if (backends->options.later)
		return registry_source_later(backends->http, backends->creds,
		    &options, out, err);
	r = registry_open(backends->http, backends->creds, &options, &registry,
	    err);
	if (r < 0)
		return r;
	warn_of_login(registry, routes->repository);
	return registry_source(registry, out, err);
}

bool routes_lister_known(const char *name)
{
	return registry_lister_known(name);
}

int routes_open(struct http *http, struct creds *creds,
    const struct routes_options *options, struct source **out, struct err *err)
{
	struct routes *routes = calloc(1, sizeof(*routes));
	bool led = false;
	int r;

	if (!routes)
		return err_nomem(err);
	r = make(http, creds, options, routes, err);
	if (r == 0) {
		led = registries_lead_away(routes->registries);
		r = !led             ? take_own(routes, out, err)
		    : options->later ? 0
				     : reach(routes, err);
	}
	if (led && r == 0)
		*out = &routes->source;
	else
		close_source(&routes->source);
	return r;
}
