/* SPDX-License-Identifier: Apache-2.0 */
/* Hands each call to the kind of source that it is. */
#include "source/source.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

void source_close(struct source *source)
{
	source->ops->close(source);
}

const char *source_name(const struct source *source)
{
	return source->name;
}

const char *source_place(const struct source *source, const char *repository,
    char *out, size_t size)
{
	size_t len = source->own ? strlen(source->own) : 0;

	if (len && strncmp(repository, source->own, len) == 0 &&
	    (!repository[len] || repository[len] == '/'))
		repository += len + (repository[len] == '/');
	snprintf(out, size, "%s%s%s", source->name, *repository ? "/" : "",
	    repository);
	return out;
}

const char *source_kind(const struct source *source)
{
	return source->kind;
}

bool source_can(const struct source *source, enum source_ability ability)
{
	return source->can & ability;
}

int source_reference(struct source *source, const char *repository,
    struct reference *out, struct err *err)
{
	return source->ops->reference(source, repository, out, err);
}

struct source_limit source_limit(struct source *source)
{
	struct source_limit limit = {.quota = {.at = 0}};

	if (source->ops->limit)
		source->ops->limit(source, &limit);
	return limit;
}

bool source_lacks_login(struct source *source, const char *repository)
{
	return source->ops->lacks_login &&
	       source->ops->lacks_login(source, repository);
}

int source_repositories(struct source *source, source_name_fn *each, void *arg,
    struct err *err)
{
	return source->ops->repositories(source, each, arg, err);
}

int source_repositories_below(struct source *source, const char *prefix,
    source_name_fn *each, void *arg, struct err *err)
{
	if (!source->ops->repositories_below) {
		err->code = EOPNOTSUPP;
		return -EOPNOTSUPP;
	}
	return source->ops->repositories_below(source, prefix, each, arg, err);
}

int source_pulls_through(struct source *source, const char *repository,
    struct err *err)
{
	return source->ops->pulls_through
		   ? source->ops->pulls_through(source, repository, err)
		   : 0;
}

int source_tags(struct source *source, const char *repository,
    source_name_fn *each, void *arg, struct err *err)
{
	return source->ops->tags(source, repository, each, arg, err);
}

int source_facts(struct source *source, const char *repository, const char *tag,
    unsigned age, source_fact_fn *each, void *arg, struct err *err)
{
	return source->ops->facts ? source->ops->facts(source, repository, tag,
					age, each, arg, err)
				  : 0;
}

static int unsupported(struct err *err)
{
	err->code = EOPNOTSUPP;
	return -EOPNOTSUPP;
}

int source_make(struct source *source, const char *repository, struct err *err)
{
	return source->ops->make ? source->ops->make(source, repository, err)
				 : unsupported(err);
}

int source_drop(struct source *source, const char *repository, struct err *err)
{
	return source->ops->drop ? source->ops->drop(source, repository, err)
				 : unsupported(err);
}

int source_search(struct source *source, const char *words,
    source_name_fn *each, void *arg, struct err *err)
{
	return source->ops->search
		   ? source->ops->search(source, words, each, arg, err)
		   : unsupported(err);
}

int source_manifest_get(struct source *source, const char *repository,
    const char *reference, struct source_manifest *out, struct err *err)
{
	return source->ops->manifest_get(source, repository, reference, out,
	    err);
}

int source_manifest_head(struct source *source, const char *repository,
    const char *reference, struct digest *out, struct err *err)
{
	return source->ops->manifest_head(source, repository, reference, out,
	    err);
}

int source_manifest_look(struct source *source, const char *repository,
    const char *reference, struct digest *out, struct err *err)
{
	return source->ops->manifest_look(source, repository, reference, out,
	    err);
}

int source_manifest_put(struct source *source, const char *repository,
    const char *reference, const char *media_type, const void *data, size_t len,
    const struct digest *digest, struct err *err)
{
	return source->ops->manifest_put(source, repository, reference,
	    media_type, data, len, digest, err);
}

int source_manifest_delete(struct source *source, const char *repository,
    const char *reference, struct err *err)
{
	return source->ops->manifest_delete(source, repository, reference, err);
}

int source_manifest_remove(struct source *source, const char *repository,
    const char *reference, struct err *err)
{
	return source->ops->manifest_remove(source, repository, reference, err);
}

int source_referrers(struct source *source, const char *repository,
    const struct digest *digest, source_referrer_fn *each, void *arg,
    struct err *err)
{
	return source->ops->referrers(source, repository, digest, each, arg,
	    err);
}

int source_blob_read(struct source *source, const char *repository,
    const struct digest *digest, uint64_t offset, uint64_t len,
    struct sink *sink, struct err *err)
{
	return source->ops->blob_read(source, repository, digest, offset, len,
	    sink, err);
}

bool source_blob_wrong(struct source *source, const char *repository,
    const struct digest *digest)
{
	return source->ops->blob_wrong &&
	       source->ops->blob_wrong(source, repository, digest);
}

int source_blob_file(struct source *source, const char *repository,
    const struct digest *digest, uint64_t size, struct err *err)
{
	if (!source->ops->blob_file)
		return err_set(err, EOPNOTSUPP,
		    "the blobs of %s are not on this machine", source->name);
	return source->ops->blob_file(source, repository, digest, size, err);
}

int source_blob_head(struct source *source, const char *repository,
    const struct digest *digest, uint64_t size, struct err *err)
{
	return source->ops->blob_head(source, repository, digest, size, err);
}

int source_blob_mount(struct source *source, const char *repository,
    const struct digest *digest, const char *from, struct err *err)
{
	return source->ops->blob_mount(source, repository, digest, from, err);
}

int source_blob_put(struct source *source, const char *repository,
    const struct digest *digest, const struct payload *payload, struct err *err)
{
	return source->ops->blob_put(source, repository, digest, payload, err);
}
