/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Lookups and listings of one directory at the same time. The kernel otherwise
 * has one of them wait for another, and nobody can end such a wait: not even
 * SIGKILL does. What changes a directory still has it alone.
 */
#ifndef FS_PARALLEL_H
#define FS_PARALLEL_H

#include "base/err.h"

struct fuse_conn_info;
struct fuse_session;
struct mount;

/* For init(): asks for them where the kernel offers them. */
void parallel_ask(struct mount *mount, struct fuse_conn_info *conn);

/*
 * For a session that is mounted, whose user data are the mount, before its
 * first request is taken. libfuse up to 3.16 leaves what was asked for out of
 * its answer to the kernel: here it is added. -ENOMEM.
 */
int parallel_answer(struct fuse_session *session, struct err *err);

#endif
