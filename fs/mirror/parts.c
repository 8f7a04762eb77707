/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Files that are written into a mirror. Whichever comes last of image.tar and
 * the others, a manifest or config that is not the image's is an error: who
 * edited it in a copy would otherwise believe that the edit had been pushed.
 */
#include "parts.h"

#include <errno.h>
#include <string.h>

#include "mirror.h"
#include "node/mount.h"
#include "node/nodes.h"
#include "scratch/scratch.h"
#include "upload/document.h"

/* The largest of them. */
enum {
	DOCUMENT_MAX = MANIFEST_MAX_BYTES > CONFIG_MAX_BYTES
			   ? MANIFEST_MAX_BYTES
			   : CONFIG_MAX_BYTES
};

/* The bytes of a part that an image has. */
static int bytes_of(const struct image_part *part, struct image *top,
    struct image *shown, struct buf *out, struct err *err)
{
	switch (part->id) {
	case IMAGE_MANIFEST:
		return buf_add(out, shown->data, shown->len, err);
	case IMAGE_CONFIG:
		return image_config_bytes(shown, out, err);
	case IMAGE_INDEX:
		return buf_add(out, top->data, top->len, err);
	case IMAGE_LAYERS:
	case IMAGE_ROOTFS:
	case IMAGE_FILES:
	case IMAGE_PLATFORMS:
	case IMAGE_REFERRERS:
	case IMAGE_ARCHIVE:
	case IMAGE_PARTS:
		break;
	}
	return err_set(err, EINVAL,
	    "%s is not compared with that of the image in image.tar",
	    part->name);
}

static int compare(const struct image_part *part, struct image *image,
    const struct buf *copied, struct err *err)
{
	AUTO_BUF struct buf bytes = BUF_INIT(DOCUMENT_MAX);
	CLEANUP(image_put_p) struct image *shown = NULL;
	int r;

	/* One that it has of no platform, it does not have. */
	image_platform(image, &shown, ERR_IGNORE);
	if (!part->present(image, shown))
		return 0;
	r = bytes_of(part, image, shown, &bytes, err);
	if (r < 0)
		return r;
	if (bytes.len == copied->len &&
	    memcmp(bytes.data, copied->data, bytes.len) == 0)
		return 0;
	return err_set(err, EINVAL,
	    "%s differs from the image in image.tar, which was pushed; to "
	    "change the image, write the file into the image's directory",
	    part->name);
}

/* What was copied before image.tar. */
static int compare_kept(struct mount_source *source, const char *path,
    struct image *image, struct err *err)
{
	for (size_t i = 0; i < IMAGE_PARTS; i++) {
		const struct image_part *part = &image_parts[i];
		AUTO_BUF struct buf copied = BUF_INIT(DOCUMENT_MAX);
		int r = 0;

		if (part->in_copy == WRITE_MIRROR_PART)
			r = scratch_load(source, path, part->name, &copied,
			    err);
		if (r == 1)
			r = compare(part, image, &copied, err);
		if (r < 0)
			return r;
	}
	return 0;
}

static int apply_archive(const struct write_intent *intent,
    const struct write_content *file, struct err *err)
{
	CLEANUP(image_put_p) struct image *image = NULL;
	int r = image_open(intent->source->images, intent->repository,
	    file->pushed, &image, err);

	if (r == 0)
		r = compare_kept(intent->source, intent->detail, image, err);
	if (r < 0)
		return r;
	mirror_done(intent->source, intent->detail, file->pushed);
	return 1;
}

bool mirror_write_place(struct node *dir, const char *name,
    struct write_place *out)
{
	const char *path = repo_node_repository(dir);

	if (!mirror_tag(path) || !mirror_has_part(dir, name) ||
	    image_part_find(name)->in_copy == WRITE_NOTHING)
		return false;
	*out = (struct write_place){.where = WRITE_IN_MIRROR,
	    .repository = path,
	    .tag = mirror_tag(path)};
	return true;
}

int mirror_lookup(struct node *dir, const char *name, struct node **out,
    struct err *err)
{
	struct mount_source *source = dir->source;
	struct document document = {.dir = dir, .name = name};
	CLEANUP(image_put_p) struct image *image = NULL;
	struct digest digest;
	int r;

	if (!image_part_is(name, IMAGE_ARCHIVE) ||
	    !mirror_image(source, repo_node_repository(dir), &digest))
		return 0;
	r = write_intent(dir, name, &document.intent, err);
	if (r == 0)
		r = image_open(source->images, document.intent.repository,
		    &digest, &image, err);
	if (r == 0)
		r = archive_content(source, image, document.intent.tag,
		    &document.content, err);
	if (r < 0) {
		intent_release(&document.intent);
		return r;
	}
	r = document_node(&document, out, err);
	return r < 0 ? r : 1;
}

/* Compares it with the image, if that is there already. */
static int compare_late(const struct write_intent *intent,
    const struct image_part *part, const struct buf *copied, struct err *err)
{
	CLEANUP(image_put_p) struct image *image = NULL;
	struct digest digest;
	int r;

	if (!mirror_image(intent->source, intent->detail, &digest))
		return 0;
	r = image_open(intent->source->images, intent->repository, &digest,
	    &image, err);
	return r < 0 ? r : compare(part, image, copied, err);
}

static int apply_part(const struct write_intent *intent,
    const struct write_content *file, struct err *err)
{
	const struct image_part *part = image_part_find(file->name);
	AUTO_BUF struct buf copied = BUF_INIT(DOCUMENT_MAX);
	struct digest digest;
	int r = content_read(file, &copied, err);

	if (r == 0)
		r = digest_of(DIGEST_SHA256, copied.data, copied.len, &digest,
		    err);
	if (r == 0)
		r = compare_late(intent, part, &copied, err);
	if (r == 0)
		r = scratch_save(intent->source, intent->detail, file->name,
		    &copied, err);
	if (r < 0)
		return r;
	mirror_note_part(intent->source, intent->detail, part->id, &digest);
	return 1;
}

const struct write_kind write_mirror = {
    .is_archive = true,
    .apply = apply_archive,
};
const struct write_kind write_mirror_part = {.apply = apply_part};
