# SPDX-License-Identifier: Apache-2.0
"""A file system that has no more than FAT has: no hard links, and no files
without a name."""

from contextlib import contextmanager

from registry.process import Process, wait_until
from support.daemon import discard_mount
from support.system import mount_entry, run

PROGRAM = r"""
#define FUSE_USE_VERSION 31
#include <errno.h>
#include <fcntl.h>
#include <fuse.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Shows the directory it is started in; link and tmpfile are not there.
 * With an argument `old`, rename takes no flags either. */
static int top;
static int takes_flags = 1;

#define RESULT(call) ((call) < 0 ? -errno : 0)
#define BELOW(path) ((path)[1] ? (path) + 1 : ".")

static int fs_getattr(const char *path, struct stat *st,
    struct fuse_file_info *fi)
{
	(void)fi;
	return RESULT(fstatat(top, BELOW(path), st, AT_SYMLINK_NOFOLLOW));
}

static int fs_readdir(const char *path, void *buf, fuse_fill_dir_t fill,
    off_t off, struct fuse_file_info *fi, enum fuse_readdir_flags flags)
{
	int fd = openat(top, BELOW(path), O_RDONLY | O_DIRECTORY);
	char names[1 << 16];
	long got;

	(void)off;
	(void)fi;
	(void)flags;
	if (fd < 0)
		return -errno;
	while ((got = syscall(SYS_getdents64, fd, names, sizeof(names))) > 0)
		for (long at = 0; at < got;) {
			unsigned short len;

			memcpy(&len, names + at + 16, sizeof(len));
			fill(buf, names + at + 19, NULL, 0, 0);
			at += len;
		}
	close(fd);
	return 0;
}

static int fs_open(const char *path, struct fuse_file_info *fi)
{
	int fd = openat(top, BELOW(path), fi->flags);

	fi->fh = fd;
	return RESULT(fd);
}

static int fs_create(const char *path, mode_t mode, struct fuse_file_info *fi)
{
	int fd = openat(top, BELOW(path), fi->flags | O_CREAT, mode);

	fi->fh = fd;
	return RESULT(fd);
}

static int fs_read(const char *path, char *to, size_t len, off_t off,
    struct fuse_file_info *fi)
{
	ssize_t n = pread(fi->fh, to, len, off);

	(void)path;
	return n < 0 ? -errno : n;
}

static int fs_write(const char *path, const char *from, size_t len, off_t off,
    struct fuse_file_info *fi)
{
	ssize_t n = pwrite(fi->fh, from, len, off);

	(void)path;
	return n < 0 ? -errno : n;
}

static int fs_release(const char *path, struct fuse_file_info *fi)
{
	(void)path;
	return RESULT(close(fi->fh));
}

static int fs_fsync(const char *path, int data, struct fuse_file_info *fi)
{
	(void)path;
	(void)data;
	return RESULT(fsync(fi->fh));
}

static int fs_mkdir(const char *path, mode_t mode)
{
	return RESULT(mkdirat(top, BELOW(path), mode));
}

static int fs_unlink(const char *path)
{
	return RESULT(unlinkat(top, BELOW(path), 0));
}

static int fs_rename(const char *from, const char *to, unsigned flags)
{
	if (flags && !takes_flags)
		return -EINVAL;
	return RESULT(
	    syscall(SYS_renameat2, top, BELOW(from), top, BELOW(to), flags));
}

static int fs_chmod(const char *path, mode_t mode, struct fuse_file_info *fi)
{
	(void)fi;
	return RESULT(fchmodat(top, BELOW(path), mode, 0));
}

static int fs_truncate(const char *path, off_t size, struct fuse_file_info *fi)
{
	(void)path;
	return fi ? RESULT(ftruncate(fi->fh, size)) : -EINVAL;
}

static const struct fuse_operations operations = {
	.getattr = fs_getattr,
	.readdir = fs_readdir,
	.open = fs_open,
	.create = fs_create,
	.read = fs_read,
	.write = fs_write,
	.release = fs_release,
	.fsync = fs_fsync,
	.mkdir = fs_mkdir,
	.unlink = fs_unlink,
	.rename = fs_rename,
	.chmod = fs_chmod,
	.truncate = fs_truncate,
};

int main(int argc, char **argv)
{
	char *arguments[] = {argv[0], "-f", "-s", argv[1], NULL};

	takes_flags = argc < 3;
	top = open(".", O_RDONLY | O_DIRECTORY);
	return fuse_main(4, arguments, &operations, NULL);
}
"""


def build(directory):
    """The program, compiled."""
    source, program = directory / "plain_fs.c", directory / "plain_fs"
    source.write_text(PROGRAM)
    flags = run("pkg-config", "--cflags", "--libs", "fuse3").stdout.split()
    run("cc", "-O1", "-o", program, source, *flags)
    return program


@contextmanager
def mounted(program, directory, *, takes_flags=True):
    """Such a file system below a directory: its mount point."""
    data, mnt = directory / "data", directory / "plain"
    data.mkdir()
    mnt.mkdir()
    process = Process([program, mnt, *([] if takes_flags else ["old"])],
                      directory / "plain.log", cwd=data)
    try:
        wait_until(lambda: mount_entry(mnt), "the file system")
        yield mnt
    finally:
        discard_mount(mnt)
        process.stop()
