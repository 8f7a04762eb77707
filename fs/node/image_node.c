/* SPDX-License-Identifier: Apache-2.0 */
/* The nodes of image directories: their names, and the image that each is now.
 */
#include "image_node.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/container.h"
#include "base/file.h"
#include "base/lock.h"
#include "image_info.h"
#include "key.h"
#include "nodes.h"

struct image_node {
	struct node node;
	_Atomic(struct image_node_name *) name;
	struct digest digest; /* unset where it has a tag */
	bool dated; /* it is one image for ever, known from the start */
	pthread_mutex_t lock;
	struct image *image; /* what it last was; under lock */
};

static struct image_node *to_image(struct node *node)
{
	return container_of(node, struct image_node, node);
}

const struct image_node_name *image_node_name(const struct node *node)
{
	return atomic_load(
	    &container_of(node, const struct image_node, node)->name);
}

static void name_free(struct image_node_name *name)
{
	while (name) {
		struct image_node_name *before = name->before;

		free(name->repository);
		free(name->tag);
		free(name->names_before.key);
		free(name->names_before.name);
		free(name);
		name = before;
	}
}

/* source: its repository's. directory: its name in that. */
static struct image_node_name *name_new(struct mount_source *source,
    const char *directory, const char *repository, const char *tag)
{
	struct image_node_name *name = calloc(1, sizeof(*name));

	if (!name)
		return NULL;
	name->source = source;
	name->repository = strdup(repository);
	name->tag = tag ? strdup(tag) : NULL;
	name->plain = tag && strcmp(directory, tag) == 0;
	if (name->repository && (!tag || name->tag))
		return name;
	name_free(name);
	return NULL;
}

uint64_t image_node_number(const struct node *dir, const char *name)
{
	return key_number(NODE_IMAGE, key_of_tag(dir, name));
}

int image_node_move(struct node *node, struct node *dir, const char *name,
    const char *repository, const char *tag, struct err *err)
{
	struct image_node *self = to_image(node);
	struct image_node_name *made =
	    name_new(dir->source, name, repository, tag);
	struct node_names names = {key_of_tag(dir, name), strdup(name)};

	if (!made || !names.key || !names.name) {
		name_free(made);
		free(names.key);
		free(names.name);
		return err_nomem(err);
	}
	made->before = atomic_load(&self->name);
	made->names_before = node_move(node, dir, names);
	atomic_store(&self->name, made);
	atomic_store(&node->source, dir->source);
	return 0;
}

/* What a new node is of. */
struct making {
	struct mount_source *source;
	const char *directory; /* its name */
	const char *repository;
	const char *tag;             /* NULL: it is one image for ever */
	const struct digest *digest; /* which; NULL: the tag says it */
	struct image *image;         /* if it was read; NULL */
};

/* A node that has no place yet; NULL: out of memory. */
static struct image_node *node_new(const struct making *making)
{
	struct image_node *made = calloc(1, sizeof(*made));

	if (!made)
		return NULL;
	if (making->digest)
		made->digest = *making->digest;
	pthread_mutex_init(&made->lock, NULL);
	atomic_init(&made->name, name_new(making->source, making->directory,
				     making->repository, making->tag));
	made->image = making->image ? image_get(making->image) : NULL;
	made->dated = making->image != NULL;
	return made;
}

/* What is below a tag is looked up each time: it is the tag's as it stands now,
 * at once, for every process. */
static double names_ttl(const struct making *making)
{
	return making->tag ? 0 : TTL_FOREVER;
}

static double attr_ttl(const struct making *making)
{
	return making->tag ? making->source->tag_ttl : TTL_FOREVER;
}

static bool has_name(struct image_node *made, struct err *err)
{
	if (atomic_load(&made->name))
		return true;
	node_discard(&made->node);
	err_nomem(err);
	return false;
}

static int add(struct node *parent, const struct making *making,
    struct node **out, struct err *err)
{
	struct image_node *made = node_new(making);

	if (!made)
		return err_nomem(err);
	node_init_in(&made->node, parent, making->directory, NODE_IMAGE,
	    making->digest
		? key_of_part(parent, making->directory, making->digest)
		: key_of_tag(parent, making->directory),
	    names_ttl(making), attr_ttl(making));
	if (!has_name(made, err))
		return -err->code;
	*out = node_add(parent->mount->nodes, &made->node, err);
	return *out ? 0 : -err->code;
}

int image_node_root(struct mount_source *source, const char *repository,
    const char *tag, const struct digest *digest, struct node **out,
    struct err *err)
{
	const struct making making = {.source = source,
	    .directory = "",
	    .repository = repository,
	    .tag = tag,
	    .digest = tag ? NULL : digest};
	struct image_node *made = node_new(&making);
	char text[DIGEST_TEXT_SIZE];

	if (!made)
		return err_nomem(err);
	node_init(&made->node, source, NODE_IMAGE,
	    key_of_root_image(source, repository,
		tag ? tag : digest_format(digest, text)),
	    names_ttl(&making), attr_ttl(&making));
	if (!has_name(made, err))
		return -err->code;
	*out = node_add_root(source->mount->nodes, &made->node, err);
	return *out ? 0 : -err->code;
}

int image_node_tag(struct node *parent, const char *name,
    const char *repository, const char *tag, struct node **out, struct err *err)
{
	return add(parent,
	    &(struct making){.source = parent->source,
		.directory = name,
		.repository = repository,
		.tag = tag},
	    out, err);
}

int image_node_fixed(struct node *parent, const char *name, struct image *image,
    struct node **out, struct err *err)
{
	return add(parent,
	    &(struct making){.source = parent->source,
		.directory = name,
		.repository = image->repository,
		.digest = &image->digest,
		.image = image},
	    out, err);
}

int image_node_digest(struct node *parent, const char *name,
    const char *repository, const struct digest *digest, struct node **out,
    struct err *err)
{
	return add(parent,
	    &(struct making){.source = parent->source,
		.directory = name,
		.repository = repository,
		.digest = digest},
	    out, err);
}

void image_node_free(struct node *node)
{
	struct image_node *self = to_image(node);

	image_put(self->image);
	pthread_mutex_destroy(&self->lock);
	name_free(atomic_load(&self->name));
	free(self);
}

static struct image *image_last(struct image_node *self)
{
	SCOPED_LOCK(&self->lock);
	return self->image ? image_get(self->image) : NULL;
}

static void image_remember(struct image_node *self, struct image *image)
{
	struct image *before;

	{
		SCOPED_LOCK(&self->lock);
		before = self->image;
		self->image = image_get(image);
	}
	image_put(before);
}

/* A tag that is moved takes its node along, also to another repository or
 * source. */
static bool is_image(const struct image *image,
    const struct image_node_name *name, const struct digest *digest)
{
	return image && digest_equal(&image->digest, digest) &&
	       image->images == name->source->images &&
	       !strcmp(image->repository, name->repository);
}

int image_node_image(struct node *node, struct image **out, struct err *err)
{
	struct image_node *self = to_image(node);
	CLEANUP(image_put_p) struct image *last = image_last(self);
	const struct image_node_name *name = atomic_load(&self->name);
	struct images *images = name->source->images;
	struct digest digest = self->digest;
	int r = 0;

	if (name->tag)
		r = images_resolve(images, name->repository, name->tag, &digest,
		    err);
	if (r == 0 && !is_image(last, name, &digest)) {
		image_put(last);
		last = NULL;
		/* What refers to an image is listed. */
		r = name->tag ? image_open_resolved(images, name->repository,
				    name->tag, &digest, &last, err)
			      : image_open_named(images, name->repository,
				    &digest, &last, err);
		if (r == 0)
			image_remember(self, last);
	}
	if (r == 0)
		*out = steal(&last);
	return r;
}

/*
 * All tags have the mount's time, and so have referrers: the registry's list
 * does not say theirs, to ask for 5,000 of them is too much, and a time that
 * appears when somebody looks would make `ls -t` name the wrong ones. None of
 * them is old by that time, which `find -mtime` would remove.
 */
int image_node_stat(struct node *node, struct stat *out, struct err *err)
{
	const struct image_node *self = to_image(node);

	(void)err;
	mount_stat_dir(node->mount, node, out);
	if (self->dated)
		image_stat_time(node, self->image, out);
	return 0;
}
