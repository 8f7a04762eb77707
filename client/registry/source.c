/* SPDX-License-Identifier: Apache-2.0 */
/* A registry as a source of images. */
#include "registry/source.h"

#include <stdlib.h>

enum { PIECE = 256 << 10 };

struct registry_source {
	struct source source;
	struct registry *registry;
};

static struct registry *registry_of(struct source *source)
{
	return ((struct registry_source *)source)->registry;
}

static void close_source(struct source *source)
{
	registry_close(registry_of(source));
	free(source);
}

static int reference(struct source *source, const char *repository,
    struct reference *out, struct err *err)
{
	return registry_reference(registry_of(source), repository, out, err);
}

static void limit(struct source *source, struct source_limit *out)
{
	*out = registry_limit(registry_of(source));
}

static bool lacks_login(struct source *source, const char *repository)
{
	return registry_lacks_login(registry_of(source), repository);
}

static int repositories(struct source *source, source_name_fn *each, void *arg,
    struct err *err)
{
	return registry_catalog(registry_of(source), each, arg, err);
}

static int pulls_through(struct source *source, const char *repository,
    struct err *err)
{
	return registry_pulls_through(registry_of(source), repository, err);
}

static int tags(struct source *source, const char *repository,
    source_name_fn *each, void *arg, struct err *err)
{
	return registry_tags(registry_of(source), repository, each, arg, err);
}

static int manifest_get(struct source *source, const char *repository,
    const char *ref, struct source_manifest *out, struct err *err)
{
	return registry_manifest_get(registry_of(source), repository, ref, out,
	    err);
}

static int manifest_head(struct source *source, const char *repository,
    const char *ref, struct digest *out, struct err *err)
{
	return registry_manifest_head(registry_of(source), repository, ref, out,
	    err);
}

static int manifest_look(struct source *source, const char *repository,
    const char *ref, struct digest *out, struct err *err)
{
	return registry_manifest_look(registry_of(source), repository, ref, out,
	    err);
}

static int manifest_put(struct source *source, const char *repository,
    const char *ref, const char *media_type, const void *data, size_t len,
    const struct digest *digest, struct err *err)
{
	return registry_manifest_put(registry_of(source), repository, ref,
	    media_type, data, len, digest, err);
}

static int manifest_delete(struct source *source, const char *repository,
    const char *ref, struct err *err)
{
	return registry_manifest_delete(registry_of(source), repository, ref,
	    err);
}

static int manifest_remove(struct source *source, const char *repository,
    const char *ref, struct err *err)
{
	return registry_manifest_remove(registry_of(source), repository, ref,
	    err);
}

static int referrers(struct source *source, const char *repository,
    const struct digest *digest, source_referrer_fn *each, void *arg,
    struct err *err)
{
	return registry_referrers(registry_of(source), repository, digest, each,
	    arg, err);
}

static int blob_read(struct source *source, const char *repository,
    const struct digest *digest, uint64_t offset, uint64_t len,
    struct sink *sink, struct err *err)
{
	CLEANUP(http_close_p) struct http_response *response = NULL;
	AUTO_FREE char *piece = malloc(PIECE);
	ssize_t n;
	int r;

	if (!piece)
		return err_nomem(err);
	r = registry_blob_open(registry_of(source), repository, digest, offset,
	    len, &response, err);
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
	return registry_blob_head(registry_of(source), repository, digest, size,
	    err);
}

static int blob_mount(struct source *source, const char *repository,
    const struct digest *digest, const char *from, struct err *err)
{
	return registry_blob_mount(registry_of(source), repository, digest,
	    from, err);
}

static int blob_put(struct source *source, const char *repository,
    const struct digest *digest, const struct payload *payload, struct err *err)
{
	return registry_blob_upload(registry_of(source), repository, digest,
	    payload, err);
}

static const struct source_ops registry_source_ops = {
    .close = close_source,
    .reference = reference,
    .limit = limit,
    .lacks_login = lacks_login,
    .repositories = repositories,
    .pulls_through = pulls_through,
    .tags = tags,
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

int registry_source(struct registry *registry, struct source **out,
    struct err *err)
{
	struct registry_source *source = malloc(sizeof(*source));

	if (!source) {
		registry_close(registry);
		return err_nomem(err);
	}
	*source = (struct registry_source){
	    .source = {.ops = &registry_source_ops,
		.name = registry_host(registry),
		.kind = "registry",
		.can = SOURCE_PUSHES | SOURCE_MOUNTS | SOURCE_DOCKER_TYPES},
	    .registry = registry,
	};
	*out = &source->source;
	return 0;
}
