/* SPDX-License-Identifier: Apache-2.0 */
/* The connection to the kernel: made, mounted, ended. */
#ifndef FS_CHANNEL_H
#define FS_CHANNEL_H

#include <stdbool.h>

#include "base/err.h"
#include "node/mount.h"

struct channel;
struct fuse_session;

/*
 * For a mount (borrowed), with the operations of this folder. options:
 * comma-separated, those of mount(8) and of libfuse; debug: each request is
 * logged. -EINVAL with what libfuse refuses.
 */
int channel_new(struct mount *mount, const char *options, bool debug,
    struct channel **out, struct err *err);

/* Mounts it on the mount's mount point; -EACCES. To be called once. */
int channel_mount(struct channel *channel, struct err *err);

/* What loop.h and feed.h work on; as long as the channel. */
struct fuse_session *channel_session(struct channel *channel);

/* The kernel forgets what it has found under a name in the directory of that
 * number. Waits until nobody else changes that directory. channel: a struct
 * channel, mounted. From any thread that answers no request. */
void channel_drop_name(void *channel, uint64_t dir, const char *name);

/* Unmounts it, unless another mount has its place, and frees. NULL is allowed.
 */
void channel_free(struct channel *channel);

#endif
