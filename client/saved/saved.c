/* SPDX-License-Identifier: Apache-2.0 */
/* An archive of images as a source: what is asked of it. */
#include "saved/saved.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "oci/layout_index.h"
#include "state.h"

enum {
	PIECE = 256 << 10,
	/* The status that says in HTTP that the archive does not have it. */
	STATUS_NOT_FOUND = 404,
};

static void close_source(struct source *source)
{
	struct saved_source *saved = saved_of(source);

	for (size_t i = 0; i < saved->contents_count; i++)
		archive_contents_free(saved->contents[i]);
	free(saved->contents);
	archive_reader_free(saved->reader);
	map_release(&saved->blobs);
	arena_release(&saved->arena);
	if (saved->fd >= 0)
		close(saved->fd);
	free(saved->path);
	free(saved->name);
	free(saved);
}

static int lacks(const struct saved_source *saved, const char *repository,
    const char *what, struct err *err)
{
	err_set(err, ENOENT, "%s has no %s%s%s", saved->name, repository,
	    *what ? ": " : "", what);
	err->http = STATUS_NOT_FOUND;
	return -ENOENT;
}

static int refuse(const struct source *source, struct err *err)
{
	return err_set(err, EROFS,
	    "%s is an archive, which is only read: write to a registry or an "
	    "image layout (oci:DIR)",
	    source->name);
}

static int reference(struct source *source, const char *repository,
    struct reference *out, struct err *err)
{
	(void)source;
	return layout_reference(repository, out, err);
}

static int repositories(struct source *source, source_name_fn *each, void *arg,
    struct err *err)
{
	const struct saved_repository *repository =
	    saved_of(source)->repositories;
	int r = 0;

	for (; repository && r == 0; repository = repository->next)
		r = each(arg, repository->name, err);
	return r;
}

static const struct saved_repository *find(const struct saved_source *saved,
    const char *name, struct err *err)
{
	const struct saved_repository *repository = saved->repositories;

	while (repository && strcmp(repository->name, name) != 0)
		repository = repository->next;
	if (!repository)
		lacks(saved, name, "", err);
	return repository;
}

static int tags(struct source *source, const char *name, source_name_fn *each,
    void *arg, struct err *err)
{
	const struct saved_repository *repository =
	    find(saved_of(source), name, err);
	int r = 0;

	if (!repository)
		return -err->code;
	for (const struct saved_tag *tag = repository->tags; tag && r == 0;
	     tag = tag->next)
		r = each(arg, tag->name, err);
	return r;
}

/* A blob by its digest's text; NULL with -ENOENT. */
static const struct saved_blob *find_blob(const struct saved_source *saved,
    const char *repository, const char *digest, struct err *err)
{
	const struct saved_blob *blob = map_get(&saved->blobs, digest);

	if (!find(saved, repository, err))
		return NULL;
	if (!blob)
		lacks(saved, repository, digest, err);
	return blob;
}

/* The manifest that a tag or a digest names. */
static const struct saved_blob *find_manifest(const struct saved_source *saved,
    const char *name, const char *what, struct err *err)
{
	const struct saved_repository *repository = find(saved, name, err);
	const struct saved_blob *blob = NULL;

	if (!repository)
		return NULL;
	if (strchr(what, ':'))
		blob = map_get(&saved->blobs, what);
	for (const struct saved_tag *tag = repository->tags; tag && !blob;
	     tag = tag->next)
		if (strcmp(tag->name, what) == 0)
			blob = tag->manifest;
	if (blob && blob->media_type)
		return blob;
	lacks(saved, name, what, err);
	return NULL;
}

static int manifest_get(struct source *source, const char *repository,
    const char *what, struct source_manifest *out, struct err *err)
{
	const struct saved_blob *blob =
	    find_manifest(saved_of(source), repository, what, err);
	int r;

	*out = (struct source_manifest){.body = BUF_INIT(MANIFEST_MAX_BYTES)};
	if (!blob)
		return -err->code;
	snprintf(out->media_type, sizeof(out->media_type), "%s",
	    blob->media_type);
	out->digest = blob->digest;
	r = buf_add(&out->body, blob->data, (size_t)blob->size, err);
	if (r < 0)
		buf_release(&out->body);
	return r;
}

static int manifest_head(struct source *source, const char *repository,
    const char *what, struct digest *out, struct err *err)
{
	const struct saved_blob *blob =
	    find_manifest(saved_of(source), repository, what, err);

	if (!blob)
		return -err->code;
	*out = blob->digest;
	return 0;
}

static int manifest_look(struct source *source, const char *repository,
    const char *what, struct digest *out, struct err *err)
{
	(void)err;
	return manifest_head(source, repository, what, out, ERR_IGNORE) == 0;
}

static int manifest_put(struct source *source, const char *repository,
    const char *what, const char *media_type, const void *data, size_t len,
    const struct digest *digest, struct err *err)
{
	(void)repository;
	(void)what;
	(void)media_type;
	(void)data;
	(void)len;
	(void)digest;
	return refuse(source, err);
}

static int manifest_delete(struct source *source, const char *repository,
    const char *what, struct err *err)
{
	(void)repository;
	(void)what;
	return refuse(source, err);
}

/* There is no list of them. */
static int referrers(struct source *source, const char *repository,
    const struct digest *digest, source_referrer_fn *each, void *arg,
    struct err *err)
{
	(void)source;
	(void)repository;
	(void)digest;
	(void)each;
	(void)arg;
	return err_set(err, EOPNOTSUPP, "an archive has no list of referrers");
}

static int read_file(const struct saved_source *saved, uint64_t offset,
    uint64_t len, struct sink *sink, struct err *err)
{
	AUTO_FREE char *piece = malloc(PIECE);
	int r = piece ? 0 : err_nomem(err);

	while (r == 0 && len > 0) {
		ssize_t n = file_pread(saved->fd, piece,
		    len < PIECE ? (size_t)len : PIECE, offset, err);

		if (n <= 0)
			return (int)n;
		r = sink_write(sink, piece, (size_t)n, err);
		offset += (uint64_t)n;
		len -= (uint64_t)n;
	}
	return r;
}

static int blob_read(struct source *source, const char *repository,
    const struct digest *digest, uint64_t offset, uint64_t len,
    struct sink *sink, struct err *err)
{
	const struct saved_source *saved = saved_of(source);
	char text[DIGEST_TEXT_SIZE];
	const struct saved_blob *blob =
	    find_blob(saved, repository, digest_format(digest, text), err);

	if (!blob)
		return -err->code;
	if (offset > blob->size)
		return 0;
	if (len == 0 || len > blob->size - offset)
		len = blob->size - offset;
	return blob->data
		   ? sink_write(sink, blob->data + offset, (size_t)len, err)
		   : read_file(saved, blob->offset + offset, len, sink, err);
}

static int blob_head(struct source *source, const char *repository,
    const struct digest *digest, uint64_t size, struct err *err)
{
	char text[DIGEST_TEXT_SIZE];
	const struct saved_blob *blob = find_blob(saved_of(source), repository,
	    digest_format(digest, text), ERR_IGNORE);

	(void)err;
	return blob && (size == UINT64_MAX || blob->size == size);
}

static int blob_mount(struct source *source, const char *repository,
    const struct digest *digest, const char *from, struct err *err)
{
	(void)repository;
	(void)digest;
	(void)from;
	return refuse(source, err);
}

static int blob_put(struct source *source, const char *repository,
    const struct digest *digest, const struct payload *payload, struct err *err)
{
	(void)repository;
	(void)digest;
	(void)payload;
	return refuse(source, err);
}

static const struct source_ops saved_ops = {
    .close = close_source,
    .reference = reference,
    .repositories = repositories,
    .tags = tags,
    .manifest_get = manifest_get,
    .manifest_head = manifest_head,
    .manifest_look = manifest_look,
    .manifest_put = manifest_put,
    .manifest_delete = manifest_delete,
    .manifest_remove = manifest_delete,
    .referrers = referrers,
    .blob_read = blob_read,
    .blob_head = blob_head,
    .blob_mount = blob_mount,
    .blob_put = blob_put,
};

static int open_file(struct saved_source *saved, const char *path,
    const char *name, struct err *err)
{
	struct stat st;

	saved->path = strdup(path);
	saved->name = strdup(name);
	if (!saved->path || !saved->name)
		return err_nomem(err);
	/* What is no file must not make us wait. */
	saved->fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (saved->fd < 0 || fstat(saved->fd, &st) < 0)
		return err_sys(err, "cannot open %s", path);
	if (!S_ISREG(st.st_mode))
		return err_set(err, EINVAL, "%s is not a regular file", path);
	return saved_read(saved, err) < 0 ? err_wrap(err, "%s", path) : 0;
}

int saved_open(const char *path, const char *name, struct source **out,
    struct err *err)
{
	struct saved_source *saved = calloc(1, sizeof(*saved));
	int r;

	if (!saved)
		return err_nomem(err);
	saved->fd = -1;
	r = open_file(saved, path, name, err);
	saved->source = (struct source){.ops = &saved_ops,
	    .name = saved->name,
	    .kind = "archive",
	    .can = SOURCE_LISTS};
	if (r < 0)
		close_source(&saved->source);
	else
		*out = &saved->source;
	return r;
}
