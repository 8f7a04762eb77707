/* SPDX-License-Identifier: Apache-2.0 */
/* Manifests and configs, read through the store. */
#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/lock.h"
#include "catalog/away.h"
#include "image/images.h"
#include "image/layers.h"
#include "origin.h"

/* Indexes in indexes: real ones nest once. */
enum { INDEX_DEPTH_MAX = 4 };

struct image_lazy {
	atomic_uint refs;
	pthread_mutex_t lock;
	struct config *config; /* under lock until set, then constant */
};

/* Where the store gets a blob from: one repository of the registry. */
struct origin {
	struct source *source;
	char repository[];
};

enum { PLACE_SIZE = 256 }; /* of where a repository lies, in a message */

/*
 * Says of a refusal that it is about what something names (by: a manifest, the
 * tag), where the registry says that it does not have that. What else is not
 * found on the way (a credential helper) is nothing that it has lost.
 */
static int name_lost(struct source *source, const char *repository,
    const char *what, const struct digest *digest, const char *by, int code,
    struct err *err)
{
	const struct err refusal = *err;
	char text[DIGEST_TEXT_SIZE], place[PLACE_SIZE];

	if (refusal.code != ENOENT)
		return -refusal.code;
	if (!refusal.http) {
		err->code = EIO;
		return -EIO;
	}
	err_set(err, code,
	    "%s: the %s does not have %s %s, although %s names it: push the "
	    "image again (%s)",
	    source_place(source, repository, place, sizeof(place)),
	    source_kind(source), what, digest_format(digest, text), by,
	    refusal.msg);
	err->http = refusal.http;
	return -code;
}

static int origin_fetch(void *arg, const struct digest *digest, uint64_t offset,
    uint64_t len, struct sink *sink, struct err *err)
{
	struct origin *origin = arg;
	int r = source_blob_read(origin->source, origin->repository, digest,
	    offset, len, sink, err);

	return r < 0 ? name_lost(origin->source, origin->repository, "blob",
			   digest, "a manifest", ENOENT, err)
		     : 0;
}

static bool origin_wrong(void *arg, const struct digest *digest)
{
	struct origin *origin = arg;

	return source_blob_wrong(origin->source, origin->repository, digest);
}

static int origin_open(void *arg, const struct digest *digest, uint64_t size,
    struct err *err)
{
	const struct origin *origin = arg;

	return source_blob_file(origin->source, origin->repository, digest,
	    size, err);
}

static bool origin_same(const void *arg, const void *other)
{
	const struct origin *a = arg, *b = other;

	return a->source == b->source && !strcmp(a->repository, b->repository);
}

int origin_source(struct image *image, struct store_source *out,
    struct err *err)
{
	size_t len = strlen(image->repository) + 1;
	struct origin *origin = malloc(sizeof(*origin) + len);

	if (!origin)
		return err_nomem(err);
	origin->source = images_source(image->images);
	memcpy(origin->repository, image->repository, len);
	*out = (struct store_source){.fetch = origin_fetch,
	    .wrong = origin_wrong,
	    .open =
		source_can(origin->source, SOURCE_LOCAL) ? origin_open : NULL,
	    .release = free,
	    .arg = origin,
	    .same = origin_same};
	return 0;
}

int image_has_blob(const struct image *image,
    const struct descriptor *descriptor, struct err *err)
{
	return descriptor->has_urls
		   ? source_blob_head(images_source(image->images),
			 image->repository, &descriptor->digest,
			 descriptor->size, err)
		   : 1;
}

int image_blob(struct image *image, const struct descriptor *descriptor,
    struct blob **out, struct err *err)
{
	struct store_source source;
	int r = origin_source(image, &source, err);

	return r < 0
		   ? r
		   : store_get(images_store(image->images), &descriptor->digest,
			 descriptor->size, &source, out, err);
}

/* The manifest's bytes; *media_type is what the source called them, or "". */
static int image_fetch(struct images *images, const char *repository,
    const struct digest *digest, struct source_manifest *out, struct err *err)
{
	struct source *source = images_source(images);
	bool keep = !source_can(source, SOURCE_LOCAL);
	char text[DIGEST_TEXT_SIZE];
	int r = 0;

	out->body = BUF_INIT(MANIFEST_MAX_BYTES);
	if (keep)
		r = store_load(images_store(images), digest, &out->body, err);
	if (r != 0)
		return r < 0 ? r : 0;
	buf_release(&out->body);
	r = away_refuse(images, err);
	if (r < 0)
		return r;
	r = source_manifest_get(source, repository, digest_format(digest, text),
	    out, err);
	if (r < 0) {
		away_note_silence(images, r, err);
		return r;
	}
	/* A cache that cannot be written costs a request the next time. */
	if (keep)
		store_save(images_store(images), digest, out->body.data,
		    out->body.len, ERR_IGNORE);
	return 0;
}

static struct image *image_new(struct images *images, const char *repository,
    const struct digest *digest)
{
	struct image *image = calloc(1, sizeof(*image));

	if (!image)
		return NULL;
	image->images = images;
	image->digest = *digest;
	image->repository = strdup(repository);
	image->lazy = calloc(1, sizeof(*image->lazy));
	if (image->lazy) {
		atomic_init(&image->lazy->refs, 1);
		pthread_mutex_init(&image->lazy->lock, NULL);
	}
	if (!image->repository || !image->lazy) {
		image_put(image);
		return NULL;
	}
	return image;
}

int image_open(struct images *images, const char *repository,
    const struct digest *digest, struct image **out, struct err *err)
{
	CLEANUP(image_put_p)
	struct image *image = image_new(images, repository, digest);
	struct source_manifest fetched = {.body = BUF_INIT(0)};
	char text[DIGEST_TEXT_SIZE];
	int r;

	if (!image)
		return err_nomem(err);
	r = image_fetch(images, repository, digest, &fetched, err);
	image->len = fetched.body.len;
	if (r == 0 && !(image->data = buf_steal(&fetched.body)))
		r = err_nomem(err);
	buf_release(&fetched.body);
	if (r < 0)
		return r;
	r = manifest_parse(image->data, image->len,
	    *fetched.media_type ? fetched.media_type : NULL, &image->manifest,
	    err);
	if (r < 0)
		return err_wrap(err, "%s@%s", repository,
		    digest_format(digest, text));
	*out = steal(&image);
	return 0;
}

int image_open_named(struct images *images, const char *repository,
    const struct digest *digest, struct image **out, struct err *err)
{
	int r = image_open(images, repository, digest, out, err);

	return r < 0 ? name_lost(images_source(images), repository, "manifest",
			   digest, "a manifest", ENOLINK, err)
		     : 0;
}

int image_open_resolved(struct images *images, const char *repository,
    const char *tag, const struct digest *digest, struct image **out,
    struct err *err)
{
	struct source *source = images_source(images);
	struct err missing = ERR_INIT;
	struct digest now;
	int r = image_open(images, repository, digest, out, &missing);

	if (r != -ENOENT || !missing.http) {
		if (r < 0)
			*err = missing;
		return r;
	}
	r = source_manifest_look(source, repository, tag, &now, err);
	if (r < 0)
		return r;
	if (r == 1 && !digest_equal(&now, digest))
		return image_open_named(images, repository, &now, out, err);
	*err = missing;
	return r == 0 ? -ENOENT
		      : name_lost(source, repository, "manifest", digest,
			    "the tag", ENOLINK, err);
}

int image_open_tag(struct images *images, const char *repository,
    const char *tag, struct image **out, struct err *err)
{
	struct digest digest;
	int r = images_resolve(images, repository, tag, &digest, err);

	return r < 0 ? r
		     : image_open_resolved(images, repository, tag, &digest,
			   out, err);
}

int image_open_tag_now(struct images *images, const char *repository,
    const char *tag, struct image **out, struct err *err)
{
	struct digest digest;
	int r = source_manifest_look(images_source(images), repository, tag,
	    &digest, err);

	if (r == 0)
		return err_set(err, ENOENT, "%s:%s: no such tag", repository,
		    tag);
	return r < 0 ? r : image_open(images, repository, &digest, out, err);
}

struct image *image_get(struct image *image)
{
	atomic_fetch_add(&image->lazy->refs, 1);
	return image;
}

void image_put(struct image *image)
{
	if (!image)
		return;
	if (image->lazy) {
		if (atomic_fetch_sub(&image->lazy->refs, 1) > 1)
			return;
		if (image->lazy->config)
			config_free(image->lazy->config);
		pthread_mutex_destroy(&image->lazy->lock);
		free(image->lazy);
	}
	if (image->manifest)
		manifest_free(image->manifest);
	free(image->repository);
	free(image->data);
	free(image);
}

int image_reference(const struct image *image, const char *tag,
    struct reference *out, struct err *err)
{
	int r = source_reference(images_source(image->images),
	    image->repository, out, err);

	if (r == 0 && tag)
		snprintf(out->tag, sizeof(out->tag), "%s", tag);
	else if (r == 0)
		out->digest = image->digest;
	return r;
}

int image_platform(struct image *image, struct image **out, struct err *err)
{
	CLEANUP(image_put_p) struct image *at = image_get(image);
	char text[PLATFORM_TEXT_SIZE];

	for (int depth = 0; at->manifest->kind == MANIFEST_INDEX; depth++) {
		const struct platform *want =
		    &images_options(image->images)->platform;
		const struct descriptor *child =
		    manifest_select(at->manifest, want);
		struct image *next = NULL;
		int r;

		if (!child || depth == INDEX_DEPTH_MAX)
			return err_set(err, ENOENT, "%s: no image for %s",
			    image->repository,
			    platform_format(want, '/', text));
		r = image_open_named(image->images, image->repository,
		    &child->digest, &next, err);
		if (r < 0)
			return r;
		image_put(at);
		at = next;
	}
	*out = steal(&at);
	return 0;
}

int image_config_bytes(struct image *image, struct buf *out, struct err *err)
{
	const struct descriptor *descriptor = &image->manifest->config;
	CLEANUP(blob_put_p) struct blob *blob = NULL;
	ssize_t n;
	int r;

	if (descriptor->size > CONFIG_MAX_BYTES)
		return err_set(err, EFBIG,
		    "the config is too large (%llu bytes)",
		    (unsigned long long)descriptor->size);
	r = buf_reserve(out, (size_t)descriptor->size, err);
	if (r == 0)
		r = image_blob(image, descriptor, &blob, err);
	if (r < 0)
		return r;
	n = blob_read(blob, out->data + out->len, (size_t)descriptor->size, 0,
	    err);
	if (n < 0)
		return (int)n;
	out->len += (size_t)n;
	out->data[out->len] = '\0';
	return 0;
}

static int config_read(struct image *image, struct config **out,
    struct err *err)
{
	AUTO_BUF struct buf data = BUF_INIT(CONFIG_MAX_BYTES);
	int r = image_config_bytes(image, &data, err);

	return r < 0 ? r : config_parse(data.data, data.len, out, err);
}

int image_config(struct image *image, const struct config **out,
    struct err *err)
{
	struct image_lazy *lazy = image->lazy;
	struct config *config = NULL;
	bool first = false;
	int r;

	*out = NULL;
	if (!manifest_is_image(image->manifest))
		return 0;
	{
		SCOPED_LOCK(&lazy->lock);
		*out = lazy->config;
	}
	if (*out)
		return 0;
	r = config_read(image, &config, err);
	if (r < 0)
		return err_wrap(err, "%s: config", image->repository);
	{
		SCOPED_LOCK(&lazy->lock);
		first = !lazy->config;
		if (first)
			lazy->config = config;
		*out = lazy->config;
	}
	if (first)
		layers_learn_image(image, config);
	else
		config_free(config);
	return 0;
}
