/* SPDX-License-Identifier: Apache-2.0 */
/* Files with several readers. */
#include "openfile.h"

#include <stdlib.h>
#include <sys/stat.h>

static int64_t change_of(const struct stat *st)
{
	return st->st_ctim.tv_sec * INT64_C(1000000000) + st->st_ctim.tv_nsec;
}

struct openfile *openfile_new(int fd, struct err *err)
{
	AUTO_FD int owned = fd;
	struct openfile *file;
	struct stat st;

	if (fstat(fd, &st) < 0) {
		err_sys(err, "cannot examine a file of the store");
		return NULL;
	}
	file = malloc(sizeof(*file));
	if (!file) {
		err_nomem(err);
		return NULL;
	}
	atomic_init(&file->refs, 1);
	file->fd = steal_fd(&owned);
	file->in_place = false;
	file->dev = st.st_dev;
	file->ino = st.st_ino;
	atomic_init(&file->changed, change_of(&st));
	file->sums = NULL;
	return file;
}

int openfile_in_place(struct sources *sources, const struct digest *digest,
    uint64_t size, struct openfile **out, struct err *err)
{
	int fd = sources_open(sources, digest, size);

	if (fd < 0)
		return 0;
	*out = openfile_new(fd, err);
	if (!*out)
		return -err->code;
	(*out)->in_place = true;
	return 1;
}

struct openfile *openfile_get(struct openfile *file)
{
	atomic_fetch_add(&file->refs, 1);
	return file;
}

void openfile_put(struct openfile *file)
{
	if (!file || atomic_fetch_sub(&file->refs, 1) > 1)
		return;
	close(file->fd);
	sums_free(file->sums);
	free(file);
}

bool openfile_same(const struct openfile *a, const struct openfile *b)
{
	return a->dev == b->dev && a->ino == b->ino;
}

bool openfile_changed(const struct openfile *file, int64_t *time)
{
	struct stat st;

	*time = fstat(file->fd, &st) < 0 ? -1 : change_of(&st);
	return *time != atomic_load(&file->changed);
}

void openfile_saw(struct openfile *file, int64_t time)
{
	atomic_store(&file->changed, time);
}

bool openfile_at(const struct openfile *file, const char *path)
{
	struct stat st;

	return lstat(path, &st) == 0 && st.st_dev == file->dev &&
	       st.st_ino == file->ino;
}
