/* SPDX-License-Identifier: Apache-2.0 */
/* A registry as a source of images. */
#include "registry/source.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/container.h"
#include "opening.h"
#include "session/address.h"

enum { PIECE = 256 << 10 };

struct registry_source {
	struct source source;
	char *name;                /* that source has, or NULL */
	char *address;             /* of the opening */
	struct registry *registry; /* NULL: it is the opening's */
	struct opening *opening;
};

static struct registry_source *self_of(struct source *source)
{
	return container_of(source, struct registry_source, source);
}

static struct registry *registry_of(struct source *source, struct err *err)
{
	struct registry_source *self = self_of(source);

	return self->registry ? self->registry
			      : opening_get(self->opening, err);
}

/* NULL where it is not open yet. */
static struct registry *known_registry(struct source *source)
{
	struct registry_source *self = self_of(source);

	return self->registry ? self->registry : opening_known(self->opening);
}

static void close_source(struct source *source)
{
	struct registry_source *self = self_of(source);

	if (self->registry)
		registry_close(self->registry);
	opening_free(self->opening);
	free(self->name);
	free(self->address);
	free(self);
}

static int reference(struct source *source, const char *repository,
    struct reference *out, struct err *err)
{
	struct registry *registry = known_registry(source);

	return registry ? registry_reference(registry, repository, out, err)
			: registry_address_reference(self_of(source)->address,
			      repository, out, err);
}

static void limit(struct source *source, struct source_limit *out)
{
	struct registry *registry = known_registry(source);

	*out = registry ? registry_limit(registry) : (struct source_limit){0};
}

static bool lacks_login(struct source *source, const char *repository)
{
	struct registry *registry = known_registry(source);

	return registry && registry_lacks_login(registry, repository);
}

static int repositories(struct source *source, source_name_fn *each, void *arg,
    struct err *err)
{
	struct registry *registry = registry_of(source, err);

	if (!registry)
		return -err->code;
	return registry_list(registry, each, arg, err);
}

static int repositories_below(struct source *source, const char *prefix,
    source_name_fn *each, void *arg, struct err *err)
{
	struct registry *registry = registry_of(source, err);

	if (!registry)
		return -err->code;
	return registry_list_below(registry, prefix, each, arg, err);
}

static int pulls_through(struct source *source, const char *repository,
    struct err *err)
{
	struct registry *registry = registry_of(source, err);

	if (!registry)
		return -err->code;
	return registry_pulls_through(registry, repository, err);
}

static int tags(struct source *source, const char *repository,
    source_name_fn *each, void *arg, struct err *err)
{
	struct registry *registry = registry_of(source, err);

	if (!registry)
		return -err->code;
	return registry_tags(registry, repository, each, arg, err);
}

static int facts(struct source *source, const char *repository, const char *tag,
    unsigned age, source_fact_fn *each, void *arg, struct err *err)
{
	struct registry *registry = known_registry(source);

	return registry ? registry_facts(registry, repository, tag, age, each,
			      arg, err)
			: 0;
}

static int make(struct source *source, const char *repository, struct err *err)
{
	struct registry *registry = registry_of(source, err);

	return registry ? registry_make(registry, repository, err) : -err->code;
}

static int drop(struct source *source, const char *repository, struct err *err)
{
	struct registry *registry = registry_of(source, err);

	return registry ? registry_drop(registry, repository, err) : -err->code;
}

static int search(struct source *source, const char *words,
    source_name_fn *each, void *arg, struct err *err)
{
	struct registry *registry = registry_of(source, err);

	return registry ? registry_search(registry, words, each, arg, err)
			: -err->code;
}

/* A tag goes by the service's API, where the registry itself takes a manifest's
 * digest alone. */
static int untag(struct registry *registry, const char *repository,
    const char *ref, struct err *err)
{
	if (strchr(ref, ':')) {
		err->code = EOPNOTSUPP;
		return -EOPNOTSUPP;
	}
	return registry_untag(registry, repository, ref, err);
}

static int manifest_get(struct source *source, const char *repository,
    const char *ref, struct source_manifest *out, struct err *err)
{
	struct registry *registry = registry_of(source, err);

	if (!registry)
		return -err->code;
	return registry_manifest_get(registry, repository, ref, out, err);
}

static int manifest_head(struct source *source, const char *repository,
    const char *ref, struct digest *out, struct err *err)
{
	struct registry *registry = registry_of(source, err);

	if (!registry)
		return -err->code;
	return registry_manifest_head(registry, repository, ref, out, err);
}

static int manifest_look(struct source *source, const char *repository,
    const char *ref, struct digest *out, struct err *err)
{
	struct registry *registry = registry_of(source, err);

	if (!registry)
		return -err->code;
	return registry_manifest_look(registry, repository, ref, out, err);
}

static int manifest_put(struct source *source, const char *repository,
    const char *ref, const char *media_type, const void *data, size_t len,
    const struct digest *digest, struct err *err)
{
	struct registry *registry = registry_of(source, err);

	if (!registry)
		return -err->code;
	return registry_manifest_put(registry, repository, ref, media_type,
	    data, len, digest, err);
}

static int manifest_delete(struct source *source, const char *repository,
    const char *ref, struct err *err)
{
	struct registry *registry = registry_of(source, err);
	struct err no_api = ERR_INIT;
	int r;

	if (!registry)
		return -err->code;
	r = untag(registry, repository, ref, &no_api);
	if (r == -EOPNOTSUPP)
		return registry_manifest_delete(registry, repository, ref, err);
	*err = no_api;
	return r;
}

static int manifest_remove(struct source *source, const char *repository,
    const char *ref, struct err *err)
{
	struct registry *registry = registry_of(source, err);
	struct err no_api = ERR_INIT;
	int r;

	if (!registry)
		return -err->code;
	r = untag(registry, repository, ref, &no_api);
	if (r == -EOPNOTSUPP)
		return registry_manifest_remove(registry, repository, ref, err);
	*err = no_api;
	return r == -ENOENT ? 0 : r;
}

static int referrers(struct source *source, const char *repository,
    const struct digest *digest, source_referrer_fn *each, void *arg,
    struct err *err)
{
	struct registry *registry = registry_of(source, err);

	if (!registry)
		return -err->code;
	return registry_referrers(registry, repository, digest, each, arg, err);
}

static int blob_read(struct source *source, const char *repository,
    const struct digest *digest, uint64_t offset, uint64_t len,
    struct sink *sink, struct err *err)
{
	struct registry *registry = registry_of(source, err);
	CLEANUP(http_close_p) struct http_response *response = NULL;
	AUTO_FREE char *piece = NULL;
	ssize_t n;
	int r;

	if (!registry)
		return -err->code;
	piece = malloc(PIECE);
	if (!piece)
		return err_nomem(err);
	r = registry_blob_open(registry, repository, digest, offset, len,
	    &response, err);
	if (r < 0)
		return r;
	while ((n = http_read(response, piece, PIECE, err)) > 0) {
		r = sink_write(sink, piece, (size_t)n, err);
		if (r < 0)
			return r;
	}
	return (int)n;
}

static int blob_head(struct source *source, const char *repository,
    const struct digest *digest, uint64_t size, struct err *err)
{
	struct registry *registry = registry_of(source, err);

	if (!registry)
		return -err->code;
	return registry_blob_head(registry, repository, digest, size, err);
}

static int blob_mount(struct source *source, const char *repository,
    const struct digest *digest, const char *from, struct err *err)
{
	struct registry *registry = registry_of(source, err);

	if (!registry)
		return -err->code;
	return registry_blob_mount(registry, repository, digest, from, err);
}

static int blob_put(struct source *source, const char *repository,
    const struct digest *digest, const struct payload *payload, struct err *err)
{
	struct registry *registry = registry_of(source, err);

	if (!registry)
		return -err->code;
	return registry_blob_upload(registry, repository, digest, payload, err);
}

static const struct source_ops registry_source_ops = {
    .close = close_source,
    .reference = reference,
    .limit = limit,
    .lacks_login = lacks_login,
    .repositories = repositories,
    .repositories_below = repositories_below,
    .pulls_through = pulls_through,
    .tags = tags,
    .facts = facts,
    .make = make,
    .drop = drop,
    .search = search,
    .manifest_get = manifest_get,
    .manifest_head = manifest_head,
    .manifest_look = manifest_look,
    .manifest_put = manifest_put,
    .manifest_delete = manifest_delete,
    .manifest_remove = manifest_remove,
    .referrers = referrers,
    .blob_read = blob_read,
    .blob_head = blob_head,
    .blob_mount = blob_mount,
    .blob_put = blob_put,
};

/* Docker Hub has one level of namespaces. */
unsigned registry_source_abilities(const char *address)
{
	const unsigned can =
	    SOURCE_PUSHES | SOURCE_MOUNTS | SOURCE_DOCKER_TYPES;
	char host[REFERENCE_HOST_MAX + 1];

	return registry_address_host(address, host, ERR_IGNORE) == 0 &&
		       strcmp(host, REFERENCE_HUB) == 0
		   ? can | SOURCE_SEARCHES
		   : can | SOURCE_NESTS;
}

static struct registry_source *source_new(const char *name, const char *address)
{
	struct registry_source *self = calloc(1, sizeof(*self));

	if (!self)
		return NULL;
	self->source = (struct source){
	    .ops = &registry_source_ops,
	    .name = name,
	    .kind = "registry",
	    .can = registry_source_abilities(address),
	};
	return self;
}

int registry_source(struct registry *registry, struct source **out,
    struct err *err)
{
	const char *host = registry_host(registry);
	struct registry_source *self = source_new(host, host);

	if (!self) {
		registry_close(registry);
		return err_nomem(err);
	}
	self->registry = registry;
	*out = &self->source;
	return 0;
}

int registry_source_later(struct http *http, struct creds *creds,
    const struct registry_options *options, struct source **out,
    struct err *err)
{
	struct address address;
	struct registry_source *self;
	int r = address_parse(&address, options->address, err);

	if (r < 0)
		return r;
	self = source_new(NULL, options->address);
	if (!self)
		return err_nomem(err);
	self->name = strdup(address.host);
	self->address = strdup(options->address);
	self->source.name = self->name;
	self->opening = opening_new(http, creds, options, err);
	if (!self->name || !self->address || !self->opening) {
		close_source(&self->source);
		return err_nomem(err);
	}
	*out = &self->source;
	return 0;
}

int registry_source_reach(struct source *source, struct err *err)
{
	return registry_of(source, err) ? 0 : -err->code;
}
