/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What refers to an image: a directory for each such artifact, named by its
 * kind. A file that is written here is attached to the image.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/container.h"
#include "base/file.h"
#include "grammar/image_parts.h"
#include "grammar/part_names.h"
#include "image/referrers.h"
#include "image/spool.h"
#include "makers.h"
#include "node/image_info.h"
#include "node/key.h"
#include "upload/document.h"
#include "upload/written_file.h"

/* Signatures of SBOMs are usual, signatures of those are not; and what a
 * registry invents must not nest without end. */
enum { NESTING_MAX = 4 };

/* What they are where buildkit does not say so. */
static const char ATTESTATION[] =
    "application/vnd.docker.attestation.manifest.v1+json";

struct referrers_node {
	struct node node;
	struct image *image;
	char subject[DIGEST_TEXT_SIZE]; /* its digest */
};

static const struct referrers_node *to_referrers(const struct node *node)
{
	return container_of(node, const struct referrers_node, node);
}

static struct image *to_image(const struct node *node)
{
	return to_referrers(node)->image;
}

int referrers_node(struct node *parent, struct image *image, struct node **out,
    struct err *err)
{
	struct referrers_node *made = calloc(1, sizeof(*made));

	if (!made)
		return err_nomem(err);
	made->image = image_get(image);
	digest_format(&image->digest, made->subject);
	/* Others may attach something, and the file that is written becomes a
	 * directory of another name. */
	node_init_in(&made->node, parent, image_parts[IMAGE_REFERRERS].name,
	    NODE_REFERRERS,
	    key_of_part(parent, image_parts[IMAGE_REFERRERS].name,
		&image->digest),
	    0, TTL_FOREVER);
	*out = node_add(parent->mount->nodes, &made->node, err);
	return *out ? 0 : -err->code;
}

static void referrers_free(struct node *node)
{
	image_put(to_image(node));
	free(node);
}

static int referrers_stat(struct node *node, struct stat *out, struct err *err)
{
	(void)err;
	mount_stat_dir(node->mount, node, out);
	image_stat_time(node, to_image(node), out);
	return 0;
}

/* *out is NULL where nothing is shown. */
static int shown(const struct node *dir, struct referrers **out,
    struct err *err)
{
	*out = NULL;
	return node_nesting(dir, NODE_REFERRERS) > NESTING_MAX
		   ? 0
		   : referrers_list(to_image(dir), out, err);
}

/* What an index has of its images' attestations, as buildkit puts them there;
 * to be freed where count is not 0. They go with the index. */
static int attestations(const struct node *dir, struct referrers *out,
    struct err *err)
{
	const struct manifest *index = to_image(dir)->manifest;
	struct descriptor *found;

	*out = (struct referrers){NULL, 0};
	if (index->kind != MANIFEST_INDEX)
		return 0;
	found = calloc(index->entry_count + 1, sizeof(*found));
	if (!found)
		return err_nomem(err);
	for (size_t i = 0; i < index->entry_count; i++) {
		struct descriptor *entry = &found[out->count];

		if (!descriptor_is_buildkit_attestation(&index->entries[i]))
			continue;
		*entry = index->entries[i];
		if (!entry->artifact_type)
			entry->artifact_type = ATTESTATION;
		out->count++;
	}
	out->entries = found;
	return 0;
}

static void attestations_release(struct referrers *attestations)
{
	free((void *)(uintptr_t)attestations->entries);
}

static int list_one(struct node *dir, const struct referrers *referrers,
    size_t index, struct dirlist *out, struct err *err)
{
	char name[PART_NAME_SIZE];

	referrer_name(referrers, index, name);
	return dirlist_add(out, name, strlen(name), S_IFDIR,
	    key_number(NODE_IMAGE,
		key_of_part(dir, name, &referrers->entries[index].digest)),
	    err);
}

static int list(struct node *dir, struct dirlist *out, struct err *err)
{
	CLEANUP(referrers_put_p) struct referrers *referrers = NULL;
	CLEANUP(attestations_release) struct referrers own = {NULL, 0};
	int r = shown(dir, &referrers, err);

	if (r == 0)
		r = attestations(dir, &own, err);
	for (size_t i = 0; r == 0 && referrers && i < referrers->count; i++)
		r = list_one(dir, referrers, i, out, err);
	for (size_t i = 0; r == 0 && i < own.count; i++)
		r = list_one(dir, &own, i, out, err);
	if (r == 0)
		r = written_names_list(dir, out, err);
	return r;
}

static int lookup(struct node *dir, const char *name, struct node **out,
    struct err *err)
{
	CLEANUP(referrers_put_p) struct referrers *referrers = NULL;
	CLEANUP(attestations_release) struct referrers own = {NULL, 0};
	const struct referrers *found = NULL;
	size_t index;
	int r;

	*out = NULL;
	r = written_names_lookup(dir, name, out, err);
	if (r == 0)
		r = document_written(dir, name, out, err);
	if (r != 0)
		return r < 0 ? r : 0;
	r = attestations(dir, &own, err);
	if (r == 0 && referrer_find(&own, name, &index))
		found = &own;
	if (r == 0 && !found)
		r = shown(dir, &referrers, err);
	if (r < 0)
		return r;
	if (!found && referrers && referrer_find(referrers, name, &index))
		found = referrers;
	if (!found)
		return err_set(err, ENOENT, "no such name");
	return image_node_digest(dir, name, to_image(dir)->repository,
	    &found->entries[index].digest, out, err);
}

static int apply(const struct write_intent *intent,
    const struct write_content *file, struct err *err)
{
	CLEANUP(image_put_p) struct image *image = NULL;
	const struct attachment attachment = {.name = file->name,
	    .artifact_type = *file->type ? file->type : NULL,
	    .fd = spool_fd(file->spool),
	    .size = spool_size(file->spool)};
	struct digest subject, digest;
	int r = digest_parse(&subject, intent->detail, err);

	if (r == 0)
		r = image_open(intent->source->images, intent->repository,
		    &subject, &image, err);
	if (r == 0)
		r = referrers_attach(image, &attachment, &digest, err);
	return r < 0 ? err_wrap(err, "attaching to %s@%s", intent->repository,
			   intent->detail)
		     : 1;
}

const struct write_kind write_attachment = {.apply = apply};

static int write_place(struct node *dir, const char *name,
    struct write_place *out, struct err *err)
{
	const struct referrers_node *self = to_referrers(dir);

	(void)name;
	(void)err;
	*out = (struct write_place){.where = WRITE_IN_REFERRERS,
	    .repository = self->image->repository,
	    .subject = self->subject};
	return 0;
}

static int remove_referrer(struct node *dir, const char *name, struct err *err)
{
	CLEANUP(referrers_put_p) struct referrers *referrers = NULL;
	CLEANUP(attestations_release) struct referrers own = {NULL, 0};
	size_t index;
	int r;

	if (dir->mount->delete_tags == DELETE_NOTHING)
		return err_set(err, EPERM,
		    "this mount does not delete; mount with -o delete");
	r = shown(dir, &referrers, err);
	if (r < 0)
		return r;
	r = attestations(dir, &own, err);
	if (r == 0 && referrer_find(&own, name, &index))
		return err_set(err, EPERM,
		    "this is part of the index, and cannot be removed");
	if (r < 0)
		return r;
	if (!referrers || !referrer_find(referrers, name, &index))
		return err_set(err, ENOENT, "no such name");
	return referrers_detach(to_image(dir),
	    &referrers->entries[index].digest, err);
}

static const struct image *part_of(const struct node *dir, const char **name)
{
	*name = image_parts[IMAGE_REFERRERS].name;
	return to_image(dir);
}

const struct view_ops view_referrers = {
    .stat = referrers_stat,
    .free = referrers_free,
    .lookup = lookup,
    .list = list,
    .part_of = part_of,
    .write_place = write_place,
    .create = written_file_create,
    .unlink = written_file_unlink_only,
    .rmdir = remove_referrer,
    .rename = written_file_rename_only,
};
