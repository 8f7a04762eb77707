/* SPDX-License-Identifier: Apache-2.0 */
/* A scratch directory becomes an image: as a tar it is pushed as any other. */
#include <assert.h>
#include <errno.h>
#include <string.h>

#include "image/push.h"
#include "local/tar.h"
#include "mount.h"
#include "scratch.h"

struct spool_sink {
	struct sink sink;
	struct spool *spool;
	uint64_t size;
};

static int spool_sink_write(struct sink *sink, const void *data, size_t len,
    struct err *err)
{
	struct spool_sink *self = (struct spool_sink *)(void *)sink;
	int r = spool_write(self->spool, data, len, self->size, err);

	self->size += len;
	return r;
}

static int write_tar(struct mount *mount, struct local_inode *dir,
    struct spool *spool, struct err *err)
{
	struct spool_sink sink = {.sink = {spool_sink_write}, .spool = spool};
	int64_t epoch = images_options(mount->images)->epoch;
	const struct local_tar_options options = {
	    .with_root = true,
	    .latest = epoch == EPOCH_NONE ? INT64_MAX : epoch,
	};

	return local_tar(dir, &options, &sink.sink, err);
}

static int push_frozen(struct mount *mount, struct local_inode *dir,
    const struct upload_target *target, struct err *err)
{
	const struct push_target to = {.images = mount->images,
	    .repository = target->repository,
	    .tag = target->tag};
	CLEANUP(spool_free_p) struct spool *spool = NULL;
	CLEANUP(push_free_p) struct push *push = NULL;
	int r = spool_new(images_store(mount->images), &spool, err);

	if (r == 0)
		r = write_tar(mount, dir, spool, err);
	if (r == 0)
		r = push_new(&to, spool, &push, err);
	if (r == 0)
		r = push_end(push, err);
	/* It ends with an end mark. */
	assert(r != 0);
	return r < 0 ? r : 0;
}

int scratch_push(struct mount *mount, struct local_inode *parent,
    const char *name, const struct upload_target *target, struct err *err)
{
	CLEANUP(local_put_p) struct local_inode *dir = NULL;
	int r = local_lookup(parent, name, &dir, err);

	if (r < 0)
		return r;
	if (local_count(dir) == 0)
		return err_set(err, EPERM, "%s: there is nothing in it to push",
		    name);
	r = local_freeze(dir, err);
	if (r < 0)
		return r;
	r = push_frozen(mount, dir, target, err);
	if (r == 0)
		return local_remove_all(parent, name, err);
	local_thaw(dir);
	return r;
}
