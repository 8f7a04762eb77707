/* SPDX-License-Identifier: Apache-2.0 */
/* Sources made, and taken apart. */
#include "sources.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/lock.h"
#include "mirror/mirror.h"
#include "tag/made.h"

enum {
	/* Seconds. To look at a file again costs next to nothing. */
	TAG_TTL_REMOTE = 10,
	TAG_TTL_LOCAL = 1,
};

struct owned_source {
	struct mount_source source; /* of which the name is owned */
	struct connection connection;
	struct owned_source *next;
};

struct mount_sources {
	struct mount *mount;
	struct mount_sources_options options;
	struct network network;
	struct mount_source top;
	pthread_mutex_t lock;
	struct owned_source *first; /* under lock */
};

struct mount_sources *mount_sources_new(struct mount *mount,
    const struct mount_sources_options *options, struct err *err)
{
	struct mount_sources *sources = calloc(1, sizeof(*sources));

	if (!sources) {
		err_nomem(err);
		return NULL;
	}
	sources->mount = mount;
	sources->options = *options;
	sources->network.options = &sources->options.connection;
	sources->top = (struct mount_source){.mount = mount,
	    .name = "",
	    .base = "",
	    .tag_ttl = TAG_TTL_LOCAL};
	pthread_mutex_init(&sources->lock, NULL);
	sources->top.made = made_new(err);
	sources->top.mirrors = mirrors_new(err);
	if (sources->top.made && sources->top.mirrors)
		return sources;
	mount_sources_free(sources);
	return NULL;
}

static void release_images(struct mount_source *source)
{
	if (source->made)
		made_free(source->made);
	if (source->mirrors)
		mirrors_free(source->mirrors);
	if (source->images)
		images_free(source->images);
	source->made = NULL;
	source->mirrors = NULL;
	source->images = NULL;
}

static void owned_free(struct owned_source *owned)
{
	release_images(&owned->source);
	connection_release(&owned->connection);
	free((char *)(uintptr_t)owned->source.name);
	free(owned);
}

DEFINE_CLEANUP(struct owned_source *, owned_free);

static unsigned fitting_ttl(const struct mount_sources *sources,
    const struct source *source)
{
	/* Nothing is younger: what was last seen is all that there is. */
	if (sources->options.connection.offline)
		return TAG_TTL_REMOTE;
	if (sources->options.tag_ttl != TAG_TTL_UNSET)
		return sources->options.tag_ttl;
	return source_can(source, SOURCE_LOCAL) ? TAG_TTL_LOCAL
						: TAG_TTL_REMOTE;
}

/* Its images, which the source is connected for. */
static int make_images(struct mount_sources *sources,
    struct owned_source *owned, struct err *err)
{
	struct mount_source *source = &owned->source;
	struct images_options images = sources->options.images;

	images.tag_ttl = fitting_ttl(sources, owned->connection.source);
	source->mount = sources->mount;
	source->tag_ttl = images.tag_ttl;
	source->base = owned->connection.base;
	source->image = owned->connection.image;
	source->made = made_new(err);
	if (!source->made)
		return -err->code;
	source->mirrors = mirrors_new(err);
	if (!source->mirrors)
		return -err->code;
	return images_new(owned->connection.source,
	    sources->mount->images_shared, &images, &source->images, err);
}

/* Takes it. -EEXIST where another source has its name. */
static int adopt(struct mount_sources *sources, struct owned_source *owned,
    struct err *err)
{
	SCOPED_LOCK(&sources->lock);
	if (mount_source_find(sources->mount, owned->source.name))
		return err_set(err, EEXIST, "two sources would be called %s",
		    owned->source.name);
	owned->next = sources->first;
	sources->first = owned;
	mount_source_add(&owned->source);
	return 0;
}

/* A directory at the mount point has repositories, or is one. */
static int check_whole(const struct owned_source *owned, struct err *err)
{
	if (!*owned->source.name || !owned->source.image)
		return 0;
	return err_set(err, EINVAL,
	    "an image is mounted alone: mount its repository beside others");
}

/* name: of its directory. later: a registry is not opened yet. */
static int open_source(struct mount_sources *sources, const char *text,
    const char *name, bool later, struct mount_source **out, struct err *err)
{
	CLEANUP(owned_free_p)
	struct owned_source *owned = calloc(1, sizeof(*owned));
	int r;

	if (!owned)
		return err_nomem(err);
	owned->source.name = strdup(name);
	if (!owned->source.name)
		return err_nomem(err);
	r = later ? connection_open_later(&sources->network, text,
			&owned->connection, err)
		  : connection_open(&sources->network, text, &owned->connection,
			err);
	if (r == 0)
		r = make_images(sources, owned, err);
	if (r == 0)
		r = check_whole(owned, err);
	if (r == 0)
		r = adopt(sources, owned, err);
	if (r == 0)
		*out = &steal(&owned)->source;
	return r;
}

int mount_sources_open_only(struct mount_sources *sources, const char *text,
    struct mount_source **out, struct err *err)
{
	/* One that is not asked need not be there. */
	return open_source(sources, text, "",
	    sources->options.connection.offline, out, err);
}

/* The last component of a directory, or a registry's host: a new string. */
static char *directory_name(const char *text)
{
	const char *scheme = strstr(text, "://");
	const char *slash = strrchr(text, '/');

	if (connection_is_on_disk(text))
		return strdup(
		    slash && slash[1] ? slash + 1 : strchr(text, ':') + 1);
	text = scheme ? scheme + 3 : text;
	return strndup(text, strcspn(text, "/"));
}

int mount_sources_add(struct mount_sources *sources, const char *text,
    struct err *err)
{
	AUTO_FREE char *name = directory_name(text);
	struct mount_source *source;
	int r = name ? open_source(sources, text, name, true, &source, err)
		     : err_nomem(err);

	return r < 0 ? err_wrap(err, "%s", text) : 0;
}

int mount_sources_add_host(struct mount_sources *sources, const char *host,
    bool known, struct mount_source **out, struct err *err)
{
	int r = open_source(sources, host, host, known, out, err);

	if (r != -EEXIST)
		return r < 0 ? r : 1;
	*out = mount_source_find(sources->mount, host);
	return 1;
}

struct mount_source *mount_sources_top(struct mount_sources *sources)
{
	return &sources->top;
}

int mount_sources_start_network(struct mount_sources *sources, struct err *err)
{
	return network_start(&sources->network, err);
}

struct http *mount_sources_http(const struct mount_sources *sources)
{
	return sources->network.http;
}

struct creds *mount_sources_creds(const struct mount_sources *sources)
{
	return sources->network.creds;
}

void mount_sources_cut(const struct mount_sources *sources)
{
	network_cut(&sources->network);
}

void mount_sources_complete(struct mount_sources *sources)
{
	struct mount_source *source = mount_source_first(sources->mount);

	for (; source; source = source->next)
		completer_wait(images_completer(source->images));
}

void mount_sources_end(struct mount_sources *sources)
{
	struct mount_source *source = mount_source_first(sources->mount);

	for (; source; source = source->next)
		mirrors_end(source);
}

void mount_sources_release_images(struct mount_sources *sources)
{
	for (struct owned_source *owned = sources->first; owned;
	     owned = owned->next)
		release_images(&owned->source);
}

void mount_sources_free(struct mount_sources *sources)
{
	while (sources->first) {
		struct owned_source *owned = sources->first;

		sources->first = owned->next;
		owned_free(owned);
	}
	release_images(&sources->top);
	network_release(&sources->network);
	pthread_mutex_destroy(&sources->lock);
	free(sources);
}
