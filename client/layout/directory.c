/* SPDX-License-Identifier: Apache-2.0 */
/* Crash-safe changes of a layout's directory. */
#include "directory.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/log.h"
#include "base/strf.h"
#include "lock.h"

#define MARKER "{\"imageLayoutVersion\":\"1.0.0\"}"
#define EMPTY_INDEX \
	"{\"schemaVersion\":2,\"mediaType\":\"" MEDIA_OCI_INDEX \
	"\",\"manifests\":[]}"

enum {
	DIR_MODE = 0777, /* less the umask, as all files here */
	FILE_MODE = 0666,
};

/* The directory of a path, open; "" is the top. */
static int open_parent(struct layout_source *layouts, const char *path,
    struct err *err)
{
	const char *slash = strrchr(path, '/');
	AUTO_FREE char *parent =
	    slash ? strndup(path, (size_t)(slash - path)) : strdup(".");
	int fd;

	if (!parent)
		return err_nomem(err);
	fd = openat(layouts->root, parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return fd < 0 ? err_sys(err, "cannot open %s/%s", layouts->path, parent)
		      : fd;
}

int directory_sync_parent(struct layout_source *layouts, const char *path,
    struct err *err)
{
	AUTO_FD int fd = open_parent(layouts, path, err);

	if (fd < 0)
		return fd;
	if (fsync(fd) < 0)
		return err_sys(err, "cannot write %s to the disk",
		    layouts->path);
	return 0;
}

int directory_make_parents(struct layout_source *layouts, const char *path,
    struct err *err)
{
	AUTO_FREE char *part = strdup(path);

	if (!part)
		return err_nomem(err);
	for (char *slash = part; (slash = strchr(slash, '/')); slash++) {
		int r = 0;

		*slash = '\0';
		if (mkdirat(layouts->root, part, DIR_MODE) == 0)
			r = directory_sync_parent(layouts, part, err);
		else if (errno != EEXIST)
			r = err_sys(err, "cannot create %s/%s", layouts->path,
			    part);
		if (r < 0)
			return r;
		*slash = '/';
	}
	return 0;
}

/* A name for a file system on which what has none cannot be named later. */
static int begin_named(struct new_file *file, struct err *err)
{
	const char *slash = strrchr(file->path, '/');
	int len = slash ? (int)(slash + 1 - file->path) : 0;

	file->temp = strf("%.*s.registryfs-%d-%p", len, file->path,
	    (int)getpid(), (const void *)file);
	if (!file->temp)
		return err_nomem(err);
	file->fd = openat(file->layouts->root, file->temp,
	    O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, FILE_MODE);
	if (file->fd >= 0)
		return 0;
	err_sys(err, "cannot create %s/%s", file->layouts->path, file->temp);
	free(steal(&file->temp));
	return -err->code;
}

int new_file_begin(struct layout_source *layouts, const char *path,
    struct new_file *out, struct err *err)
{
	AUTO_FD int parent = -1;
	int r;

	*out = (struct new_file){.layouts = layouts, .path = path, .fd = -1};
	r = directory_make_parents(layouts, path, err);
	if (r < 0)
		return r;
	parent = open_parent(layouts, path, err);
	if (parent < 0)
		return parent;
	out->fd =
	    openat(parent, ".", O_TMPFILE | O_RDWR | O_CLOEXEC, FILE_MODE);
	return out->fd < 0 ? begin_named(out, err) : 0;
}

int new_file_write(const struct new_file *file, const void *data, size_t len,
    uint64_t at, struct err *err)
{
	return file_pwrite(file->fd, data, len, at, err) < 0
		   ? err_wrap(err, "cannot write %s/%s", file->layouts->path,
			 file->path)
		   : 0;
}

/* Links the file to a path: 0, or -errno without a sentence. */
static int link_file(const struct new_file *file, const char *path)
{
	const int root = file->layouts->root;
	char unnamed[64];

	snprintf(unnamed, sizeof(unnamed), "/proc/self/fd/%d", file->fd);
	return file->temp
		   ? linkat(root, file->temp, root, path, 0)
		   : linkat(AT_FDCWD, unnamed, root, path, AT_SYMLINK_FOLLOW);
}

/* Gives it a name by which it can take the place of another. Who replaces a
 * file has a lock: what has that name was left by a crash. */
static int link_temp(struct new_file *file, struct err *err)
{
	AUTO_FREE char *temp = strf("%s.registryfs", file->path);

	if (!temp)
		return err_nomem(err);
	unlinkat(file->layouts->root, temp, 0);
	if (link_file(file, temp) < 0)
		return err_sys(err, "cannot create %s/%s", file->layouts->path,
		    temp);
	file->temp = steal(&temp);
	return 0;
}

static int sync_file(const struct new_file *file, struct err *err)
{
	return fsync(file->fd) < 0
		   ? err_sys(err, "cannot write %s/%s to the disk",
			 file->layouts->path, file->path)
		   : 0;
}

/* Gives the file its name, and replaces a file that has it. The caller holds
 * the lock. */
static int replace(struct new_file *file, struct err *err)
{
	int r = file->temp ? 0 : link_temp(file, err);

	if (r < 0)
		return r;
	if (renameat(file->layouts->root, file->temp, file->layouts->root,
		file->path) < 0)
		return err_sys(err, "cannot rename %s/%s to %s",
		    file->layouts->path, file->temp, file->path);
	free(steal(&file->temp));
	return directory_sync_parent(file->layouts, file->path, err);
}

/* Whether what has the name already has as many bytes. */
static bool is_as_large(const struct new_file *file)
{
	struct stat ours, theirs;

	return fstat(file->fd, &ours) == 0 &&
	       fstatat(file->layouts->root, file->path, &theirs, 0) == 0 &&
	       ours.st_size == theirs.st_size;
}

int new_file_add(struct new_file *file, struct err *err)
{
	int r = sync_file(file, err);

	if (r < 0)
		return r;
	if (link_file(file, file->path) == 0)
		return directory_sync_parent(file->layouts, file->path, err);
	if (errno == EEXIST && is_as_large(file))
		return 0;
	return replace(file, err);
}

void new_file_release(struct new_file *file)
{
	if (file->temp)
		unlinkat(file->layouts->root, file->temp, 0);
	free(file->temp);
	if (file->fd >= 0)
		close(file->fd);
}

/* Renames the file, unless something has its name, where the file system itself
 * cannot see to it: those who do so hold the lock of the directory. */
static int rename_locked(struct new_file *file, struct err *err)
{
	const int root = file->layouts->root;
	const char *slash = strrchr(file->path, '/');
	AUTO_FREE char *dir =
	    slash ? strndup(file->path, (size_t)(slash - file->path))
		  : strdup(".");
	AUTO_FD int lock = -1;

	if (!dir)
		return err_nomem(err);
	lock = layout_lock_path(file->layouts, dir, err);
	if (lock < 0)
		return lock;
	if (faccessat(root, file->path, F_OK, 0) == 0)
		return 0;
	if (renameat(root, file->temp, root, file->path) < 0)
		return err_sys(err, "cannot create %s/%s", file->layouts->path,
		    file->path);
	free(steal(&file->temp));
	return 0;
}

/* Gives the file its name, unless something has that. FAT and others have no
 * links, and some file systems of those only the plain rename. */
static int name_new(struct new_file *file, struct err *err)
{
	const int root = file->layouts->root;

	if (link_file(file, file->path) == 0 || errno == EEXIST)
		return 0;
	if (file->temp && renameat2(root, file->temp, root, file->path,
			      RENAME_NOREPLACE) == 0) {
		free(steal(&file->temp));
		return 0;
	}
	if (errno == EEXIST)
		return 0;
	return file->temp && (errno == EINVAL || errno == ENOSYS)
		   ? rename_locked(file, err)
		   : err_sys(err, "cannot create %s/%s", file->layouts->path,
			 file->path);
}

/* Makes a file, unless there is one: another process may be faster, and has
 * put something there. */
static int make_file(struct layout_source *layouts, const char *dir,
    const char *name, const char *text, struct err *err)
{
	AUTO_FREE char *path = layout_join(dir, name);
	CLEANUP(new_file_release) struct new_file file = {.fd = -1};
	int r;

	if (!path)
		return err_nomem(err);
	if (faccessat(layouts->root, path, F_OK, 0) == 0)
		return 0;
	r = new_file_begin(layouts, path, &file, err);
	if (r == 0)
		r = new_file_write(&file, text, strlen(text), 0, err);
	if (r == 0)
		r = sync_file(&file, err);
	if (r < 0)
		return r;
	r = name_new(&file, err);
	return r < 0 ? r : directory_sync_parent(layouts, path, err);
}

int directory_make_layout(struct layout_source *layouts, const char *dir,
    struct err *err)
{
	AUTO_FREE char *blobs = layout_join(dir, LAYOUT_BLOBS "/sha256/");
	int r = blobs ? directory_make_parents(layouts, blobs, err)
		      : err_nomem(err);

	if (r == 0)
		r = make_file(layouts, dir, LAYOUT_INDEX, EMPTY_INDEX, err);
	/* It is a layout once it has this. */
	return r < 0 ? r : make_file(layouts, dir, LAYOUT_MARKER, MARKER, err);
}

/* Whether the file is the one that was read. */
static bool is_unchanged(struct layout_source *layouts, const char *path,
    const struct stat *was)
{
	struct stat st;

	return fstatat(layouts->root, path, &st, 0) == 0 &&
	       st.st_ino == was->st_ino && st.st_size == was->st_size &&
	       st.st_ctim.tv_sec == was->st_ctim.tv_sec &&
	       st.st_ctim.tv_nsec == was->st_ctim.tv_nsec;
}

/* Who could read it and write it still can. The owner is kept where we may
 * give files away, and else the group where we are in it. */
static int keep_access(const struct new_file *file, const struct stat *was,
    struct err *err)
{
	struct stat st;

	if (fstat(file->fd, &st) < 0)
		return err_sys(err, "%s/%s", file->layouts->path, file->path);
	if ((st.st_uid != was->st_uid || st.st_gid != was->st_gid) &&
	    fchown(file->fd, was->st_uid, was->st_gid) < 0 &&
	    fchown(file->fd, (uid_t)-1, was->st_gid) < 0)
		log_debug(LOG_STORE, "%s/%s: the owner was %u:%u: %s",
		    file->layouts->path, file->path, was->st_uid, was->st_gid,
		    strerror(errno));
	if (fchmod(file->fd, was->st_mode & 07777) < 0)
		return err_sys(err, "%s/%s", file->layouts->path, file->path);
	return 0;
}

int directory_put_index(struct layout_source *layouts, const char *dir,
    const struct layout_state *before, const struct buf *text, struct err *err)
{
	AUTO_FREE char *path = layout_join(dir, LAYOUT_INDEX);
	CLEANUP(new_file_release) struct new_file file = {.fd = -1};
	int r =
	    path ? new_file_begin(layouts, path, &file, err) : err_nomem(err);

	if (r == 0)
		r = new_file_write(&file, text->data, text->len, 0, err);
	if (r < 0)
		return r;
	r = keep_access(&file, &before->st, err);
	/* That takes long on a slow disk: what changes meanwhile is seen. */
	if (r == 0)
		r = sync_file(&file, err);
	if (r < 0)
		return r;
	if (!is_unchanged(layouts, path, &before->st))
		return 0;
	r = replace(&file, err);
	return r < 0 ? r : 1;
}
