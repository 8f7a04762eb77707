/* SPDX-License-Identifier: Apache-2.0 */
/* What an archive has: its images, their names, and where their blobs lie. */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "archive/names.h"
#include "base/file.h"
#include "state.h"
#include "stream/compression.h"

enum { PIECE = 256 << 10 };

/* The repository of a file whose name cannot be that of one. */
#define NO_NAME "archive"

#define LATEST "latest"

/* What is there under that digest stays. */
static int add_blob(struct saved_source *saved, const struct saved_blob *blob,
    const struct saved_blob **out, struct err *err)
{
	char key[DIGEST_TEXT_SIZE];
	struct saved_blob *copy =
	    map_get(&saved->blobs, digest_format(&blob->digest, key));

	if (!copy) {
		copy = arena_alloc(&saved->arena, sizeof(*copy));
		if (!copy || map_put(&saved->blobs, key, copy) < 0)
			return err_nomem(err);
		*copy = *blob;
	}
	if (out)
		*out = copy;
	return 0;
}

static int add_document(struct saved_source *saved, const char *data,
    size_t len, const char *media_type, const struct saved_blob **out,
    struct err *err)
{
	struct saved_blob blob = {.data = data,
	    .size = len,
	    .media_type = media_type};
	int r = digest_of(DIGEST_SHA256, data, len, &blob.digest, err);

	return r < 0 ? r : add_blob(saved, &blob, out, err);
}

static int hash_entry(const struct saved_source *saved,
    const struct archive_entry *entry, struct digest *out, struct err *err)
{
	CLEANUP(hasher_free_p)
	struct hasher *hasher = hasher_new(DIGEST_SHA256, err);
	AUTO_FREE char *piece = malloc(PIECE);
	int r = hasher && piece ? 0 : err_nomem(err);

	for (uint64_t done = 0; r == 0 && done < entry->size;) {
		uint64_t left = entry->size - done;
		ssize_t n = file_pread(saved->fd, piece,
		    left < PIECE ? (size_t)left : PIECE, entry->offset + done,
		    err);

		if (n <= 0)
			return n < 0 ? (int)n
				     : err_set(err, EIO, "%s is truncated",
					   entry->name);
		r = hasher_update(hasher, piece, (size_t)n, err);
		done += (uint64_t)n;
	}
	return r < 0 ? r : hasher_finish(hasher, out, err);
}

static const char *layer_type(enum compression compression)
{
	if (compression == COMPRESSION_GZIP)
		return MEDIA_OCI_LAYER_GZIP;
	return compression == COMPRESSION_ZSTD ? MEDIA_OCI_LAYER_ZSTD
					       : MEDIA_OCI_LAYER;
}

/* The digest of a plain tar is what the config says; that of other bytes is
 * to be found. */
static int describe_layer(struct saved_source *saved,
    const struct archive_layer *layer, struct descriptor *out, struct err *err)
{
	const struct archive_entry *entry = &layer->entry;
	char head[TAR_BLOCK];
	struct saved_blob blob = {.offset = entry->offset,
	    .size = entry->size,
	    .digest = layer->diff_id};
	enum compression compression;
	ssize_t n = file_pread(saved->fd, head,
	    entry->size < TAR_BLOCK ? (size_t)entry->size : TAR_BLOCK,
	    entry->offset, err);
	int r = n < 0 ? (int)n : 0;

	if (r < 0)
		return r;
	compression = compression_sniff(head, (size_t)n);
	if (compression != COMPRESSION_NONE)
		r = hash_entry(saved, entry, &blob.digest, err);
	*out = (struct descriptor){.media_type = layer_type(compression),
	    .digest = blob.digest,
	    .size = blob.size};
	return r < 0 ? r : add_blob(saved, &blob, NULL, err);
}

/* A manifest that names the config and the layers as they are. */
static int add_image(struct saved_source *saved,
    const struct archive_contents *contents, const struct saved_blob **out,
    struct err *err)
{
	AUTO_BUF struct buf text = BUF_INIT(MANIFEST_MAX_BYTES);
	AUTO_FREE struct descriptor *layers =
	    calloc(contents->layer_count + 1, sizeof(*layers));
	struct descriptor config = {.media_type = MEDIA_OCI_CONFIG,
	    .size = contents->config_len};
	const struct saved_blob *blob;
	const char *data;
	int r = layers ? add_document(saved, contents->config_data,
			     contents->config_len, NULL, &blob, err)
		       : err_nomem(err);

	for (size_t i = 0; r == 0 && i < contents->layer_count; i++)
		r = describe_layer(saved, &contents->layers[i], &layers[i],
		    err);
	if (r < 0)
		return r;
	config.digest = blob->digest;
	r = manifest_print(&text, MEDIA_OCI_MANIFEST, &config, layers,
	    contents->layer_count, err);
	if (r < 0)
		return r;
	data = arena_strdup(&saved->arena, buf_str(&text));
	return data ? add_document(saved, data, text.len, MEDIA_OCI_MANIFEST,
			  out, err)
		    : err_nomem(err);
}

static int add_oci(struct saved_source *saved,
    const struct archive_contents *contents, const struct saved_blob **out,
    struct err *err)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < contents->blob_count; i++) {
		const struct archive_blob *blob = &contents->blobs[i];
		const struct saved_blob copy = {.offset = blob->entry.offset,
		    .size = blob->entry.size,
		    .digest = blob->descriptor->digest};

		r = add_blob(saved, &copy, NULL, err);
	}
	for (size_t i = 0; r == 0 && i < contents->manifest_count; i++) {
		const struct archive_manifest *manifest =
		    &contents->manifests[i];
		const struct saved_blob copy = {.data = manifest->data,
		    .size = manifest->len,
		    .media_type = manifest->media_type,
		    .digest = manifest->digest};

		r = add_blob(saved, &copy, out, err);
	}
	return r;
}

static struct saved_repository *repository_of(struct saved_source *saved,
    const char *name)
{
	struct saved_repository *repository = saved->repositories;

	while (repository && strcmp(repository->name, name) != 0)
		repository = repository->next;
	if (repository)
		return repository;
	repository = arena_alloc(&saved->arena, sizeof(*repository));
	if (!repository)
		return NULL;
	*repository =
	    (struct saved_repository){.name = arena_strdup(&saved->arena, name),
		.next = saved->repositories};
	if (!repository->name)
		return NULL;
	saved->repositories = repository;
	return repository;
}

static int add_tag(struct saved_source *saved,
    const struct archive_wanted *wanted, const struct saved_blob *manifest,
    struct err *err)
{
	struct saved_repository *repository =
	    repository_of(saved, wanted->repository);
	struct saved_tag *tag = arena_alloc(&saved->arena, sizeof(*tag));

	if (!repository || !tag)
		return err_nomem(err);
	*tag =
	    (struct saved_tag){.name = arena_strdup(&saved->arena, wanted->tag),
		.manifest = manifest,
		.next = repository->tags};
	repository->tags = tag;
	return tag->name ? 0 : err_nomem(err);
}

/* One image of the archive under one of its names. */
static int take(struct saved_source *saved, const struct archive_wanted *wanted,
    struct err *err)
{
	struct archive_contents *contents = NULL;
	const struct saved_blob *manifest = NULL;
	int r = archive_contents_read(saved->reader, wanted, &contents, err);

	if (r < 0)
		return r;
	saved->contents[saved->contents_count++] = contents;
	if (contents->kind == ARCHIVE_ROOTFS)
		return err_set(err, EINVAL,
		    "it is a root file system, and no archive of images: push "
		    "it, and look at that");
	r = contents->kind == ARCHIVE_DOCKER
		? add_image(saved, contents, &manifest, err)
		: add_oci(saved, contents, &manifest, err);
	return r < 0 ? r : add_tag(saved, wanted, manifest, err);
}

/* By a full name, in which the colon of a port can stand in no repository. */
static int take_named(struct saved_source *saved, const char *name,
    struct err *err)
{
	struct reference reference;
	struct archive_wanted wanted = {.repository = reference.name,
	    .tag = reference.tag,
	    .name = name};
	char *colon;
	int r = reference_parse(&reference, name, err);

	if (r < 0)
		return r;
	colon = strchr(reference.name, ':');
	if (colon)
		*colon = '_';
	if (!repository_valid(reference.name))
		return err_set(err, EINVAL, "%s is not a repository",
		    reference.name);
	return take(saved, &wanted, err);
}

/* What the file's name says, less the ending: a new string, or NULL. */
static char *own_name(const char *path)
{
	const char *slash = strrchr(path, '/');
	char *name = strdup(slash ? slash + 1 : path);
	char *dot = name ? strstr(name, ".tar") : NULL;

	if (dot && !dot[4])
		*dot = '\0';
	for (char *c = name; c && *c; c++)
		*c = (char)tolower((unsigned char)*c);
	if (name && !repository_valid(name)) {
		free(name);
		name = strdup(NO_NAME);
	}
	return name;
}

static int take_all(struct saved_source *saved,
    const struct archive_names *names, struct err *err)
{
	AUTO_FREE char *own = own_name(saved->path);
	struct archive_wanted wanted = {.repository = own, .tag = LATEST};
	bool is_unnamed = names->count == 0 && names->tag_count == 0;
	int r = 0;

	saved->contents = calloc(names->count + names->tag_count + 1,
	    sizeof(struct archive_contents *));
	if (!own || !saved->contents)
		return err_nomem(err);
	for (size_t i = 0; r == 0 && i < names->count; i++)
		r = take_named(saved, names->list[i], err);
	if (r == 0 && is_unnamed)
		r = take(saved, &wanted, err);
	for (size_t i = 0; r == 0 && i < names->tag_count; i++) {
		wanted.tag = names->tags[i];
		r = take(saved, &wanted, err);
	}
	return r;
}

int saved_read(struct saved_source *saved, struct err *err)
{
	const struct archive_reader_options options = {.fd = saved->fd};
	CLEANUP(archive_names_free_p) struct archive_names *names = NULL;
	struct stat st;
	int r = archive_reader_new(&options, &saved->reader, err);

	if (r == 0 && fstat(saved->fd, &st) < 0)
		r = err_sys(err, "cannot examine it");
	if (r == 0)
		r = archive_reader_skim(saved->reader, (uint64_t)st.st_size,
		    err);
	if (r == 0)
		r = archive_names_read(saved->reader, &names, err);
	return r < 0 ? r : take_all(saved, names, err);
}
