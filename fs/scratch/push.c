/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A scratch directory becomes an image. As a tar it is pushed as any other, or
 * it is one more layer of the image that the link .base in it leads to.
 */
#include <assert.h>
#include <errno.h>
#include <string.h>

#include "base/container.h"
#include "base/log.h"
#include "image/change.h"
#include "local/tar.h"
#include "node/mount.h"
#include "node/nodes.h"
#include "node/walk.h"
#include "scratch.h"

static const char BASE[] = ".base";

struct spool_sink {
	struct sink sink;
	struct spool *spool;
	uint64_t size;
};

static int spool_sink_write(struct sink *sink, const void *data, size_t len,
    struct err *err)
{
	struct spool_sink *self = container_of(sink, struct spool_sink, sink);
	int r = spool_write(self->spool, data, len, self->size, err);

	self->size += len;
	return r;
}

/* The root of a whole tree is part of it; a layer on top of others leaves the
 * root as they have it. */
static int write_tar(const struct mount_source *source, struct local_inode *dir,
    bool is_top, struct spool *spool, struct err *err)
{
	struct spool_sink sink = {.sink = {spool_sink_write}, .spool = spool};
	int64_t epoch = images_options(source->images)->epoch;
	const struct local_tar_options options = {
	    .left_out = is_top ? BASE : NULL,
	    .with_root = !is_top,
	    .latest = epoch == EPOCH_NONE ? INT64_MAX : epoch,
	};

	return local_tar(dir, &options, &sink.sink, err);
}

static int push_whole(const struct tag_ref *to, struct spool *spool,
    struct err *err)
{
	CLEANUP(push_free_p) struct push *push = NULL;
	int r = push_new(to, spool, &push, err);

	if (r == 0)
		r = push_end(push, true, err);
	/* It ends with an end mark. */
	assert(r != 0);
	return r < 0 ? r : 0;
}

static int push_frozen(struct local_inode *dir, struct image *base,
    const char *name, const struct write_intent *intent, struct err *err)
{
	const struct mount_source *source = intent->source;
	const struct tag_ref to = {.images = source->images,
	    .repository = intent->repository,
	    .tag = intent->tag};
	CLEANUP(spool_free_p) struct spool *spool = NULL;
	int r = spool_new(source->mount->store, &spool, err);

	if (r == 0)
		r = write_tar(source, dir, base != NULL, spool, err);
	if (r < 0)
		return r;
	return base ? image_add_layer(base, &to, spool, name, err)
		    : push_whole(&to, spool, err);
}

/* That a name does not exist is not in the log otherwise. */
static void log_missing(const struct node *repository, const char *name,
    const char *target)
{
	AUTO_FREE char *above = node_path(repository);
	AUTO_FREE char *path = above ? node_path_in(above, name) : NULL;

	log_warn("%s/%s: the image %s does not exist", path ? path : name, BASE,
	    target);
}

/* The image that the link in the scratch directory of that name leads to: as
 * one types it beside the directory, or as `ln -r` counts, from inside. */
static int open_base(const struct node *repository, const char *name,
    const char *target, struct image **out, struct err *err)
{
	struct mount_source *source = repository->source;
	const char *from = repo_node_repository(repository);
	int r = walk_image(source, from, target, out, err);

	if (r < 0 && strncmp(target, "../", 3) == 0 &&
	    walk_image(source, from, target + 3, out, &(struct err)ERR_INIT) ==
		0)
		return 0;
	if (r == -ENOENT)
		log_missing(repository, name, target);
	return r < 0 ? err_wrap(err, "%s, a link to %s", BASE, target) : 0;
}

/* 1, or 0 if there is none. */
static int find_base(const struct node *repository, struct local_inode *dir,
    const char *name, struct image **out, struct err *err)
{
	CLEANUP(local_put_p) struct local_inode *link = NULL;
	int r = local_lookup(dir, BASE, &link, err);

	if (r == -ENOENT)
		return 0;
	if (r < 0)
		return r;
	if (!local_target(link))
		return err_set(err, EPERM,
		    "%s: must be a symbolic link to an image", BASE);
	r = open_base(repository, name, local_target(link), out, err);
	return r < 0 ? r : 1;
}

int scratch_push(struct node *repository, struct local_inode *above,
    const char *name, const struct write_intent *intent, struct err *err)
{
	CLEANUP(local_put_p) struct local_inode *dir = NULL;
	CLEANUP(image_put_p) struct image *base = NULL;
	int r = local_lookup(above, name, &dir, err);

	if (r == 0)
		r = find_base(repository, dir, name, &base, err);
	if (r < 0)
		return r;
	if (base && source_check_image(intent->source, base, err) < 0)
		return err_wrap(err, "%s", BASE);
	if (local_count(dir) == (uint64_t)r)
		return err_set(err, EPERM,
		    "the directory is empty; there is nothing to push");
	r = local_freeze(dir, err);
	if (r < 0)
		return r;
	r = push_frozen(dir, base, name, intent, err);
	if (r == 0)
		return local_remove_all(above, name, err);
	local_thaw(dir);
	return r;
}
