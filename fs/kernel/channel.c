/* SPDX-License-Identifier: Apache-2.0 */
/* The connection to the kernel. */
#define FUSE_USE_VERSION 312
#include "channel.h"

#include <errno.h>
#include <fcntl.h>
#include <fuse_lowlevel.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "mountpoint.h"
#include "op.h"
#include "parallel.h"

struct channel {
	struct mount *mount;
	struct fuse_session *session;
	bool mounted;
	dev_t device; /* of the mount; 0: unknown */
};

static void release(struct channel *channel)
{
	if (channel->session)
		fuse_session_destroy(channel->session);
	free(channel);
}

int channel_new(struct mount *mount, const char *options, bool debug,
    struct channel **out, struct err *err)
{
	struct fuse_lowlevel_ops ops = {0};
	char name[] = "registryfs", dash_o[] = "-o", dash_d[] = "-d";
	AUTO_FREE char *copy = strdup(options);
	char *argv[] = {name, dash_o, copy, debug ? dash_d : NULL, NULL};
	struct fuse_args args = FUSE_ARGS_INIT(debug ? 4 : 3, argv);
	struct channel *channel = calloc(1, sizeof(*channel));

	if (!channel || !copy) {
		free(channel);
		return err_nomem(err);
	}
	channel->mount = mount;
	ops_node(&ops);
	ops_file(&ops);
	ops_tree(&ops);
	ops_xattr(&ops);
	channel->session = fuse_session_new(&args, &ops, sizeof(ops), mount);
	fuse_opt_free_args(&args);
	if (!channel->session) {
		release(channel);
		return err_set(err, EINVAL, "libfuse refused the options %s",
		    options);
	}
	*out = channel;
	return 0;
}

static dev_t mounted_device(const struct channel *channel)
{
	bool is_registryfs;

	return mountpoint_device(channel->mount->mountpoint, &is_registryfs);
}

int channel_mount(struct channel *channel, struct err *err)
{
	const char *mountpoint = channel->mount->mountpoint;

	if (fuse_session_mount(channel->session, mountpoint) < 0)
		return err_set(err, EACCES,
		    "cannot mount on %s (see fusermount3's message above)",
		    mountpoint);
	channel->mounted = true;
	channel->device = mounted_device(channel);
	return parallel_answer(channel->session, err);
}

void channel_drop_name(void *arg, uint64_t dir, const char *name)
{
	struct channel *channel = arg;

	/* It may not know the name. */
	(void)fuse_lowlevel_notify_inval_entry(channel->session, dir, name,
	    strlen(name));
}

struct fuse_session *channel_session(struct channel *channel)
{
	return channel->session;
}

/* A mount that was detached while files of it were open lives on, and another
 * one can have its path by now. */
static bool is_replaced(const struct channel *channel)
{
	dev_t device = mounted_device(channel);

	return device && device != channel->device;
}

/*
 * libfuse unmounts by path, unless an error on its descriptor says that the
 * mount is gone. A pipe that nobody reads has such an error. The connection
 * ends with the descriptor either way.
 */
static bool disconnect(const struct channel *channel)
{
	int ends[2], r;

	if (pipe2(ends, O_CLOEXEC) < 0)
		return false;
	close(ends[0]);
	r = dup3(ends[1], fuse_session_fd(channel->session), O_CLOEXEC);
	close(ends[1]);
	return r >= 0;
}

void channel_free(struct channel *channel)
{
	if (!channel)
		return;
	if (channel->mounted && (!is_replaced(channel) || disconnect(channel)))
		fuse_session_unmount(channel->session);
	release(channel);
}
