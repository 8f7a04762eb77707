/* SPDX-License-Identifier: Apache-2.0 */
/* Names in the store's directory. */
#include "path.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "base/strf.h"

char *path_whole(const char *dir, const struct digest *digest)
{
	char hex[DIGEST_TEXT_SIZE];

	digest_hex(digest, hex);
	return strf("%s/blobs/%s/%.2s/%s", dir,
	    digest_algorithm_name(digest->algorithm), hex, hex);
}

char *path_partial(const char *dir, const struct digest *digest)
{
	char hex[DIGEST_TEXT_SIZE];

	return strf("%s/partial/%s", dir, digest_hex(digest, hex));
}

char *path_parts(const char *dir, const struct digest *digest)
{
	char hex[DIGEST_TEXT_SIZE];

	return strf("%s/parts/%s", dir, digest_hex(digest, hex));
}

int path_fault(int r, struct err *err)
{
	switch (r) {
	case -ENOENT:
	case -ENOTDIR:
	case -EISDIR:
	case -ELOOP:
	case -ENAMETOOLONG:
		err->code = EIO;
		return -EIO;
	default:
		return r;
	}
}

static int make_parents(const char *path, struct err *err)
{
	AUTO_FREE char *parent = strdup(path);

	if (!parent)
		return err_nomem(err);
	*strrchr(parent, '/') = '\0';
	return path_fault(file_mkdirs(parent, 0700, err), err);
}

int path_check_name(const char *name, struct err *err)
{
	static const char allowed[] = "abcdefghijklmnopqrstuvwxyz"
				      "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				      "0123456789-_.";

	if (!*name || name[strspn(name, allowed)] || !strcmp(name, ".") ||
	    !strcmp(name, ".."))
		return err_set(err, EINVAL,
		    "\"%s\" cannot name a file of the store", name);
	return 0;
}

int path_open(const char *path, struct err *err)
{
	const int flags = O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW;
	int fd = open(path, flags, 0600);

	if (fd < 0 && errno == ENOENT) {
		int r = make_parents(path, err);

		if (r < 0)
			return r;
		fd = open(path, flags, 0600);
	}
	return fd < 0 ? path_fault(err_sys(err, "cannot open %s", path), err)
		      : fd;
}

int path_spool(const char *dir, char **path, struct err *err)
{
	AUTO_FREE char *template = strf("%s/spool/new-XXXXXX", dir);
	int fd, r;

	if (!template)
		return err_nomem(err);
	r = make_parents(template, err);
	if (r < 0)
		return r;
	fd = mkostemp(template, O_CLOEXEC);
	if (fd < 0)
		return path_fault(err_sys(err,
				      "cannot create a file in %s/spool", dir),
		    err);
	*path = steal(&template);
	return fd;
}

int path_rename(const char *from, const char *to, struct err *err)
{
	if (rename(from, to) == 0)
		return 0;
	if (errno == ENOENT) {
		int r = make_parents(to, err);

		if (r < 0)
			return r;
		if (rename(from, to) == 0)
			return 0;
	}
	return path_fault(err_sys(err, "cannot rename %s to %s", from, to),
	    err);
}

bool path_link_new(int fd, const char *to)
{
	char from[64];

	snprintf(from, sizeof(from), "/proc/self/fd/%d", fd);
	return linkat(AT_FDCWD, from, AT_FDCWD, to, AT_SYMLINK_FOLLOW) == 0;
}

int path_link(int fd, const char *to, struct err *err)
{
	int r = make_parents(to, err);

	if (r < 0)
		return r;
	/* No /proc, a file that was unlinked, no hard links: copying works. */
	return path_link_new(fd, to) || errno == EEXIST;
}
