/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An image saved as one tar. All that is no blob is in memory: headers,
 * padding, manifests and the JSON files, in the order of the archive. Segments
 * say which of it, and which blob, comes where.
 */
#include "archive/layout.h"

#include <errno.h>
#include <string.h>

#include "base/arena.h"
#include "blob_path.h"
#include "layout_json.h"
#include "tar/header.h"

enum {
	/* Headers are two blocks a blob. What may be large are the manifests,
	 * of which an image has one for each of its platforms. */
	TEXT_MAX = 64 << 20,
	/* 10,000 layers of a hundred bytes each. */
	JSON_MAX = 1 << 20,
	END_SIZE = 2 * TAR_BLOCK,
};

struct segment {
	uint64_t offset, size;         /* in the archive */
	const struct descriptor *blob; /* NULL: in memory */
	size_t text;                   /* where there */
};

struct archive_layout {
	struct arena arena; /* the blobs' descriptors */
	struct buf text;
	size_t text_done; /* of it is in segments */
	uint64_t size;
	bool has_docker;
	struct segment *segments;
	size_t segment_count;
};

/* A file in blobs/. */
struct file {
	char path[BLOB_PATH_SIZE];
	uint64_t size;
	const void *data; /* a manifest's bytes, else NULL */
	const struct descriptor *blob;
};

struct files {
	struct file *list;
	size_t count;
};

static void files_release(struct files *files)
{
	free(files->list);
}

static void add_manifest(struct files *files,
    const struct layout_manifest *manifest)
{
	struct file *file = &files->list[files->count++];

	*file = (struct file){.size = manifest->len, .data = manifest->data};
	blob_path(&manifest->digest, file->path);
}

static void add_blob(struct files *files, const struct descriptor *blob)
{
	struct file *file = &files->list[files->count++];

	*file = (struct file){.size = blob->size, .blob = blob};
	blob_path(&blob->digest, file->path);
}

static bool is_absent(const struct layout_input *input,
    const struct descriptor *blob)
{
	for (size_t i = 0; blob->has_urls && i < input->absent_count; i++)
		if (digest_equal(&input->absent[i], &blob->digest))
			return true;
	return false;
}

/* The manifest, and of an image what it names; of an index that is other
 * manifests. */
static void add_all(struct files *files, const struct layout_input *input,
    const struct layout_manifest *manifest)
{
	const struct manifest *image = manifest->manifest;

	add_manifest(files, manifest);
	if (image->kind == MANIFEST_INDEX)
		return;
	if (digest_is_set(&image->config.digest))
		add_blob(files, &image->config);
	for (size_t i = 0; i < image->entry_count; i++)
		if (!is_absent(input, &image->entries[i]))
			add_blob(files, &image->entries[i]);
}

static int compare_files(const void *a, const void *b)
{
	return strcmp(((const struct file *)a)->path,
	    ((const struct file *)b)->path);
}

/* By path, each once. */
static void sort_files(struct files *files)
{
	size_t count = 0;

	qsort(files->list, files->count, sizeof(files->list[0]), compare_files);
	for (size_t i = 0; i < files->count; i++)
		if (count == 0 ||
		    compare_files(&files->list[i], &files->list[count - 1]))
			files->list[count++] = files->list[i];
	files->count = count;
}

static int collect_files(struct files *files, const struct layout_input *input,
    struct err *err)
{
	size_t room = 0;

	for (size_t i = 0; i < input->manifest_count; i++)
		room += 2 + input->manifests[i].manifest->entry_count;
	files->list = calloc(room + 1, sizeof(files->list[0]));
	if (!files->list)
		return err_nomem(err);
	for (size_t i = 0; i < input->manifest_count; i++)
		add_all(files, input, &input->manifests[i]);
	sort_files(files);
	return 0;
}

static bool has_blob(const struct files *files, const struct descriptor *blob)
{
	struct file wanted;

	blob_path(&blob->digest, wanted.path);
	return bsearch(&wanted, files->list, files->count,
		   sizeof(files->list[0]), compare_files) != NULL;
}

/* Whether docker's manifest.json would name nothing that is not there. */
static bool has_docker(const struct files *files,
    const struct layout_input *input)
{
	const struct manifest *image;

	if (input->image >= input->manifest_count)
		return false;
	image = input->manifests[input->image].manifest;
	for (size_t i = 0; i < image->entry_count; i++)
		if (!has_blob(files, &image->entries[i]))
			return false;
	return has_blob(files, &image->config);
}

static int grow_size(struct archive_layout *layout, uint64_t more,
    struct err *err)
{
	if (more > INT64_MAX - layout->size)
		return err_set(err, EFBIG, "the image is too large for a tar");
	layout->size += more;
	return 0;
}

/* Makes the text that was added since the last time a segment. */
static int end_text(struct archive_layout *layout, struct err *err)
{
	size_t len = layout->text.len - layout->text_done;

	layout->segments[layout->segment_count++] =
	    (struct segment){layout->size, len, NULL, layout->text_done};
	layout->text_done = layout->text.len;
	return grow_size(layout, len, err);
}

/* The blob itself goes after its header; the descriptor is copied, since what
 * was given is borrowed. */
static int put_blob(struct archive_layout *layout,
    const struct descriptor *descriptor, struct err *err)
{
	struct descriptor *copy = arena_alloc(&layout->arena, sizeof(*copy));
	int r = end_text(layout, err);

	if (r < 0)
		return r;
	if (!copy)
		return err_nomem(err);
	copy->digest = descriptor->digest;
	copy->size = descriptor->size;
	copy->media_type = arena_strdup(&layout->arena, descriptor->media_type);
	if (!copy->media_type)
		return err_nomem(err);
	layout->segments[layout->segment_count++] =
	    (struct segment){layout->size, copy->size, copy, 0};
	return grow_size(layout, copy->size, err);
}

static int put_zeros(struct archive_layout *layout, size_t len, struct err *err)
{
	static const char zeros[END_SIZE];

	return buf_add(&layout->text, zeros, len, err);
}

static int put_file(struct archive_layout *layout, const char *path,
    const struct file *file, struct err *err)
{
	int r = tar_header_print(&layout->text, path, file->size, 0, err);

	if (r == 0 && file->data)
		r = buf_add(&layout->text, file->data, (size_t)file->size, err);
	else if (r == 0 && file->blob)
		r = put_blob(layout, file->blob, err);
	if (r == 0)
		r = put_zeros(layout, (size_t)tar_padding(file->size), err);
	return r;
}

/* The directory that the file is in, unless the file before is, too. */
static int put_directory(struct archive_layout *layout, const struct file *file,
    const struct file *before, struct err *err)
{
	size_t len = (size_t)(strrchr(file->path, '/') - file->path) + 1;
	char path[BLOB_PATH_SIZE];

	if (before && strncmp(before->path, file->path, len) == 0)
		return 0;
	memcpy(path, file->path, len);
	path[len] = '\0';
	return tar_header_print(&layout->text, path, 0, 0, err);
}

static int put_blobs(struct archive_layout *layout, const struct files *files,
    struct err *err)
{
	int r = tar_header_print(&layout->text, "blobs/", 0, 0, err);

	for (size_t i = 0; i < files->count && r == 0; i++) {
		const struct file *file = &files->list[i];

		r = put_directory(layout, file, i > 0 ? file - 1 : NULL, err);
		if (r == 0)
			r = put_file(layout, file->path, file, err);
	}
	return r;
}

static int put_json(struct archive_layout *layout, const char *path,
    int (*print)(struct buf *, const struct layout_input *, struct err *),
    const struct layout_input *input, struct err *err)
{
	AUTO_BUF struct buf json = BUF_INIT(JSON_MAX);
	struct file file = {0};
	int r = print(&json, input, err);

	file.data = json.data;
	file.size = json.len;
	return r < 0 ? r : put_file(layout, path, &file, err);
}

static int print_version(struct buf *out, const struct layout_input *input,
    struct err *err)
{
	(void)input;
	return buf_addstr(out, "{\"imageLayoutVersion\":\"1.0.0\"}", err);
}

static int put_all(struct archive_layout *layout, const struct files *files,
    const struct layout_input *input, struct err *err)
{
	int r = put_blobs(layout, files, err);

	if (r == 0)
		r = put_json(layout, "index.json", layout_index_print, input,
		    err);
	layout->has_docker = has_docker(files, input);
	if (r == 0 && layout->has_docker)
		r = put_json(layout, "manifest.json", layout_docker_print,
		    input, err);
	if (r == 0)
		r = put_json(layout, "oci-layout", print_version, input, err);
	if (r == 0)
		r = put_zeros(layout, END_SIZE, err);
	return r < 0 ? r : end_text(layout, err);
}

int archive_layout_new(const struct layout_input *input,
    struct archive_layout **out, struct err *err)
{
	CLEANUP(files_release) struct files files = {NULL, 0};
	CLEANUP(archive_layout_free_p)
	struct archive_layout *layout = calloc(1, sizeof(*layout));
	int r;

	if (!layout)
		return err_nomem(err);
	layout->text = BUF_INIT(TEXT_MAX);
	r = collect_files(&files, input, err);
	if (r < 0)
		return r;
	/* Each blob has one, with one of text in front, and text at the end. */
	layout->segments =
	    calloc(files.count * 2 + 1, sizeof(layout->segments[0]));
	if (!layout->segments)
		return err_nomem(err);
	r = put_all(layout, &files, input, err);
	if (r == 0)
		*out = steal(&layout);
	return r;
}

void archive_layout_free(struct archive_layout *layout)
{
	if (!layout)
		return;
	arena_release(&layout->arena);
	buf_release(&layout->text);
	free(layout->segments);
	free(layout);
}

uint64_t archive_layout_size(const struct archive_layout *layout)
{
	return layout->size;
}

bool archive_layout_has_docker(const struct archive_layout *layout)
{
	return layout->has_docker;
}

bool archive_layout_find(const struct archive_layout *layout, uint64_t offset,
    struct layout_segment *out)
{
	size_t low = 0, high = layout->segment_count;

	if (offset >= layout->size)
		return false;
	/* Segments have no gaps: the one wanted is the last that begins at or
	 * before the offset. */
	while (high - low > 1) {
		size_t middle = low + (high - low) / 2;

		if (layout->segments[middle].offset <= offset)
			low = middle;
		else
			high = middle;
	}
	out->offset = layout->segments[low].offset;
	out->size = layout->segments[low].size;
	out->blob = layout->segments[low].blob;
	out->data =
	    out->blob ? NULL : layout->text.data + layout->segments[low].text;
	return true;
}
