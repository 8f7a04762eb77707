/* SPDX-License-Identifier: Apache-2.0 */
/* Images copied, inside their source or to another one. */
#include "image/copy.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/budget.h"
#include "base/file.h"
#include "base/log.h"
#include "catalog/progress.h"
#include "push/manifest.h"

/* Indexes in indexes: real ones nest once. */
enum { DEPTH_MAX = 4, PIECE = 256 << 10 };

static bool is_home(const struct image *image, const struct tag_ref *target)
{
	return image->images == target->images &&
	       strcmp(image->repository, target->repository) == 0;
}

/* 1: the target has it now, from the image's repository; 0: it is to be sent.
 */
static int mount_blob(struct image *image, const struct descriptor *blob,
    const struct tag_ref *target, struct err *err)
{
	struct err refusal = ERR_INIT;
	int r;

	if (image->images != target->images)
		return 0;
	r = source_blob_mount(images_source(image->images), target->repository,
	    &blob->digest, image->repository, &refusal);
	if (r == -EINTR) {
		*err = refusal;
		return r;
	}
	if (r < 0)
		log_debug(LOG_PUSH, "not mounted: %s", refusal.msg);
	return r == 1;
}

static int fetch(struct image *image, const struct descriptor *descriptor,
    int fd, struct err *err)
{
	CLEANUP(blob_put_p) struct blob *blob = NULL;
	AUTO_FREE char *piece = malloc(PIECE);
	int r =
	    piece ? image_blob(image, descriptor, &blob, err) : err_nomem(err);

	for (uint64_t done = 0; r == 0 && done < descriptor->size;) {
		ssize_t n = blob_read(blob, piece, PIECE, done, err);

		if (n <= 0)
			return n < 0 ? (int)n
				     : err_set(err, EIO,
					   "the blob is shorter than its "
					   "descriptor says");
		r = file_pwrite(fd, piece, (size_t)n, done, err);
		done += (uint64_t)n;
	}
	return r;
}

/* Where the target cannot take it by itself. */
static int send(struct image *image, const struct descriptor *descriptor,
    const struct tag_ref *target, struct err *err)
{
	AUTO_FD int fd = -1;
	struct payload body = {.size = descriptor->size};
	int r =
	    push_blob_find(target, &descriptor->digest, descriptor->size, err);

	if (r != 0)
		return r < 0 ? r : 0;
	fd = store_temp(images_store(image->images), err);
	if (fd < 0)
		return fd;
	body.fd = fd;
	r = fetch(image, descriptor, fd, err);
	if (r == 0)
		r = push_blob_put(target, &descriptor->digest, &body, err);
	return r < 0 ? r : 0;
}

int image_bring_blob(struct image *image, const struct descriptor *blob,
    const struct tag_ref *target, struct err *err)
{
	char text[DIGEST_TEXT_SIZE];
	int r;

	if (is_home(image, target))
		return 0;
	r = image_has_blob(image, blob, err);
	if (r <= 0)
		return r;
	r = mount_blob(image, blob, target, err);
	if (r != 0)
		return r < 0 ? r : 0;
	r = send(image, blob, target, err);
	return r < 0 ? err_wrap(err, "blob %s",
			   digest_format(&blob->digest, text))
		     : 0;
}

/* A layer can be in an image more than once. */
static bool came_before(const struct manifest *manifest, size_t i)
{
	for (size_t k = 0; k < i; k++)
		if (digest_equal(&manifest->entries[k].digest,
			&manifest->entries[i].digest))
			return true;
	return false;
}

static int bring_blobs(struct image *image, const struct tag_ref *target,
    struct err *err)
{
	const struct manifest *manifest = image->manifest;
	int r = 0;

	if (digest_is_set(&manifest->config.digest))
		r = image_bring_blob(image, &manifest->config, target, err);
	for (size_t i = 0; i < manifest->entry_count && r == 0; i++)
		if (!came_before(manifest, i))
			r = image_bring_blob(image, &manifest->entries[i],
			    target, err);
	return r;
}

static int put(const struct image *image, const struct tag_ref *target,
    struct err *err)
{
	const struct archive_manifest manifest = {.data = image->data,
	    .len = image->len,
	    .media_type = image->manifest->media_type,
	    .digest = image->digest,
	    .manifest = image->manifest};

	return push_manifest_put_last(target, &manifest, err);
}

static int bring(struct image *image, const struct tag_ref *target, int depth,
    struct err *err);

/* What the registry does not have of an index is left out, as it was. */
static int bring_entry(struct image *index, size_t i,
    const struct tag_ref *target, int depth, struct err *err)
{
	const struct tag_ref by_digest = {.images = target->images,
	    .repository = target->repository,
	    .tag = target->tag,
	    .untagged = true,
	    .progress = target->progress};
	CLEANUP(image_put_p) struct image *entry = NULL;
	int r = image_open(index->images, index->repository,
	    &index->manifest->entries[i].digest, &entry, err);

	if (r == -ENOENT)
		return 0;
	if (r == 0)
		r = bring(entry, target, depth + 1, err);
	return r < 0 ? r : put(entry, &by_digest, err);
}

static int bring(struct image *image, const struct tag_ref *target, int depth,
    struct err *err)
{
	int r = 0;

	if (image->manifest->kind == MANIFEST_IMAGE)
		return bring_blobs(image, target, err);
	if (depth == DEPTH_MAX)
		return err_set(err, ELOOP,
		    "indexes are nested more than %d deep", DEPTH_MAX);
	for (size_t i = 0; i < image->manifest->entry_count && r == 0; i++)
		r = bring_entry(image, i, target, depth, err);
	return r;
}

int image_bring(struct image *image, const struct tag_ref *target,
    struct err *err)
{
	return is_home(image, target) ? 0 : bring(image, target, 0, err);
}

int image_put_tag(struct image *image, const struct tag_ref *target,
    struct err *err)
{
	int r = put(image, target, err);

	if (r == 0 && !target->untagged)
		images_tag_changed(target->images, target->repository,
		    target->tag, &image->digest);
	return r;
}

static int copy(struct image *image, const struct tag_ref *target,
    struct err *err)
{
	char text[DIGEST_TEXT_SIZE];
	int r = image_bring(image, target, err);

	if (r == 0)
		r = image_put_tag(image, target, err);
	return r < 0
		   ? err_wrap(err, "copying %s@%s to %s:%s", image->repository,
			 digest_format(&image->digest, text),
			 target->repository, target->tag ? target->tag : "")
		   : 0;
}

int image_copy(struct image *image, const struct tag_ref *target,
    struct err *err)
{
	struct push_progress progress;
	struct tag_ref noted = *target;
	int r;

	budget_be_patient();
	/* What travels may take as long as any push. */
	if (target->untagged || is_home(image, target))
		return copy(image, target, err);
	noted.progress = &progress;
	progress_begin(&progress, target->images, target->repository,
	    target->tag);
	atomic_store(&progress.complete, true);
	r = copy(image, &noted, err);
	progress_end(&progress, r < 0 ? NULL : &image->digest, err);
	return r;
}
