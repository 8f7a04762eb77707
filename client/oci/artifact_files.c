/* SPDX-License-Identifier: Apache-2.0 */
/* The parts of an artifact as files. */
#include "oci/artifact_files.h"

#include <limits.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/map.h"
#include "oci/artifact.h"

struct artifact_files {
	atomic_uint refs;
	struct artifact_file *files; /* sorted by their paths */
	size_t count, cap;
};

/* Where they are while the table is made: a path's kind, one of `kinds`. */
struct files_making {
	struct artifact_files *made;
	struct map places;
};

static const enum artifact_file_kind kinds[] = {ARTIFACT_FILE, ARTIFACT_PACKED,
    ARTIFACT_DIRECTORY};

/* What tools call the only file of such an artifact. */
static const struct {
	const char *media_type;
	const char *name;
} named[] = {
    {"application/vnd.cncf.helm.chart.content.v1.tar+gzip", "chart.tgz"},
    {"application/vnd.cncf.helm.chart.provenance.v1.prov", "chart.tgz.prov"},
    {"application/vnd.wasm.content.layer.v1+wasm", "module.wasm"},
    {"application/wasm", "module.wasm"},
    {"application/vnd.sylabs.sif.layer.v1.sif", "image.sif"},
};

static int add(struct files_making *making, const char *path,
    enum artifact_file_kind kind, size_t entry, struct err *err)
{
	struct artifact_files *files = making->made;

	if (files->count == files->cap) {
		size_t cap = files->cap ? 2 * files->cap : 16;
		void *grown =
		    reallocarray(files->files, cap, sizeof(*files->files));

		if (!grown)
			return err_nomem(err);
		files->files = grown;
		files->cap = cap;
	}
	path = strdup(path);
	if (!path)
		return err_nomem(err);
	files->files[files->count++] =
	    (struct artifact_file){kind, path, entry};
	return map_put(&making->places, path, (void *)(uintptr_t)&kinds[kind])
		   ? err_nomem(err)
		   : 0;
}

static bool has_kind(const struct files_making *making, const char *path,
    enum artifact_file_kind kind)
{
	return map_get(&making->places, path) == &kinds[kind];
}

/* Whether nothing is there, and all above it are directories, or can be. */
static bool is_free(const struct files_making *making, char *path)
{
	if (map_get(&making->places, path))
		return false;
	for (char *slash = strchr(path, '/'); slash;
	     slash = strchr(slash + 1, '/')) {
		bool taken;

		*slash = '\0';
		taken = map_get(&making->places, path) &&
			!has_kind(making, path, ARTIFACT_DIRECTORY);
		*slash = '/';
		if (taken)
			return false;
	}
	return true;
}

/* At a path that is free. */
static int place(struct files_making *making, char *path,
    enum artifact_file_kind kind, size_t entry, struct err *err)
{
	int r = 0;

	for (char *slash = strchr(path, '/'); slash && r == 0;
	     slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		if (!map_get(&making->places, path))
			r = add(making, path, ARTIFACT_DIRECTORY, 0, err);
		*slash = '/';
	}
	return r < 0 ? r : add(making, path, kind, entry, err);
}

/*
 * A title as a path, with what means nothing left out. False where it is
 * absolute, leads out of the directory, means the directory itself, or cannot
 * be the name of a file.
 */
static bool path_of_title(const char *title, char out[PATH_MAX])
{
	size_t used = 0;

	if (!title || *title == '/' || strlen(title) >= PATH_MAX)
		return false;
	while (*title) {
		size_t len = strcspn(title, "/");

		if (len > NAME_MAX ||
		    (len == 2 && strncmp(title, "..", 2) == 0))
			return false;
		if (len > 0 && !(len == 1 && *title == '.')) {
			if (used)
				out[used++] = '/';
			memcpy(out + used, title, len);
			used += len;
		}
		title += len + (title[len] == '/');
	}
	out[used] = '\0';
	return used > 0;
}

static const char *name_of_type(const char *media_type)
{
	for (size_t i = 0; i < sizeof(named) / sizeof(*named); i++)
		if (strcmp(named[i].media_type, media_type) == 0)
			return named[i].name;
	return NULL;
}

static int place_untitled(struct files_making *making,
    const struct descriptor *part, size_t entry, struct err *err)
{
	const char *name = name_of_type(part->media_type);
	char hex[DIGEST_TEXT_SIZE], path[NAME_MAX + 1];

	if (strcmp(part->media_type, MEDIA_OCI_EMPTY) == 0)
		return 0;
	if (name) {
		snprintf(path, sizeof(path), "%s", name);
		if (is_free(making, path))
			return place(making, path, ARTIFACT_FILE, entry, err);
	}
	snprintf(path, sizeof(path), "%s-%s%s",
	    digest_algorithm_name(part->digest.algorithm),
	    digest_hex(&part->digest, hex),
	    name ? strchr(name, '.') : artifact_ending(part->media_type));
	/* The same bytes twice are one file. */
	return is_free(making, path)
		   ? place(making, path, ARTIFACT_FILE, entry, err)
		   : 0;
}

/* What ORAS packs is a tar. */
static bool is_packed(const struct descriptor *part)
{
	const char *unpack =
	    descriptor_annotation(part, "io.deis.oras.content.unpack");

	return unpack && strcmp(unpack, "true") == 0 &&
	       layer_ending(part->media_type);
}

/* The directory, and the tar beside it. */
static int place_packed(struct files_making *making, char path[PATH_MAX],
    const struct descriptor *part, size_t entry, struct err *err)
{
	size_t len = strlen(path);
	const char *slash = strrchr(path, '/');
	const char *name = slash ? slash + 1 : path;
	int r = place(making, path, ARTIFACT_PACKED, entry, err);

	if (r < 0)
		return r;
	snprintf(path + len, PATH_MAX - len, "%s",
	    layer_ending(part->media_type));
	return strlen(name) <= NAME_MAX && is_free(making, path)
		   ? place(making, path, ARTIFACT_FILE, entry, err)
		   : place_untitled(making, part, entry, err);
}

static int place_part(struct files_making *making,
    const struct descriptor *part, size_t entry, struct err *err)
{
	char path[PATH_MAX];

	if (!path_of_title(descriptor_annotation(part,
			       "org.opencontainers.image.title"),
		path) ||
	    !is_free(making, path))
		return place_untitled(making, part, entry, err);
	return is_packed(part) ? place_packed(making, path, part, entry, err)
			       : place(making, path, ARTIFACT_FILE, entry, err);
}

static int by_path(const void *a, const void *b)
{
	const struct artifact_file *one = a, *other = b;

	return strcmp(one->path, other->path);
}

int artifact_files_new(const struct manifest *manifest,
    struct artifact_files **out, struct err *err)
{
	CLEANUP(artifact_files_put_p)
	struct artifact_files *made = calloc(1, sizeof(*made));
	struct files_making making = {made, MAP_INIT};
	int r = 0;

	if (!made)
		return err_nomem(err);
	atomic_init(&made->refs, 1);
	for (size_t i = 0; i < manifest->entry_count && r == 0; i++)
		r = place_part(&making, &manifest->entries[i], i, err);
	map_release(&making.places);
	if (r < 0)
		return r;
	if (made->count)
		qsort(made->files, made->count, sizeof(*made->files), by_path);
	*out = steal(&made);
	return 0;
}

struct artifact_files *artifact_files_get(struct artifact_files *files)
{
	atomic_fetch_add(&files->refs, 1);
	return files;
}

void artifact_files_put(struct artifact_files *files)
{
	if (!files || atomic_fetch_sub(&files->refs, 1) != 1)
		return;
	for (size_t i = 0; i < files->count; i++)
		free((char *)(uintptr_t)files->files[i].path);
	free(files->files);
	free(files);
}

const struct artifact_file *artifact_files_find(const struct artifact_files
						    *files,
    const char *path)
{
	const struct artifact_file wanted = {.path = path};

	return files->count ? bsearch(&wanted, files->files, files->count,
				  sizeof(wanted), by_path)
			    : NULL;
}

const struct artifact_file *artifact_files_next(const struct artifact_files
						    *files,
    const char *directory, const struct artifact_file *file)
{
	const struct artifact_file *end = files->files + files->count;
	size_t len = strlen(directory);

	for (file = file ? file + 1 : files->files; file != end; file++) {
		const char *name = file->path + (len ? len + 1 : 0);

		if (len && (strncmp(file->path, directory, len) != 0 ||
			       file->path[len] != '/'))
			continue;
		if (!strchr(name, '/'))
			return file;
	}
	return NULL;
}
