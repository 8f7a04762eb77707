/* SPDX-License-Identifier: Apache-2.0 */
/* The answer to the kernel's first request has what was asked for. */
#define FUSE_USE_VERSION 312
#include "parallel.h"

#include <errno.h>
#include <fuse_lowlevel.h>
#include <linux/fuse.h>
#include <stddef.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

#include "node/mount.h"

void parallel_ask(struct mount *mount, struct fuse_conn_info *conn)
{
	if (!(conn->capable & FUSE_CAP_PARALLEL_DIROPS))
		return;
	conn->want |= FUSE_CAP_PARALLEL_DIROPS;
	/* The next that is written is the answer to this request. */
	atomic_store(&mount->init_flags, FUSE_PARALLEL_DIROPS);
}

/* Writes the answer with the flags; one that is an error has none. */
static ssize_t write_init(int fd, const struct iovec *iov, int count,
    uint32_t flags)
{
	struct fuse_init_out init;
	struct iovec changed[2];

	if (count != 2 || iov[1].iov_len > sizeof(init) ||
	    iov[1].iov_len < offsetof(struct fuse_init_out, max_background))
		return writev(fd, iov, count);
	memcpy(&init, iov[1].iov_base, iov[1].iov_len);
	init.flags |= flags;
	changed[0] = iov[0];
	changed[1] = (struct iovec){&init, iov[1].iov_len};
	return writev(fd, changed, 2);
}

static ssize_t write_answer(int fd, struct iovec *iov, int count,
    void *userdata)
{
	struct mount *mount = userdata;
	uint32_t flags = 0;

	if (atomic_load_explicit(&mount->init_flags, memory_order_relaxed))
		flags = atomic_exchange(&mount->init_flags, 0);
	return flags ? write_init(fd, iov, count, flags)
		     : writev(fd, iov, count);
}

static ssize_t read_request(int fd, void *data, size_t size, void *userdata)
{
	(void)userdata;
	return read(fd, data, size);
}

int parallel_answer(struct fuse_session *session, struct err *err)
{
	static const struct fuse_custom_io io = {.writev = write_answer,
	    .read = read_request};
	int r = fuse_session_custom_io(session, &io, fuse_session_fd(session));

	return r < 0 ? err_set(err, -r,
			   "libfuse does not accept functions for input and "
			   "output")
		     : 0;
}
