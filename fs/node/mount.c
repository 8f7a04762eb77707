/* SPDX-License-Identifier: Apache-2.0 */
/* Attributes that all nodes of a mount share. */
#include "mount.h"

enum { BLOCK_SIZE = 512, IO_SIZE = 128 << 10 };

static void stat_common(const struct mount *mount, const struct node *node,
    struct stat *out)
{
	*out = (struct stat){.st_ino = node->ino,
	    .st_uid = mount->uid,
	    .st_gid = mount->gid,
	    .st_blksize = IO_SIZE,
	    .st_nlink = 1};
	mount_stat_time(out, mount->started.tv_sec, 0);
}

void mount_stat_dir(const struct mount *mount, const struct node *node,
    struct stat *out)
{
	/* One link says that the number of subdirectories is not known: find
	 * and fts then look at every entry. To count them costs requests. */
	stat_common(mount, node, out);
	out->st_mode = S_IFDIR | 0755;
}

void mount_stat_file(const struct mount *mount, const struct node *node,
    uint64_t size, struct stat *out)
{
	stat_common(mount, node, out);
	out->st_mode = S_IFREG | 0644;
	out->st_size = (off_t)size;
	out->st_blocks = (blkcnt_t)((size + BLOCK_SIZE - 1) / BLOCK_SIZE);
}

void mount_stat_time(struct stat *out, int64_t seconds, uint32_t nanos)
{
	out->st_mtim = (struct timespec){seconds, (long)nanos};
	out->st_ctim = out->st_mtim;
	out->st_atim = out->st_mtim;
}
